import type { ModelManifest } from '../../src/model/manifest';
import { type PipelineManifests, contradictionsOf, requireCompatible } from '../../src/pipeline/model-compatibility';
import { fakePipeline, fakeModel } from '../support/pipeline/fake-pipeline';

const { models } = fakePipeline().pipeline;
const bare = models.classifiers[0]!.model.manifest;
const classifier: ModelManifest = { ...bare, output: { probability: 'probability', cam: 'cam' } };
const MANIFESTS: PipelineManifests = {
  view: models.view.manifest,
  outOfDistribution: null,
  lungs: models.lungs.manifest,
  classifiers: [classifier],
  shortcut: null,
};
const lungless: ModelManifest = { ...classifier, input: { ...classifier.input, region: 'removed' } };
const larger = (manifest: ModelManifest): ModelManifest => ({
  ...manifest,
  input: { ...manifest.input, shape: [1, 1, 64, 56] },
});

test('models of their tasks and of one size fit', () =>
  expect(() =>
    requireCompatible({ ...MANIFESTS, outOfDistribution: fakeModel('gate', 0).manifest, shortcut: lungless }),
  ).not.toThrow());

test.each<[string, Partial<PipelineManifests>, string]>([
  [
    "a lung model in the view model's place",
    { view: models.lungs.manifest },
    'lungs: its task is lungs, where one for view is configured',
  ],
  [
    "an out-of-distribution check in the classifier's place",
    { classifiers: [fakeModel('gate', 0).manifest] },
    'other-gate: its task is gate, where one for classification',
  ],
  [
    'a classifier of another size',
    { classifiers: [classifier, larger(classifier)] },
    'it takes films of 64 x 56, and view of 56 x 56',
  ],
  [
    'an out-of-distribution check of another size',
    { outOfDistribution: larger(fakeModel('gate', 0).manifest) },
    'all models of the line take the same size',
  ],
  ['a shortcut check of another size', { shortcut: larger(lungless) }, 'all models of the line take the same size'],
  ['a shortcut check that sees the lungs', { shortcut: classifier }, "can't audit"],
  ['a classifier without a map', { classifiers: [bare] }, "can't be explained"],
])('%s is refused before the first film', (_name, other, text) => {
  expect(() => requireCompatible({ ...MANIFESTS, ...other })).toThrow(
    expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringContaining(text) as string }),
  );
});

const BOUNDS = models.lungs.manifest['plausibility'] as object;
test.each<[string, ModelManifest, Record<string, unknown>, string]>([
  ['a class that is not there', classifier, { positive: 2 }, 'positive: there is no class 2, only 2'],
  [
    'a region for the view model',
    models.view.manifest,
    { input: { ...models.view.manifest.input, region: 'lungs' } },
    'the task view is shown the whole film',
  ],
  [
    'two thresholds of a lung model',
    models.lungs.manifest,
    { operatingPoint: { threshold: 0.3, meaning: 'lung' } },
    'mask.threshold: it is 0.5, and operatingPoint.threshold 0.3',
  ],
  [
    'a misspelt bound',
    models.lungs.manifest,
    { plausibility: { ...BOUNDS, lungFraction: { minimum: 0.1 } } },
    'plausibility: lungFraction: has neither min nor max',
  ],
  [
    'bounds the wrong way round',
    models.lungs.manifest,
    { plausibility: { ...BOUNDS, lungFraction: { min: 0.5, max: 0.1 } } },
    'plausibility: lungFraction: min is over max',
  ],
  ['a bound too few', models.lungs.manifest, { plausibility: { lungFraction: { min: 0.1 } } }, 'components: '],
  [
    'another connectivity',
    models.lungs.manifest,
    { mask: { threshold: 0.5, connectivity: 8, minComponentFraction: 0.01 } },
    'mask: connectivity: ',
  ],
])('%s is a contradiction', (_name, manifest, more, text) => {
  expect(contradictionsOf(manifest)).toEqual([]);
  expect(contradictionsOf({ ...manifest, ...more })).toEqual([expect.stringContaining(text)]);
});
