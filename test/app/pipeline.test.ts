import { pipelineSettings, openPipeline } from '../../src/app/pipeline';
import { configSchema } from '../../src/config/config';

test('JPEG 2000 at half resolution is part of the identity of the pipeline', async () => {
  const identity = async (decode: object) => {
    const pipeline = await openPipeline(pipelineSettings({ decode: configSchema.shape.decode.parse(decode) }));
    await pipeline.reader.close();
    return pipeline.identity();
  };
  expect(await identity({})).not.toHaveProperty('jpeg2000Resolution');
  expect(await identity({ jpeg2000HalfResolution: true })).toMatchObject({ jpeg2000Resolution: 'half' });
});

test('models that do not fit together make no pipeline', async () => {
  const models = configSchema.shape.models.parse({
    view: 'gate-lite0',
    gate: 'off',
    lungs: 'lungs-unet16',
    classifier: 'gate-lite0',
  });
  await expect(openPipeline(pipelineSettings({ models }))).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: 'gate-lite0: its task is gate, where one for view is configured',
  });
});
