import { examineModels } from '../../src/app/doctor/models';
import { parseConfig } from '../../src/config/config';

const wrongOf = async (settings: object) =>
  (
    await examineModels(
      parseConfig({ archive: { url: 'http://localhost/dicom-web' }, broker: { url: 'amqp://localhost' }, ...settings }),
    )
  ).filter(({ ok }) => !ok);

test('models that the service would refuse are named: one that is not there, and one of another task', async () => {
  expect(await wrongOf({ models: { gate: 'mine', lungs: 'gate-lite0' } })).toEqual([
    { check: 'model: mine', ok: false, text: expect.stringContaining("can't be read") as string },
    {
      check: 'models',
      ok: false,
      text: 'MODEL_INVALID: gate-lite0: its task is gate, where one for lungs is configured',
    },
  ]);
});

test('no audit of the classifier in use; all else is well', async () => {
  expect(await wrongOf({ classification: { shortcutAudit: 'covid-vgg19-lungs' } })).toEqual([
    {
      check: 'models',
      ok: false,
      text: expect.stringContaining(
        "covid-vgg19-lungs can't audit findings-lite0: its input.region is lungs",
      ) as string,
    },
  ]);
});
