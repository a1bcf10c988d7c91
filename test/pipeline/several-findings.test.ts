import type { Plane } from '../../src/imaging/plane';
import { filmResultOf } from '../../src/objects/film-result';
import { readReport } from '../../src/objects/report-reader';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { findingsSchema } from '../../src/finding/config';
import type { Model } from '../../src/model/session';
import { encode } from '../../src/pipeline/encode';
import { leadingExplanation } from '../../src/pipeline/explain';
import { findingRules } from '../../src/pipeline/finding-rules';
import { resultOf } from '../../src/pipeline/notify';
import { analyseFilm, type Pipeline } from '../../src/pipeline/pipeline';
import { fakePipeline, fakeModel, HEADS } from '../support/pipeline/fake-pipeline';

const FILM = syntheticDicom({ seed: 3, view: 'PA', rows: 280, columns: 240 });
const map = (at: number): Plane => ({
  rows: 14,
  columns: 14,
  values: Float32Array.from({ length: 196 }, (_, i) => (i === at ? 4 : -1)),
});

/** COVID-19 by one network, then two findings by another one that sees film and box. */
function lineOf(
  opacity: number,
  tuberculosis: number,
  rules: readonly object[] = [],
): { pipeline: Pipeline; seen: Plane[] } {
  const seen: Plane[] = [];
  const { pipeline } = fakePipeline({ probability: 0.1 });
  const second: Model = {
    manifest: { ...fakeModel('classification', 0, HEADS).manifest, id: 'several' },
    predict: async (...planes) => {
      seen.push(...planes);
      return {
        probability: Float32Array.of(opacity, tuberculosis),
        cams: [
          [map(14 * 6 + 3), map(14 * 6 + 3)],
          [map(14 * 7 + 10), map(14 * 7 + 10)],
        ],
      };
    },
  };
  const networks = [pipeline.models.classifiers[0]!.model, second];
  const all = findingRules(
    networks.map(({ manifest }) => manifest),
    findingsSchema.parse({ rules }),
  );
  const classifiers = networks.map((model, at) => ({ model, rules: all[at]! }));
  const identity = () => ({
    ...pipeline.identity(),
    models: [
      ...pipeline.identity().models,
      { id: 'several', version: '1.0.0', title: 'several', sha256: 'b'.repeat(64), task: 'classification' as const },
    ],
    findings: classifiers.flatMap(({ model, rules: own }) =>
      own.flatMap((rule) => (rule === null ? [] : [{ ...rule, model: model.manifest.id }])),
    ),
  });
  return { pipeline: { ...pipeline, models: { ...pipeline.models, classifiers }, identity }, seen };
}

async function workOn(pipeline: Pipeline) {
  const outcome = await analyseFilm(FILM, pipeline);
  if (outcome.outcome !== 'analysed') throw new Error(outcome.refusal.text);
  const report = encode(outcome, pipeline.identity()).at(-1)!;
  return {
    result: resultOf(report.sopInstanceUid, outcome, []),
    reading: readReport(report.bytes),
    explained: outcome.explained,
  };
}

test('the network sees the film and the box around its lungs, each at its size', async () => {
  const { pipeline, seen } = lineOf(0.9, 0.1);
  await workOn(pipeline);
  expect(seen.map(({ rows, columns }) => [rows, columns])).toEqual([
    [56, 56],
    [56, 56],
  ]);
  expect(seen[0]!.values).not.toEqual(seen[1]!.values);
});

test('each finding is told and read back; the one that makes the film urgent stands for it', async () => {
  const { result, reading, explained } = await workOn(lineOf(0.9, 0.99).pipeline);
  expect(result.findings.map(({ label, atOrAbove, priority, mode }) => [label, atOrAbove, priority, mode])).toEqual([
    ['COVID-19', false, 'routine', 'live'],
    ['lung opacity', true, 'urgent', 'live'],
    ['tuberculosis', true, 'urgent', 'shadow'],
  ]);
  expect(result.probability).toBe(Math.fround(0.9));
  expect(reading).toMatchObject({ findings: result.findings, priority: 'urgent' });
  expect(leadingExplanation(explained).finding.label).toBe('lung opacity');
});

test('one in shadow moves nothing, and one that is off is not told', async () => {
  const { result, reading } = await workOn(lineOf(0.1, 0.99).pipeline);
  expect(reading.priority).toBe('routine');
  expect(result.probability).toBe(Math.fround(0.1));
  const off = await workOn(lineOf(0.9, 0.99, [{ finding: 'tuberculosis', mode: 'off' }]).pipeline);
  expect(off.result.findings.map(({ label }) => label)).toEqual(['COVID-19', 'lung opacity']);
});

test('where all are in shadow the film has no probability, in the event and from its report', async () => {
  const rules = ['COVID-19', 'lung opacity'].map((finding) => ({ finding, mode: 'shadow' }));
  const { result, reading, explained } = await workOn(lineOf(0.9, 0.99, rules).pipeline);
  expect(result).toMatchObject({ outcome: 'analysed', reason: null, probability: null });
  expect(result.findings.map(({ mode }) => mode)).toEqual(['shadow', 'shadow', 'shadow']);
  expect(reading).toMatchObject({ outcome: 'analysed', findings: result.findings, priority: null });
  expect(filmResultOf(reading)).toMatchObject({ outcome: 'analysed', probability: null, findings: result.findings });
  // The picture shows the first: there is one to look at for whoever evaluates it.
  expect(leadingExplanation(explained).finding.label).toBe('COVID-19');
});

test('a site may have a finding told that makes no film urgent', async () => {
  const { reading } = await workOn(lineOf(0.9, 0.1, [{ finding: 'lung opacity', priority: 'routine' }]).pipeline);
  expect(reading.priority).toBe('routine');
  expect(reading.findings[1]).toMatchObject({ atOrAbove: true, priority: 'routine' });
});

test('the heat lies where the maps of both regions say', async () => {
  const { explained } = await workOn(lineOf(0.9, 0.1).pipeline);
  const { values, rows, columns } = explained.findings[1]!.heat;
  expect([rows, columns]).toEqual([56, 56]);
  const hottest = values.indexOf(1);
  // Both maps have their cell in the left half, in the middle; the box's counts for more.
  expect(Math.floor(hottest / columns)).toBeGreaterThan(20);
  expect(hottest % columns).toBeLessThan(28);
});

test('picture and maps name the finding that they show, and its network', async () => {
  const { pipeline } = lineOf(0.9, 0.1);
  const outcome = await analyseFilm(FILM, pipeline);
  const identity = { ...pipeline.identity(), objects: { ...ALL_OBJECTS } };
  const objects = encode(outcome, identity).map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
  const [picture, , map, presentation] = objects;
  expect(objects).toHaveLength(5);
  expect(picture).toContain('class activation map of several 1.0.0 for lung opacity');
  expect(map).toContain('several');
  expect(presentation).toContain('greatest class activation for lung opacity');
  for (const text of [picture, presentation]) expect(text).not.toContain('COVID-19');
});

const ALL_OBJECTS = { heatMap: true, segmentation: true, parametricMap: true, presentationState: true };
