import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { displayFilm } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { type Plane, standardise } from '../../src/imaging/plane';
import { regionOf } from '../../src/imaging/region';
import { regionsOf } from '../../src/model/manifest';
import { type Model, openModel } from '../../src/model/session';
import { describeLungs, findLungs, implausible, plausibilityOf } from '../../src/pipeline/lungs';
import { preprocess } from '../../src/pipeline/preprocess';
import { reduce } from '../../src/pipeline/reduce';
import { reduced } from '../support/films/displayed';
import { film as film8 } from '../support/films/dicom-fixture';

/**
 * The same decoded pixels through the training code (`python -m hilum_training parity`, a drawn film) and through this
 * service: the same tensors, the same masks, the same probabilities. PyTorch's autograd is the oracle of the heat map.
 */
const FIXTURE = resolve(__dirname, '../fixtures/parity');
const MODELS = resolve(__dirname, '../../models');

interface Record_ {
  film: { rows: number; columns: number };
  lungs: { figures: Record<string, number>; reasons: string[] };
  /** `probability` of each head; the lung network has its mean instead. */
  models: Record<
    string,
    { task: string; sha256: string; tensor: string; probability?: number[]; meanProbability?: number }
  >;
}
const expected = JSON.parse(readFileSync(join(FIXTURE, 'parity.json'), 'utf8')) as Record_;
const floats = (name: string) => new Float32Array(new Uint8Array(readFileSync(join(FIXTURE, name))).buffer);

const { rows, columns } = expected.film;
const pixels = Float32Array.from(readFileSync(join(FIXTURE, 'film.u8')));
const film = preprocess({
  sopInstanceUid: parseUid('1.2.3'),
  attributes: {},
  image: reduced({ rows, columns, values: pixels }),
});

const models = new Map<string, Model>();
beforeAll(async () => {
  for (const id of Object.keys(expected.models)) models.set(id, await openModel(MODELS, id));
}, 120_000);

const byTask = (task: string) => [...models.values()].find(({ manifest }) => manifest.task === task)!;

function greatestDifference(a: Float32Array, b: Float32Array): number {
  let greatest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) greatest = Math.max(greatest, Math.abs(a[i]! - b[i]!));
  return greatest;
}

/**
 * The networks compute in 8 bits. PyTorch sums the same numbers in another order; a sum half-way between two steps then
 * falls on the other side, through 16 layers. onnxruntime with and without its graph optimisations differs from itself
 * by as much (0.026 of the greatest cell, 0.01 in log odds).
 */
const WITHIN = { probability: 1e-3, logOdds: 0.1, cell: 0.05, map: 0.01, mask: 1e-3 };
const logOdds = (p: number) => Math.log(p / (1 - p));

/** N of each region that a network takes. */
async function seenBy({ manifest }: Model): Promise<Plane[]> {
  const regions = regionsOf(manifest);
  if (regions.every((region) => region === 'film')) return regions.map(() => film.normalised);
  const { mask } = await findLungs(film, byTask('lungs'));
  return regions.map((region) => regionOf(film.normalised, mask, region, manifest.input.fill).plane);
}

/** One behind the other. */
const joined = (parts: readonly Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));

test('the fixture was made with the models that are shipped', () => {
  const tasks = Object.values(expected.models).map(({ task }) => task);
  expect(tasks).toEqual(expect.arrayContaining(['view', 'lungs', 'classification']));
  for (const [id, { sha256, task }] of Object.entries(expected.models))
    expect(models.get(id)!.manifest).toMatchObject({ sha256, task });
});

test('outliers and padding that nobody declared: the same N', async () => {
  const spoilt = readFileSync(join(FIXTURE, 'spoilt.u8'));
  const opened = readPart10(film8([...spoilt], { rows, columns, bitsAllocated: 8, bitsStored: 8 }));
  const image = reduce(await displayFilm(opened), {}, { rows: 224, columns: 224 });
  expect(image.remarks).toHaveLength(2);
  const { normalised } = preprocess({ sopInstanceUid: parseUid('1.2.3'), attributes: {}, image });
  expect(greatestDifference(normalised.values, floats('spoilt.n.f32'))).toBeLessThan(1e-5);
});

test.each(Object.keys(expected.models))('%s: the same tensor', async (id) => {
  const { manifest } = models.get(id)!;
  const { mean, std } = manifest.input;
  const tensor = joined((await seenBy(models.get(id)!)).map((plane) => standardise(plane, mean, std)));
  expect(greatestDifference(tensor, floats(expected.models[id]!.tensor))).toBeLessThan(1e-4);
});

test.each(Object.entries(expected.models).filter(([, { probability }]) => probability !== undefined))(
  '%s: the same probability',
  async (id, { probability }) => {
    const predicted = await models.get(id)!.predict(...(await seenBy(models.get(id)!)));
    expect(predicted.probability).toHaveLength(probability!.length);
    for (const [head, p] of probability!.entries()) {
      const found = predicted.probability[head]!;
      if (p < 1e-3 || p > 1 - 1e-3) expect(Math.abs(found - p)).toBeLessThan(WITHIN.probability);
      if (p > 1e-6 && p < 1 - 1e-6) expect(Math.abs(logOdds(found) - logOdds(p))).toBeLessThan(WITHIN.logOdds);
    }
  },
);

test('the same lung mask and the same figures of it', async () => {
  const lungs = await findLungs(film, byTask('lungs'));
  const mask = readFileSync(join(FIXTURE, 'lungs.u8'));
  const others = lungs.mask.values.filter((value, i) => value !== mask[i]).length;
  expect(others / mask.length).toBeLessThan(WITHIN.mask);
  const figures = describeLungs(lungs) as unknown as Record<string, number>;
  for (const [name, value] of Object.entries(expected.lungs.figures))
    expect(Math.abs(figures[name]! - value)).toBeLessThan(0.01);
  expect(implausible(lungs, plausibilityOf(byTask('lungs').manifest)) === null).toBe(
    expected.lungs.reasons.length === 0,
  );
});

test("the class activation is the training code's, and that of PyTorch's gradients", async () => {
  const model = byTask('classification');
  const { cams } = await model.predict(...(await seenBy(model)));
  const scale = floats('gradcam.f32').reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
  expect(greatestDifference(floats('cam.f32'), floats('gradcam.f32')) / scale).toBeLessThan(1e-3);
  const found = joined(cams!.flat().map(({ values }) => values));
  expect(found).toHaveLength(floats('cam.f32').length);
  const differences = Array.from(found, (value, i) => Math.abs(value - floats('cam.f32')[i]!) / scale);
  expect(Math.max(...differences)).toBeLessThan(WITHIN.cell);
  expect(differences.reduce((a, b) => a + b, 0) / differences.length).toBeLessThan(WITHIN.map);
});
