import { openLine } from '../../src/app/line';
import { configSchema } from '../../src/config/config';

test('models that do not fit together do not become a line', async () => {
  const models = configSchema.shape.models.parse({
    view: 'gate-cnn',
    gate: 'off',
    lungs: 'lungs-unet16',
    classifier: 'gate-cnn',
  });
  await expect(openLine(models, configSchema.shape.results.parse({}))).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: 'gate-cnn: its task is gate, where one for view is configured',
  });
});
