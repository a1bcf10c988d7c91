import { binOf, chanceOfIndex, levelOf, populationStabilityIndex } from '../../src/statistics/psi';

test('the index of numpy: p = (s + .5) / (sum(s) + 2.5), q likewise of r, sum((p - q) * log(p / q))', () => {
  expect(populationStabilityIndex([100, 200, 300, 200, 100], [10, 20, 30, 50, 90])).toBeCloseTo(0.7546231241345203, 12);
});

test('0 for the same counts; none where one side has no film or other bins', () => {
  expect(populationStabilityIndex([5, 0, 7], [5, 0, 7])).toBe(0);
  for (const [reference, seen] of [
    [
      [0, 0],
      [1, 2],
    ],
    [
      [1, 2],
      [0, 0],
    ],
    [
      [1, 2],
      [1, 2, 3],
    ],
  ] as const)
    expect(populationStabilityIndex(reference, seen)).toBeNull();
});

test('what chance makes of it: scipy.stats.chi2.ppf(0.95, B - 1) * (1/n + 1/m) within one per cent', () => {
  expect(chanceOfIndex(5, 200, 900) / 0.05798056633588483).toBeCloseTo(1, 2);
  expect(chanceOfIndex(10, 50, 1188) / 0.35262111573266186).toBeCloseTo(1, 2);
});

test('edges belong to the bin above', () => {
  expect([-1, 0.09, 0.1, 0.19, 0.2, 9].map((value) => binOf(value, [0.1, 0.2]))).toEqual([0, 0, 1, 1, 2, 2]);
});

test.each([
  [0.05, 0.01, 'stable'],
  [0.2, 0.01, 'shifted'],
  [0.3, 0.01, 'changed'],
  [0.3, 0.35, 'too few films'],
  [null, Infinity, 'too few films'],
] as const)('an index of %s where chance makes %s: %s', (index, chance, level) => {
  expect(levelOf(index, chance)).toBe(level);
});
