import { patientOrientation, STANDARD, turnOf } from '../../src/dicom/patient-orientation';
import { asStored, upright } from '../../src/imaging/orient';
import { analyseFilm } from '../../src/pipeline/pipeline';
import { type Cells, drawnCells, laid, lyingFilm, ORIENTATIONS, placeIn } from '../support/films/lying';
import { fakePipeline, twoLungs } from '../support/pipeline/fake-pipeline';

const plane = ({ rows, columns, cells }: Cells) => ({ rows, columns, values: Float32Array.from(cells) });
const STANDING: Cells = { rows: 3, columns: 4, cells: Array.from({ length: 12 }, (_, i) => i * i) };

describe.each(ORIENTATIONS)('%s', (orientation) => {
  const turn = turnOf({ PatientOrientation: orientation.split('\\') });
  const stored = plane(laid(STANDING, orientation));

  test('is turned into the standard position', () => {
    expect(upright(stored, turn)).toEqual(plane(STANDING));
  });

  test('is turned back into the stored position', () => {
    expect(asStored(upright(stored, turn), turn)).toEqual(stored);
  });

  test('the networks see the film upright, and what they find lies where it is in the stored pixels', async () => {
    const size = 56;
    // One lung reaches lower than the other, and the heat is at the top of the one on the left of the picture: nothing
    // is symmetrical.
    const lungs = twoLungs().map((value, at) =>
      Math.floor(at / size) > 0.7 * size && at % size > size / 2 ? 0.01 : value,
    );
    const cam = Float32Array.from({ length: 14 * 14 }, (_, at) => (at === 14 * 4 + 3 ? 4 : 0));
    const standing = drawnCells({ seed: 3, view: 'PA', rows: 90, columns: 70 });
    const { pipeline, seen } = fakePipeline({ lungs, cam });
    const reference = fakePipeline({ lungs, cam });
    const outcome = await analyseFilm(lyingFilm(laid(standing, orientation), orientation), pipeline);
    await analyseFilm(lyingFilm(standing, 'L\\F'), reference.pipeline);
    expect(seen[0]).toMatchObject({ rows: size, columns: size });
    // Rows and columns are resampled in another order, in floating point.
    const worst = seen[0]!.values.reduce(
      (most, value, at) => Math.max(most, Math.abs(value - reference.seen[0]!.values[at]!)),
      0,
    );
    expect(worst).toBeLessThan(1e-5);

    if (outcome.outcome !== 'analysed') throw new Error(outcome.outcome);
    const { inferred, lungOutlines } = outcome.explained;
    const { heat, hotRegions } = outcome.explained.findings[0]!;
    const grid = { rows: size, columns: size };
    const at = (values: Float32Array, toFeet: number, toLeft: number) => {
      const [row, column] = placeIn(orientation, grid, toFeet, toLeft);
      return values[row * size + column]!;
    };
    for (const [toFeet, toLeft] of [
      [15, 10],
      [43, 10],
      [15, 45],
      [43, 45],
      [5, 5],
    ] as const) {
      expect(at(inferred.lungs.mask.values, toFeet, toLeft)).toBe(lungs[toFeet * size + toLeft]! > 0.5 ? 1 : 0);
      expect(at(inferred.lungs.probability.values, toFeet, toLeft)).toBe(lungs[toFeet * size + toLeft]);
    }
    expect(at(heat.values, 18, 14)).toBeGreaterThan(0.9);
    const [row, column] = placeIn(orientation, standing, (18 / size) * standing.rows, (14 / size) * standing.columns);
    const middle = (which: 0 | 1) =>
      hotRegions[0]!.reduce((sum, point) => sum + point[which], 0) / hotRegions[0]!.length;
    expect([middle(0) - column, middle(1) - row].map(Math.abs).every((distance) => distance < 5)).toBe(true);
    expect(lungOutlines).toHaveLength(2);
  });
});

test.each([
  ['nothing', undefined],
  ['an empty value', null],
  ['one direction', 'L'],
  ['three directions', ['L', 'F', 'H']],
  ['letters that are none', ['X', 'F']],
  ['two directions along one axis', ['L', 'R']],
  ['a direction that goes both ways', ['LR', 'F']],
  ['small letters', ['r', 'f']],
  ['a quadruped', ['LE', 'D']],
])('%s is no orientation: the film stays as it is', (_, PatientOrientation) => {
  expect(patientOrientation({ PatientOrientation })).toBeUndefined();
  expect(turnOf({ PatientOrientation })).toEqual(STANDARD);
});

test.each([[['A', 'F']], [['P', 'F']], [['F', 'A']], [['L', 'P']], [['AF', 'FP']]])(
  '%j is a valid orientation, but of no frontal film: it stays as it is',
  (PatientOrientation) => {
    expect(patientOrientation({ PatientOrientation })).toEqual(PatientOrientation);
    expect(turnOf({ PatientOrientation })).toEqual(STANDARD);
  },
);

test('of a direction between two axes the first letter counts', () => {
  expect(turnOf({ PatientOrientation: ['RF', 'FL'] })).toEqual(turnOf({ PatientOrientation: ['R', 'F'] }));
  expect(turnOf({ PatientOrientation: ['HLA', 'R'] })).toEqual(turnOf({ PatientOrientation: ['H', 'R'] }));
});

test('field of view rotation and flip are what the detector did before it stored the pixels: they turn nothing', () => {
  expect(
    turnOf({
      PatientOrientation: ['L', 'F'],
      FieldOfViewRotation: 90,
      FieldOfViewHorizontalFlip: 'YES',
      ViewPosition: 'AP',
    }),
  ).toEqual(STANDARD);
});
