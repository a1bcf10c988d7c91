import { PNG } from 'pngjs';
import { decodePixels, type GrayFilm } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { openPicture } from '../../src/pipeline/picture-file';
import { drawSyntheticFilm } from '../../src/imaging/synthetic-drawing';
import { film, type FilmOptions, type FixtureElement } from '../support/films/dicom-fixture';

/** A film without a window is scaled by its own values; single wrong detector elements and padding must not count. */
const [ROWS, COLUMNS] = [200, 160];
const DRAWN = Array.from(
  drawSyntheticFilm({ seed: 3, view: 'PA', rows: ROWS, columns: COLUMNS }).pixels,
  (value) => 800 + (value >> 1),
);
const at = (row: number, column: number) => row * COLUMNS + column;
const isBorder = (index: number, width: number) => {
  const [row, column] = [Math.floor(index / COLUMNS), index % COLUMNS];
  return Math.min(row, column, ROWS - 1 - row, COLUMNS - 1 - column) < width;
};
const painted = (value: number, where: (index: number) => boolean) =>
  DRAWN.map((one, index) => (where(index) ? value : one));
const decode = (cells: readonly number[], options: FilmOptions = {}): Promise<GrayFilm> =>
  decodePixels(readPart10(film(cells, { rows: ROWS, columns: COLUMNS, bitsStored: 16, ...options })));

/** Greatest difference of two films beside the pixels that were painted over. */
function difference(some: GrayFilm, others: GrayFilm, where: (index: number) => boolean): number {
  return others.values.reduce(
    (greatest, value, index) => (where(index) ? greatest : Math.max(greatest, Math.abs(value - some.values[index]!))),
    0,
  );
}

describe.each(['MONOCHROME1', 'MONOCHROME2'])('%s without a window: the scale is that of the film', (photometric) => {
  test.each<[string, number, (index: number) => boolean]>([
    ['a hot pixel', 65535, (index) => index === at(90, 70)],
    ['a hot pixel at the edge of 12 bits', 4095, (index) => index === at(0, 0)],
    ['a dead pixel', 0, (index) => index === at(120, 30)],
    ['a dead line', 0, (index) => Math.floor(index / COLUMNS) === 60],
    ['a burned-in marker', 65535, (index) => index % COLUMNS < 20 && Math.floor(index / COLUMNS) < 15 && index % 2 > 0],
  ])('%s', async (_, value, where) => {
    const [spoilt, whole] = [
      await decode(painted(value, where), { photometric }),
      await decode(DRAWN, { photometric }),
    ];
    expect(difference(spoilt, whole, where)).toBeLessThan(1e-6);
    expect(whole.remarks).toBeUndefined();
    expect(spoilt.remarks).toEqual([{ kind: 'outlying-values', pixels: DRAWN.filter((_one, i) => where(i)).length }]);
  });

  test('both ends at once, with many values', async () => {
    const where = (index: number) => index % 331 === 0;
    const spoilt = DRAWN.map((one, index) => (where(index) ? (index % 2 ? 9000 + index : index % 7) : one));
    const whole = await decode(DRAWN, { photometric });
    expect(difference(await decode(spoilt, { photometric }), whole, where)).toBeLessThan(0.05);
  });

  test.each<[string, number, FilmOptions]>([
    ['0', 0, {}],
    ['all bits', 65535, {}],
    ['-32000 of a signed film', -32000, { signed: true }],
  ])('a border of %s that nobody declares is padding', async (_, value, options) => {
    const where = (index: number) => isBorder(index, 12);
    const cells = painted(value, where);
    const padding: FixtureElement[] = [[0x00280120, value < 0 ? 'SS' : 'US', [value]]];
    const found = await decode(cells, { photometric, ...options });
    const declared = await decode(cells, { photometric, ...options, more: padding });
    expect(found.values).toEqual(declared.values);
    expect(found.remarks).toEqual([{ kind: 'undeclared-padding', pixels: cells.filter((_one, i) => where(i)).length }]);
  });

  test('padding on one side, and a hot pixel beyond it', async () => {
    const where = (index: number) => index % COLUMNS < 25 || index === at(50, 80);
    const cells = painted(6000, (index) => where(index)).map((one, index) => (index === at(50, 80) ? 65535 : one));
    const more: FixtureElement[] = [[0x00280120, 'US', [6000]]];
    const declared = await decode(cells, { photometric, more });
    expect((await decode(cells, { photometric })).values).toEqual(declared.values);
  });

  test('a collimated film keeps its scale', async () => {
    const black = photometric === 'MONOCHROME1' ? Math.max(...DRAWN) : Math.min(...DRAWN);
    const image = await decode(
      painted(black, (index) => isBorder(index, 12)),
      { photometric },
    );
    expect(image.remarks).toBeUndefined();
  });
});

test('single wrong elements and lines become what is around them', async () => {
  const where = (index: number) => index === at(90, 70) || Math.floor(index / COLUMNS) === 120 || index === 0;
  const [spoilt, whole] = [await decode(painted(65535, where)), await decode(DRAWN)];
  expect(difference(spoilt, whole, () => false)).toBeLessThan(0.15);
  const block = (index: number) => index % COLUMNS < 5 && Math.floor(index / COLUMNS) < 5;
  expect((await decode(painted(65535, block))).values[at(2, 2)]).toBe(1);
});

test('a whole border in white is padding without a gap too', async () => {
  const white = Math.max(...DRAWN);
  const image = await decode(painted(white, (index) => isBorder(index, 6)));
  expect([image.values[0], image.remarks?.[0]?.kind]).toEqual([0, 'undeclared-padding']);
});

test('where a window is given nothing is left out', async () => {
  const more: FixtureElement[] = [
    [0x00281050, 'DS', '2000'],
    [0x00281051, 'DS', '2500'],
  ];
  const hot = (index: number) => index === at(90, 70);
  const [spoilt, whole] = [await decode(painted(65535, hot), { more }), await decode(DRAWN, { more })];
  expect(difference(spoilt, whole, hot)).toBe(0);
  expect(spoilt.remarks).toBeUndefined();
});

test('a PNG of 16 bits and a colour film as well', async () => {
  const hot = (index: number) => index === at(90, 70);
  const png = (cells: readonly number[]) => {
    const picture = new PNG({ width: COLUMNS, height: ROWS, bitDepth: 16, colorType: 0, inputColorType: 0 });
    picture.data = Buffer.from(Uint16Array.from(cells).buffer);
    const bytes = PNG.sync.write(picture, { bitDepth: 16, colorType: 0, inputColorType: 0, inputHasAlpha: false });
    return decodePixels(openPicture(bytes, 'png').opened);
  };
  expect(difference(await png(painted(65535, hot)), await png(DRAWN), hot)).toBeLessThan(1e-6);
  const rgb = (cells: readonly number[]) =>
    decode(
      cells.flatMap((one) => [one, one, one]),
      { samplesPerPixel: 3, photometric: 'RGB', bitsAllocated: 8, bitsStored: 8 },
    );
  const dark = DRAWN.map((one) => one >> 5);
  const spoilt = dark.map((one, index) => (hot(index) ? 255 : one));
  expect(difference(await rgb(spoilt), await rgb(dark), hot)).toBe(0);
  expect((await rgb(spoilt)).values[at(90, 70)]).toBeLessThanOrEqual(Math.max(...dark) / 255);
});

test('where nearly all pixels have one value there is no picture', async () => {
  const cells = DRAWN.map((_one, index) => (index % 200 === 0 ? 3000 : 1000));
  await expect(decode(cells)).rejects.toMatchObject({ fault: 'blank-image' });
});
