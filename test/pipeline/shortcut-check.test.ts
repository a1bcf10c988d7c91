import type { Warning } from '../../src/events/closed-lists';
import type { Plane } from '../../src/imaging/plane';
import { readReport } from '../../src/objects/report-reader';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { encode, readResult } from '../../src/pipeline/encode';
import { resultOf } from '../../src/pipeline/notify';
import { analyseFilm, type Pipeline } from '../../src/pipeline/pipeline';
import { checkShortcut, requireShortcutModel } from '../../src/pipeline/shortcut-check';
import { checkedPipeline, fakePipeline, fakeModel, REMOVED, twoLungs } from '../support/pipeline/fake-pipeline';

const FILM = syntheticDicom({ seed: 3, view: 'PA', rows: 280, columns: 240 });
async function resultsOf(pipeline: Pipeline) {
  const outcome = await analyseFilm(FILM, pipeline);
  const report = encode(outcome, pipeline.identity()).at(-1)!;
  return {
    told: resultOf(report.sopInstanceUid, outcome, []),
    readBack: readResult(report.bytes),
    report: report.bytes,
  };
}

test('as sure without the lungs: result, report and what is read back from it carry the warning', async () => {
  const { told, readBack, report } = await resultsOf(checkedPipeline(0.9, 0.7));
  expect(told.warnings).toEqual(['evidence-outside-lungs']);
  expect(readBack.warnings).toEqual(['evidence-outside-lungs']);
  expect(readReport(report).warnings).toEqual(['evidence-outside-lungs']);
  expect(Buffer.from(report).toString('latin1')).toContain('the evidence may lie outside the lungs');
});

test.each([
  ['the second network is below its operating point', 0.9, 0.49, true],
  ['the classifier is below its own: nothing is claimed, and the second is not asked', 0.49, 0.99, false],
])('no warning where %s', async (_case, lungs, outside, asked) => {
  const seen: Plane[] = [];
  const { told, readBack, report } = await resultsOf(checkedPipeline(lungs, outside, seen));
  expect(told).not.toHaveProperty('warnings');
  expect(readBack).not.toHaveProperty('warnings');
  expect(readReport(report).warnings).toEqual([]);
  expect(seen).toHaveLength(asked ? 1 : 0);
});

test('no warning of a finding in shadow, of which nothing is told', async () => {
  const seen: Plane[] = [];
  const pipeline = checkedPipeline(0.9, 0.7, seen);
  const classifiers = pipeline.models.classifiers.map(({ model, rules }) => ({
    model,
    rules: rules.map((rule) => rule && { ...rule, mode: 'shadow' as const }),
  }));
  const { told } = await resultsOf({ ...pipeline, models: { ...pipeline.models, classifiers } });
  expect(told.findings).toMatchObject([{ atOrAbove: true, mode: 'shadow' }]);
  expect(told).not.toHaveProperty('warnings');
  expect(seen).toHaveLength(0);
});

test('no warning of another finding than its own, where the first one is off', async () => {
  const seen: Plane[] = [];
  const pipeline = checkedPipeline(0.9, 0.7, seen);
  const other = { label: 'other', code: { value: '1', scheme: '99TEST', meaning: 'Other' } };
  const classifiers = pipeline.models.classifiers.map(({ model, rules }) => ({
    model,
    rules: rules.map((rule) => rule && { ...rule, ...other }),
  }));
  const outcome = await analyseFilm(FILM, { ...pipeline, models: { ...pipeline.models, classifiers } });
  expect(outcome).toMatchObject({
    explained: { findings: [{ finding: { label: 'other', atOrAbove: true, mode: 'live' } }] },
  });
  expect(outcome).not.toHaveProperty('explained.inferred.warnings');
  expect(seen).toHaveLength(0);
});

test('a warning that the film has already stays', async () => {
  const pipeline = checkedPipeline(0.9, 0.7);
  const outcome = await analyseFilm(FILM, { ...pipeline, shortcutCheck: null });
  if (outcome.outcome !== 'analysed') throw new Error(outcome.outcome);
  const earlier = 'an-earlier-one' as Warning;
  const film = { ...outcome.explained.inferred, warnings: [earlier] };
  const { warnings } = await checkShortcut(film, pipeline.shortcutCheck ?? null);
  expect(warnings).toEqual([earlier, 'evidence-outside-lungs']);
});

test('it is shown the film without its lungs, and nothing else of it is taken away', async () => {
  const seen: Plane[] = [];
  await analyseFilm(FILM, checkedPipeline(0.9, 0.7, seen));
  const lungs = twoLungs();
  const inside = [...seen[0]!.values].filter((_value, i) => lungs[i]! > 0.5);
  const outside = [...seen[0]!.values].filter((_value, i) => lungs[i]! <= 0.5);
  expect(new Set(inside)).toEqual(new Set([0.25]));
  expect(new Set(outside).size).toBeGreaterThan(100);
});

test.each([
  ['another task', fakeModel('view', 0.5, REMOVED), 'task'],
  ['a network of the lungs', fakeModel('classification', 0.5), 'region'],
  [
    'another finding',
    fakeModel('classification', 0.5, {
      ...REMOVED,
      classes: [
        { label: 'no' },
        { label: 'Pneumonia', code: { value: '233604007', scheme: 'SCT', meaning: 'Pneumonia' } },
      ],
    }),
    'finding',
  ],
])('refused at the start: %s', (_case, model, why) => {
  const classifier = fakePipeline().pipeline.models.classifiers[0]!.model;
  expect(() => requireShortcutModel(model.manifest, classifier.manifest)).toThrow(
    expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringContaining(why) as string }),
  );
});
