import { REASON_TEXTS } from '../../src/finding/wording';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { manifestSchema, type PictureKind } from '../../src/model/manifest';
import { guarded, modelOf } from '../../src/model/session';
import { encode, readResult } from '../../src/pipeline/encode';
import { analyseFilm, type Pipeline } from '../../src/pipeline/pipeline';
import { fakePipeline, fakeModel } from '../support/pipeline/fake-pipeline';

const FILM = syntheticDicom({ seed: 3, view: 'PA', rows: 280, columns: 240 });
const KINDS: PictureKind[] = ['frontal', 'lateral', 'other', 'inverted', 'turned', 'partial', 'unreadable'];
const ANSWERS = {
  answers: KINDS.map((name) => ({ name, label: name })),
  output: { probability: 'unlike', cam: null, answers: 'answers' },
};

/** A pipeline whose first check gives each kind its probability (the others 0), and whose view model says frontal. */
function pipelineOf(
  told: Partial<Record<PictureKind, number>>,
  view: Record<string, unknown> = {},
): { pipeline: Pipeline; asked: () => number } {
  const { pipeline } = fakePipeline();
  let asked = 0;
  const p = KINDS.map((kind) => told[kind] ?? 0);
  const check = {
    manifest: fakeModel('gate', 0, ANSWERS).manifest,
    predict: async () => ({
      probability: Float32Array.of(1 - p[0]! - p[1]!),
      cams: null,
      answers: Float32Array.from(p),
    }),
  };
  const side = {
    manifest: { ...fakeModel('view', 0).manifest, ...view },
    predict: async () => {
      asked += 1;
      return { probability: Float32Array.of(0.01), cams: null };
    },
  };
  return {
    pipeline: { ...pipeline, models: { ...pipeline.models, outOfDistribution: check, view: side } },
    asked: () => asked,
  };
}

test.each([
  [{ other: 0.6, frontal: 0.2, partial: 0.2 }, 'no-chest-film'],
  [{ inverted: 0.9, frontal: 0.1 }, 'inverted-image'],
  [{ turned: 0.4, partial: 0.35, frontal: 0.25 }, 'turned-film'],
  [{ turned: 0.1, partial: 0.75, frontal: 0.15 }, 'partial-film'],
  [{ unreadable: 0.55, frontal: 0.45 }, 'poor-image-quality'],
  // Refused by the sum of what it may be instead: the reason is none of the two views, however likely.
  [{ frontal: 0.45, turned: 0.3, other: 0.25 }, 'turned-film'],
  [{ lateral: 0.49, partial: 0.51 }, 'partial-film'],
] as const)('a network that answers %j: %s', async (told, reason) => {
  const { pipeline } = pipelineOf(told);
  expect(await analyseFilm(FILM, pipeline)).toMatchObject({
    outcome: 'not-analysed',
    refusal: { reason, text: REASON_TEXTS[reason] },
  });
});

test('of a picture that is no chest film no view is told, though the view model has one', async () => {
  const { pipeline } = pipelineOf({ other: 0.6, frontal: 0.3, lateral: 0.1 });
  const outcome = await analyseFilm(FILM, pipeline);
  expect(outcome).toMatchObject({ refusal: { reason: 'no-chest-film' }, view: null });
  expect(readResult(encode(outcome, pipeline.identity()).at(-1)!.bytes).view).toBeNull();
});

test('one network that checks and tells the view runs once, and its own answers are the view', async () => {
  const lateral = pipelineOf({ frontal: 0.1, lateral: 0.9 });
  expect(await analyseFilm(FILM, lateral.pipeline)).toMatchObject({
    outcome: 'not-analysed',
    view: 'lateral',
    refusal: { reason: 'lateral-view' },
  });
  expect(lateral.asked()).toBe(0);
  const frontal = pipelineOf({ frontal: 0.9, lateral: 0.05, other: 0.05 });
  const outcome = await analyseFilm(FILM, frontal.pipeline);
  if (outcome.outcome !== 'analysed') throw new Error(outcome.outcome);
  expect(outcome.explained.inferred.view).toEqual({
    view: 'frontal',
    lateralProbability: expect.closeTo(0.05 / 0.95, 6) as number,
  });
  expect(frontal.asked()).toBe(0);
});

test('a view model of another network, or with another input, is asked', async () => {
  for (const other of [{ sha256: 'c'.repeat(64) }, { input: { ...fakeModel('view', 0).manifest.input, mean: 0.25 } }]) {
    const { pipeline, asked } = pipelineOf({ frontal: 0.1, lateral: 0.9 }, other);
    expect(await analyseFilm(FILM, pipeline)).toMatchObject({ outcome: 'analysed' });
    expect(asked()).toBe(1);
  }
});

test('answers are named in the manifest where the network gives them, each once', () => {
  const problems = (more: Record<string, unknown>) =>
    manifestSchema
      .safeParse(fakeModel('gate', 0, more).manifest)
      .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];
  expect(problems(ANSWERS)).toEqual([]);
  expect(problems({ answers: ANSWERS.answers })).toEqual([
    'answers is needed beside output.answers, and that beside it',
  ]);
  expect(problems({ output: ANSWERS.output })).toEqual(['answers is needed beside output.answers, and that beside it']);
  expect(problems({ ...ANSWERS, answers: [...ANSWERS.answers, ANSWERS.answers[0]] })).toEqual([
    'answers names one twice',
  ]);
  expect(problems({ ...ANSWERS, answers: [{ name: 'sideways', label: '' }] })).not.toEqual([]);
});

test('the answers of a network come with its probability; what does not fit the manifest is refused', async () => {
  const { manifest } = fakeModel('gate', 0, ANSWERS);
  const [, , rows, columns] = manifest.input.shape;
  const film = { rows, columns, values: new Float32Array(rows * columns) };
  const giving = (values: number[]) =>
    guarded(
      modelOf(manifest, {
        engine: 'test',
        inputs: [],
        outputs: [],
        run: async () =>
          new Map([
            ['unlike', { shape: [1, 1], values: Float32Array.of(0.5) }],
            ['answers', { shape: [1, values.length], values: Float32Array.from(values) }],
          ]),
        heldTensors: () => null,
        close: async () => {},
      }),
    ).predict(film);
  expect((await giving([1, 0, 0, 0, 0, 0, 0])).answers).toEqual(Float32Array.of(1, 0, 0, 0, 0, 0, 0));
  await expect(giving([1, 0])).rejects.toThrow('gives 2 values as answers, not one for each of answers');
  await expect(giving([1.5, 0, 0, 0, 0, 0, 0])).rejects.toThrow('gives 1.5 as answers, which is no probability');
});
