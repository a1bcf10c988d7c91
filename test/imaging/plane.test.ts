import { minMax, resample, standardise } from '../../src/imaging/plane';

const plane = (rows: number, columns: number, value: (row: number, column: number) => number) => ({
  rows,
  columns,
  values: Float32Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
});

test('N runs from 0 to 1, a constant plane is all zero', () => {
  expect([...minMax(plane(1, 3, (_r, c) => 10 + 5 * c)).values]).toEqual([0, 0.5, 1]);
  expect([...minMax(plane(1, 2, () => 7)).values]).toEqual([0, 0]);
});

test('Z has the given mean and standard deviation taken out', () => {
  expect([
    ...standardise(
      plane(1, 2, (_r, c) => c),
      0.5,
      0.25,
    ),
  ]).toEqual([-2, 2]);
});

test('the same size changes nothing', () => {
  const film = plane(5, 7, (r, c) => r * 7 + c);
  expect([...resample(film, 5, 7).values]).toEqual([...film.values]);
});

test('halving averages with a triangle: weights 1, 3, 3, 1 of 8 inside', () => {
  const step = plane(1, 8, (_r, c) => (c === 3 ? 8 : 0));
  expect([...resample(step, 1, 4).values]).toEqual([0, 3, 1, 0]);
});

test('a ramp stays a ramp, and the mean is kept away from the edges', () => {
  const ramp = resample(
    plane(300, 260, (_r, c) => c),
    30,
    26,
  );
  const row = [...ramp.values.slice(26 * 15 + 2, 26 * 15 + 24)];
  row.forEach((value, i) => expect(value).toBeCloseTo((i + 2) * 10 + 4.5, 4));
});
