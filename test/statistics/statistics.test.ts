import { estimate, mulberry32, quantile } from '../../src/statistics/bootstrap';
import { calibration, curve, thin } from '../../src/statistics/curves';
import { confusion, type Scored, thresholdFigures, wilson } from '../../src/statistics/statistics';
import { NOT_SAID, OTHERS, subgroups } from '../../src/statistics/subgroups';
import { byFallingScore, once, weightedAuc, weightedAveragePrecision, weightedF1 } from '../../src/statistics/weighted';

const films = (...pairs: (readonly [positive: 0 | 1, score: number, patient?: string])[]): Scored[] =>
  pairs.map(([positive, score, patient], i) => ({ positive: positive === 1, score, patient: patient ?? `p${i}` }));

/**
 * Figures below were computed apart from this code: SciPy 1.14 (binomtest, mannwhitneyu) and the definitions in numpy.
 */
const TEN = films([1, 0.9], [1, 0.8], [0, 0.8], [1, 0.7], [0, 0.6], [0, 0.4], [1, 0.4], [0, 0.3], [0, 0.2], [1, 0.1]);

test.each([
  [45, 50, 0.7863976856, 0.9565242351],
  [0, 10, 0, 0.2775327999],
  [7, 7, 0.6456695649, 1],
])('Wilson interval of %d of %d', (hits, n, low, high) => {
  const interval = wilson(hits, n)!;
  expect(interval[0]).toBeCloseTo(low, 6);
  expect(interval[1]).toBeCloseTo(high, 6);
});

test('no cases have no interval', () => expect(wilson(0, 0)).toBeNull());

test('area under the ROC curve, ties counted half; average precision; F1', () => {
  const sorted = byFallingScore(TEN);
  expect(weightedAuc(sorted, once(sorted))).toBeCloseTo(0.64, 12);
  expect(weightedAveragePrecision(sorted, once(sorted))).toBeCloseTo(0.6976190476, 9);
  expect(weightedF1(0.5)(sorted, once(sorted))).toBeCloseTo(0.6, 12);
  expect(thresholdFigures(TEN, 0.5).f1).toBeCloseTo(0.6, 12);
});

test('a weight is the same as that many films', () => {
  const weights = [3, 0, 1, 2, 1, 0, 2, 1, 1, 4];
  const sorted = byFallingScore(TEN);
  const repeated = byFallingScore(sorted.flatMap((film, i) => Array.from({ length: weights[i]! }, () => film)));
  for (const figure of [weightedAuc, weightedAveragePrecision, weightedF1(0.35)])
    expect(figure(sorted, weights)).toBeCloseTo(figure(repeated, once(repeated))!, 12);
});

test('one class alone has no curve and no area', () => {
  const positives = films([1, 0.9], [1, 0.1]);
  expect(weightedAuc(positives, once(positives))).toBeNull();
  expect(curve(positives)).toEqual([]);
  expect(estimate(positives, weightedAuc, { rounds: 10, seed: 1 })).toEqual({ value: null, interval: null });
});

test('a film at the threshold is called', () => {
  expect(confusion(TEN, 0.8)).toEqual({ truePositive: 2, falseNegative: 3, falsePositive: 1, trueNegative: 4 });
  expect(thresholdFigures(TEN, 0.8)).toMatchObject({
    sensitivity: { value: 0.4, hits: 2, n: 5 },
    specificity: { value: 0.8 },
    accuracy: { value: 0.6 },
    precision: { value: 2 / 3 },
  });
});

describe('bootstrap', () => {
  test('quantiles as numpy has them', () => {
    expect(quantile([1, 2, 3, 4, 10], 0.025)).toBeCloseTo(1.1, 12);
    expect(quantile([1, 2, 3, 4, 10], 0.975)).toBeCloseTo(9.4, 12);
  });

  test('the generator gives the published sequence', () => {
    const random = mulberry32(1);
    expect([random(), random(), random()]).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522]);
  });

  const many = films(
    ...Array.from({ length: 200 }, (_, i) => [(i % 2) as 0 | 1, ((i * 37) % 101) / 101 + (i % 2) * 0.3] as const),
  );

  test('the same seed gives the same interval, another one another', () => {
    const of = (seed: number) => estimate(many, weightedAuc, { rounds: 200, seed }).interval;
    expect(of(7)).toEqual(of(7));
    expect(of(7)).not.toEqual(of(8));
  });

  test('the interval is about that of theory', () => {
    const { value, interval } = estimate(many, weightedAuc, { rounds: 1000, seed: 1 });
    // Hanley and McNeil 1982.
    const [q1, q2] = [value! / (2 - value!), (2 * value! * value!) / (1 + value!)];
    const error = Math.sqrt((value! * (1 - value!) + 99 * (q1 - value! ** 2) + 99 * (q2 - value! ** 2)) / 10_000);
    expect((interval![1] - interval![0]) / (2 * 1.96 * error)).toBeGreaterThan(0.8);
    expect((interval![1] - interval![0]) / (2 * 1.96 * error)).toBeLessThan(1.2);
  });

  test.each([
    [
      'no overlap: every draw has an area of 1',
      films(...Array.from({ length: 40 }, (_, i) => [(i % 2) as 0 | 1, 0.2 + (i % 2) * 0.5 + i / 1000] as const)),
      1,
    ],
    [
      'nine patients with the finding',
      many.filter((film, i) => !film.positive || i < 18),
      expect.any(Number) as number,
    ],
    [
      'one patient with all films, as after an export without Patient IDs',
      many.map((film) => ({ ...film, patient: 'ANON' })),
      expect.any(Number) as number,
    ],
  ])('%s: there is a value but no interval', (_name, group, value) =>
    expect(estimate(group, weightedAuc, { rounds: 200, seed: 1 })).toEqual({ value, interval: null }),
  );

  test('films of one patient are drawn together, so that copies do not narrow the interval', () => {
    const copies = many.flatMap((film) => [film, film, film, film]);
    const width = (of: readonly Scored[]) =>
      estimate(of, weightedAuc, { rounds: 500, seed: 1 }).interval!.reduce((low, high) => high - low);
    expect(width(copies)).toBeCloseTo(width(many), 6);
    expect(width(copies.map((film, i) => ({ ...film, patient: String(i) })))).toBeLessThan(0.6 * width(many));
  });
});

test('a curve has one point for each score and ends at everything called', () => {
  const points = curve(TEN);
  expect(points).toHaveLength(8);
  expect(points[1]).toEqual({ threshold: 0.8, sensitivity: 0.4, falsePositiveRate: 0.2, precision: 2 / 3 });
  expect(points.at(-1)).toMatchObject({ sensitivity: 1, falsePositiveRate: 1, precision: 0.5 });
  expect(thin(points, 3).map(({ threshold }) => threshold)).toEqual([0.9, 0.4, 0.1]);
});

test('calibration: bins, and the expected error', () => {
  const { bins, expectedCalibrationError } = calibration(TEN);
  expect(expectedCalibrationError).toBeCloseTo(0.32, 9);
  expect(bins[8]).toMatchObject({ n: 2, predicted: 0.8, observed: { value: 0.5, hits: 1, n: 2 } });
  expect(calibration(films([1, 1])).bins[9]!.n).toBe(1);
  expect(calibration([])).toMatchObject({ expectedCalibrationError: null });
});

test('subgroups: each value a row, the smallest together, what is not said by itself', () => {
  const settings = { threshold: 0.5, bootstrap: { rounds: 10, seed: 1 } };
  const [sex, device] = subgroups(
    TEN.map((film, i) => ({ film, groups: { sex: i < 4 ? 'F' : i < 9 ? 'M' : undefined, device: undefined } })),
    settings,
  );
  expect(sex!.rows.map(({ value, n, positive }) => [value, n, positive])).toEqual([
    [NOT_SAID, 1, 1],
    ['F', 4, 3],
    ['M', 5, 1],
  ]);
  expect(sex!.rows[1]).toMatchObject({ sensitivity: { hits: 3, n: 3 }, specificity: { hits: 0, n: 1 } });
  expect(device!.rows).toHaveLength(1);
  const [numbered] = subgroups(
    Array.from({ length: 40 }, (_, i) => ({ film: TEN[i % 10]!, groups: { date: String(i % 20) } })),
    settings,
  );
  expect(numbered!.rows).toHaveLength(12);
  expect(numbered!.rows.at(-1)).toMatchObject({ value: OTHERS, n: 18 });
});
