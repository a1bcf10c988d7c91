import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { TabledPicture } from '../../src/dicom/pixels';
import { type Plane, resample } from '../../src/imaging/plane';
import { resampleTabled } from '../../src/imaging/row-kernel';

const ROOT = resolve(__dirname, '../..');
const noise = (length: number, limit: number) => Array.from({ length }, (_, index) => (index * 2_654_435_761) % limit);
const table = Float32Array.from({ length: 0x10000 }, (_, value) => Math.sin(value / 700));

/** The same picture, a value for each pixel. */
function plane({ rows, columns, stored, table: values, exceptions }: TabledPicture): Plane {
  const shown = Float32Array.from(stored, (value) => values[value & 0xffff]!);
  for (let row = 0; row < rows; row++)
    if (exceptions?.has(row) === true)
      exceptions.forEach(row, (column, value) => (shown[row * columns + column] = value));
  return { rows, columns, values: shown };
}

const same = (one: Plane, other: Plane) =>
  Buffer.compare(Buffer.from(one.values.buffer), Buffer.from(other.values.buffer)) === 0;

test.each([
  [300, 200, 224, 224],
  [301, 199, 100, 37],
  [7, 5, 224, 224],
  [1, 1, 3, 2],
  [2, 3, 1, 1],
  [1_000, 3, 9, 100],
  [64, 64, 64, 64],
  [3, 70_000, 2, 11],
])('%i x %i to %i x %i: what resample has, to the last bit', (rows, columns, down, across) => {
  const stored = Uint16Array.from(noise(rows * columns, 0x10000));
  const picture = { rows, columns, stored, table };
  const [result] = resampleTabled([{ picture, to: { rows: down, columns: across } }]);
  expect(same(result!, resample(plane(picture), down, across))).toBe(true);
});

test.each<[string, TabledPicture['stored']]>([
  ['8 bits', Uint8Array.from(noise(90 * 70, 256))],
  ['signed', Int16Array.from(noise(90 * 70, 0x10000), (value) => value - 0x8000)],
])('stored values of %s', (_, stored) => {
  const picture = { rows: 90, columns: 70, stored, table };
  const [result] = resampleTabled([{ picture, to: { rows: 31, columns: 33 } }]);
  expect(same(result!, resample(plane(picture), 31, 33))).toBe(true);
});

test('several pictures in one pass, with pixels that show something else', () => {
  const stored = Uint16Array.from(noise(53 * 41, 4_096));
  const other = table.map((value) => 1 - value);
  const exceptions = {
    has: (row: number) => row % 5 === 2 || row === 52,
    forEach: (row: number, tell: (column: number, value: number) => void) => {
      for (const column of [0, row % 41, 40]) tell(column, row / 10);
    },
  };
  const pictures = [
    { picture: { rows: 53, columns: 41, stored, table, exceptions }, to: { rows: 20, columns: 60 } },
    { picture: { rows: 53, columns: 41, stored, table: other }, to: { rows: 11, columns: 7 } },
  ];
  const results = resampleTabled(pictures);
  pictures.forEach(({ picture, to }, index) =>
    expect(same(results[index]!, resample(plane(picture), to.rows, to.columns))).toBe(true),
  );
  // Nothing is left of them for the next.
  const again = resampleTabled(pictures.slice(1));
  expect(same(again[0]!, results[1]!)).toBe(true);
});

test('what is compiled is what the source says; where it is not, run: npm run kernel', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build/kernel.mjs', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});
