import { parseUid } from '../../src/dicom/uid';
import { drawSyntheticFilm } from '../../src/imaging/synthetic-drawing';
import { pixelFault } from '../../src/pipeline/pixel-faults';
import { analysePixels } from '../../src/pipeline/pipeline';
import { preprocess } from '../../src/pipeline/preprocess';
import { readPart10 } from '../../src/dicom/read';
import { reduced } from '../support/films/displayed';
import { film as dicomFilm, type FilmOptions } from '../support/films/dicom-fixture';
import { fakePipeline } from '../support/pipeline/fake-pipeline';

const SIDE = 200;
const frontal = (seed: number) => drawSyntheticFilm({ seed, view: seed % 2 ? 'PA' : 'AP', rows: SIDE, columns: SIDE });
const shown = (values: Float32Array, attributes = {}) =>
  preprocess({
    sopInstanceUid: parseUid('1.2.3'),
    attributes,
    image: reduced({ rows: SIDE, columns: SIDE, values }, attributes),
  });
const grey = (seed: number, map: (value: number) => number = (value) => value) =>
  Float32Array.from(frontal(seed).pixels, (value) => map(value / 4095));

test.each([1, 2, 3, 4, 5, 6])('drawn film %i has no fault; inverted it has one', (seed) => {
  expect(pixelFault(shown(grey(seed)))).toBeNull();
  expect(pixelFault(shown(grey(seed, (value) => 1 - value)))).toMatchObject({ reason: 'inverted-image' });
});

test('a film upside down is looked at as it is normally shown', () => {
  const turned = grey(1).reverse();
  expect(pixelFault(shown(turned, { PatientOrientation: ['R', 'H'] }))).toBeNull();
});

test.each<[string, (value: number) => number]>([
  ['white for the most part', (value) => (value > 0.2 ? 1 : value)],
  ['black and white', (value) => (value > 0.4 ? 1 : 0)],
  ['black but for a little', (value) => (value < 0.97 ? 0 : value)],
])('%s is saturated', (_, map) => {
  expect(pixelFault(shown(grey(1, map)))).toMatchObject({ reason: 'saturated-image' });
});

test('noise, and a ramp, have no such fault: they are left to the networks', () => {
  const noise = Float32Array.from({ length: SIDE * SIDE }, (_, index) => ((index * 7919) % 1009) / 1009);
  const ramp = Float32Array.from({ length: SIDE * SIDE }, (_, index) => (index % SIDE) / SIDE);
  for (const values of [noise, ramp]) expect(pixelFault(shown(values))).toBeNull();
});

const analyse = async (
  cells: readonly number[],
  answers: Parameters<typeof fakePipeline>[0],
  options: FilmOptions = {},
) => {
  const { pipeline, seen } = fakePipeline(answers);
  const measured: object[] = [];
  const bytes = dicomFilm(cells, { rows: SIDE, columns: SIDE, ...options });
  const opened = readPart10(bytes);
  const outcome = await analysePixels(
    { sopInstanceUid: parseUid('1.2.3'), attributes: { ...opened.attributes, Modality: 'CR' }, opened },
    { ...pipeline, observer: { stage: () => {}, film: () => {}, measured: (one) => void measured.push(one) } },
  );
  return { outcome, seen, measured };
};
const PIXELS = Array.from(frontal(1).pixels);

test('a fault that can be computed is the reason, whatever the networks would say', async () => {
  const spoilt = { lateral: 0.99, outOfDistribution: 0.99 };
  expect((await analyse(PIXELS, spoilt, { photometric: 'MONOCHROME1' })).outcome).toMatchObject({
    outcome: 'not-analysed',
    refusal: { reason: 'inverted-image' },
    view: null,
  });
  expect(
    (
      await analyse(
        PIXELS.map(() => 700),
        spoilt,
      )
    ).outcome,
  ).toMatchObject({ refusal: { reason: 'blank-image' } });
  const white = PIXELS.map((value) => (value > 900 ? 4095 : value));
  const { outcome, measured } = await analyse(white, spoilt);
  expect(outcome).toMatchObject({ refusal: { reason: 'saturated-image' } });
  expect(measured).toEqual([{ meanGrey: expect.any(Number) as number, greySpread: expect.any(Number) as number }]);
});

test.each([
  [{ lateral: 0.99, outOfDistribution: 0.02 }, 'lateral-view', 'lateral', /lateral view; only frontal/],
  [{ lateral: 0.01, outOfDistribution: 0.99 }, 'unlike-training-films', 'frontal', /does not look like/],
  [{ lateral: 0.99, outOfDistribution: 0.99 }, 'unlike-training-films', null, /is a lateral view or no chest film/],
])('networks that answer %j: %s', async (answers, reason, view, text) => {
  const { outcome } = await analyse(PIXELS, answers);
  expect(outcome).toMatchObject({
    outcome: 'not-analysed',
    view,
    refusal: { reason, text: expect.stringMatching(text) as string },
  });
});

test('what the pixels say otherwise than the header is told of a refused film too', async () => {
  const hot = PIXELS.map((value, index) => (index === 5000 ? 65535 : value));
  const { outcome } = await analyse(hot, { lateral: 0.99 }, { bitsStored: 16 });
  expect(outcome).toMatchObject({ remarks: [{ kind: 'outlying-values', pixels: 1 }] });
});
