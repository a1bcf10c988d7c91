import type { Plane } from '../../src/imaging/plane';
import { boxAround, layOver, regionOf } from '../../src/imaging/region';

const plane = (rows: number, columns: number, at: (row: number, column: number) => number): Plane => ({
  rows,
  columns,
  values: Float32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns)),
});

test.each([
  ['film', [1, 2]],
  ['lungs', [9, 2]],
  ['removed', [1, 9]],
] as const)('what a network of the region "%s" sees', (region, seen) => {
  const film = plane(1, 2, (_r, c) => c + 1);
  const { plane: shown, frame } = regionOf(
    film,
    plane(1, 2, (_r, c) => c),
    region,
    9,
  );
  expect([...shown.values]).toEqual([...seen]);
  expect(frame).toEqual({ top: 0, left: 0, rows: 1, columns: 2 });
});

const LUNGS = plane(100, 100, (r, c) => (r >= 25 && r < 75 && c >= 30 && c < 80 ? 1 : 0));

test('the box around the lungs grows by 8 % at each side, within the film', () => {
  expect(boxAround(LUNGS)).toEqual({ top: 21, left: 26, rows: 58, columns: 58 });
  expect(boxAround(plane(10, 10, () => 1))).toEqual({ top: 0, left: 0, rows: 10, columns: 10 });
  expect(boxAround(plane(10, 10, () => 0))).toBeNull();
});

test('the box is enlarged to the size of the film', () => {
  const ramp = plane(100, 100, (_r, c) => c);
  const { plane: seen, frame } = regionOf(ramp, LUNGS, 'box', 0);
  expect([seen.rows, seen.columns]).toEqual([100, 100]);
  // Pixel i of 100 has its centre at (i + 0.5) 0.58 of the box, which begins at column 26.
  for (const at of [10, 50, 90]) expect(seen.values[5000 + at]).toBeCloseTo(frame.left + (at + 0.5) * 0.58 - 0.5, 3);
  expect(
    regionOf(
      ramp,
      plane(100, 100, () => 0),
      'box',
      0,
    ).plane.values,
  ).toEqual(ramp.values);
});

test('maps of regions become one of the film, whose mean is the sum of their means', () => {
  const whole = { top: 0, left: 0, rows: 100, columns: 100 };
  const box = { top: 21, left: 26, rows: 58, columns: 58 };
  const maps = [
    { map: plane(14, 14, () => 2), frame: whole },
    { map: plane(14, 14, () => 3), frame: box },
  ];
  const laid = layOver(maps, whole);
  expect(laid.values[0]).toBeCloseTo(2, 5);
  expect(laid.values[50 * 100 + 50]).toBeCloseTo(2 + 3 / 0.58 ** 2, 4);
  expect(laid.values.reduce((sum, value) => sum + value, 0) / 10_000).toBeCloseTo(5, 4);
});
