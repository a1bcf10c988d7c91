import { mulberry32, pairedEstimate } from '../../src/statistics/bootstrap';
import { histogram } from '../../src/statistics/curves';
import { predictiveValues } from '../../src/statistics/predictive';
import { type Scored, share } from '../../src/statistics/statistics';
import { weightedAuc, weightedFlagged, weightedSensitivity, weightedSpecificity } from '../../src/statistics/weighted';

describe('predictive values at a stated prevalence', () => {
  test('an example by hand', () => {
    // Odds of a call: 0.9 * 0.1 / (0.2 * 0.9) = 1/2; variance of its logit 0.1/0.9/100 + 0.8/0.2/200 = 0.0211.
    const { positive, negative, flagged } = predictiveValues(share(90, 100), share(160, 200), 0.1);
    expect(positive.value).toBeCloseTo(1 / 3, 10);
    expect(positive.interval![0]).toBeCloseTo(0.2733, 4);
    expect(positive.interval![1]).toBeCloseTo(0.3993, 4);
    // 0.8 * 0.9 / (0.8 * 0.9 + 0.1 * 0.1)
    expect(negative.value).toBeCloseTo(0.72 / 0.73, 10);
    expect(flagged).toBeCloseTo(0.27, 10);
  });

  test('at the share of the films themselves it is their precision', () => {
    expect(predictiveValues(share(30, 40), share(50, 60), 0.4).positive.value).toBeCloseTo(30 / 40, 10);
  });

  test('with an empty count the interval is not a point, and holds the value', () => {
    const { positive, negative } = predictiveValues(share(20, 20), share(30, 30), 0.1);
    for (const { value, interval } of [positive, negative]) {
      expect(value).toBe(1);
      expect(interval![0]).toBeLessThan(1);
      expect(interval![1]).toBe(1);
    }
    const none = predictiveValues(share(0, 20), share(30, 30), 0.1);
    expect(none.positive).toEqual({ value: null, interval: null });
    expect(none.flagged).toBe(0);
    expect(predictiveValues(share(0, 0), share(30, 30), 0.1)).toMatchObject({
      positive: { value: null },
      negative: { value: null },
      flagged: null,
    });
  });

  test('the interval holds the truth in about 95 of 100 samples', () => {
    const random = mulberry32(7);
    const drawn = (chance: number, n: number) =>
      share(
        Array.from({ length: n }, () => Number(random() < chance)).reduce((a, b) => a + b, 0),
        n,
      );
    const [se, sp, p] = [0.85, 0.75, 0.08];
    const truth = [(se * p) / (se * p + (1 - sp) * (1 - p)), (sp * (1 - p)) / (sp * (1 - p) + (1 - se) * p)];
    const held = [0, 0];
    const samples = 2_000;
    for (let i = 0; i < samples; i++) {
      const { positive, negative } = predictiveValues(drawn(se, 80), drawn(sp, 120), p);
      [positive, negative].forEach(({ interval }, k) => {
        if (interval![0] <= truth[k]! && truth[k]! <= interval![1]) held[k]!++;
      });
    }
    for (const hits of held) {
      expect(hits / samples).toBeGreaterThan(0.935);
      expect(hits / samples).toBeLessThan(0.97);
    }
  });
});

/** So many patients of each class with two films each, by a score for each. */
function films(score: (positive: boolean, patient: number, film: number) => number, patients = 30): Scored[] {
  return [true, false].flatMap((positive) =>
    Array.from({ length: patients }, (_, patient) => patient).flatMap((patient) =>
      [0, 1].map((film) => ({ positive, score: score(positive, patient, film), patient: `${positive} ${patient}` })),
    ),
  );
}

describe('two sets of scores on the same films', () => {
  const OPTIONS = { rounds: 500, seed: 1 };
  const random = mulberry32(3);
  const noise = films(() => random()).map(({ score }) => score);
  const first = films((positive) => (positive ? 0.3 : 0)).map((film, i) => ({
    ...film,
    score: film.score + 0.7 * noise[i]!,
  }));

  test('the same scores differ by nothing, and no interval claims more', () => {
    expect(pairedEstimate([first, first], [weightedAuc, weightedAuc], OPTIONS).difference).toEqual({
      value: 0,
      interval: null,
    });
  });

  test('better scores have a positive difference, with a narrower interval than that of unrelated scores', () => {
    const second = first.map((film) => ({ ...film, score: film.score + (film.positive ? 0.1 : 0) }));
    const found = pairedEstimate([first, second], [weightedAuc, weightedAuc], OPTIONS);
    expect(found.difference.value).toBeCloseTo(found.second! - found.first!, 12);
    expect(found.difference.interval![0]).toBeGreaterThan(0);
    const back = pairedEstimate([second, first], [weightedAuc, weightedAuc], OPTIONS);
    expect(back.difference.value).toBeCloseTo(-found.difference.value!, 12);
    expect(back.difference.interval![1]).toBeCloseTo(-found.difference.interval![0], 2);
    const width = ([low, high]: readonly [number, number]) => high - low;
    const alone = pairedEstimate([first, films((_p, _n, film) => film)], [weightedAuc, weightedAuc], OPTIONS);
    expect(width(found.difference.interval!)).toBeLessThan(width(alone.difference.interval!));
  });

  test('the order of the films does not matter to the scores of the second', () => {
    const second = first.map((film, i) => ({ ...film, score: noise[noise.length - 1 - i]! }));
    const { second: area } = pairedEstimate([first, second], [weightedAuc, weightedAuc], OPTIONS);
    const pairs = second
      .filter(({ positive }) => positive)
      .flatMap((a) =>
        second.filter(({ positive }) => !positive).map((b) => (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0)),
      );
    expect(area).toBeCloseTo(pairs.reduce<number>((sum, one) => sum + one, 0) / pairs.length, 12);
  });

  test('two thresholds of one set: sensitivity, specificity and share of all', () => {
    const scored = films((positive, patient) => (positive ? patient : patient - 10) / 30);
    const at = (figure: (threshold: number) => typeof weightedAuc) =>
      pairedEstimate([scored, scored], [figure(0.5), figure(0.2)], OPTIONS);
    expect(at(weightedSensitivity)).toMatchObject({ first: 0.5, second: 24 / 30 });
    expect(at(weightedSpecificity)).toMatchObject({ first: 25 / 30, second: 16 / 30 });
    expect(at(weightedFlagged).difference.value).toBeCloseTo(38 / 60 - 20 / 60, 12);
    for (const figure of [weightedSensitivity, weightedSpecificity, weightedFlagged])
      expect(at(figure).difference.interval).not.toBeNull();
  });

  test('few patients give no interval', () => {
    const few = films((positive) => Number(positive) / 2, 9);
    expect(
      pairedEstimate([few, few.map((film) => ({ ...film, score: 0.2 }))], [weightedAuc, weightedAuc], OPTIONS),
    ).toEqual({
      first: 1,
      second: 0.5,
      difference: { value: -0.5, interval: null },
    });
  });
});

test('films by probability, class by class; 1 is in the last bin', () => {
  const bins = histogram(
    [
      { positive: true, score: 1 },
      { positive: true, score: 0.95 },
      { positive: false, score: 0.0499 },
      { positive: false, score: 0.05 },
    ],
    20,
  );
  expect(bins).toHaveLength(20);
  expect(bins[19]).toEqual({ from: 0.95, to: 1, positive: 2, negative: 0 });
  expect([bins[0]!.negative, bins[1]!.negative]).toEqual([1, 1]);
});
