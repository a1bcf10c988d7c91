import { components, outline } from '../../src/imaging/outline';

function mask(picture: string) {
  const lines = picture
    .trim()
    .split('\n')
    .map((line) => line.trim());
  return {
    rows: lines.length,
    columns: lines[0]!.length,
    values: Float32Array.from(lines.join(''), (c) => (c === '#' ? 1 : 0)),
  };
}

/** Shoelace formula: positive when clockwise on a screen (rows grow downwards). */
function area(polygon: readonly (readonly [number, number])[]): number {
  return polygon.slice(1).reduce((sum, [x, y], i) => sum + (polygon[i]![0] * y - x * polygon[i]![1]) / 2, 0);
}

test('components are found largest first and touch only along edges', () => {
  const parts = components(
    mask(`
    ##...#
    ##....
    ..###.
    ..###.`),
  );
  expect(parts.map((part) => part.area)).toEqual([6, 4, 1]);
});

test('a rectangle is its four corners, closed, in source pixels', () => {
  const region = mask(`
    ......
    .####.
    .####.
    ......`);
  expect(outline(region, { column: 10, row: 100 })).toEqual([
    [10, 100],
    [50, 100],
    [50, 300],
    [10, 300],
    [10, 100],
  ]);
});

test('the outline encloses exactly the pixels when nothing is simplified', () => {
  const region = mask(`
    ..##....
    .####.#.
    ######.#
    ..#.###.
    ....##..`);
  const largest = components(region)[0]!;
  const ring = outline(largest.mask, { column: 1, row: 1 }, 0);
  expect(ring[0]).toEqual(ring[ring.length - 1]);
  expect(area(ring)).toBe(largest.area);
});

test('one pixel and a full plane both have an outline', () => {
  expect(area(outline(mask('#'), { column: 1, row: 1 }))).toBe(1);
  expect(area(outline(mask('###\n###'), { column: 2, row: 2 }))).toBe(24);
});

test('a ring has its outer outline', () => {
  expect(area(outline(mask('###\n#.#\n###'), { column: 1, row: 1 }))).toBe(9);
});

test('an empty region is an error', () => {
  expect(() => outline(mask('..\n..'), { column: 1, row: 1 })).toThrow(RangeError);
});
