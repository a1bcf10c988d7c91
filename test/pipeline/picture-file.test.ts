import { createCanvas } from '@napi-rs/canvas';
import { PNG } from 'pngjs';
import { kindOf, openPicture } from '../../src/pipeline/picture-file';
import { decodePixels } from '../../src/dicom/pixels';
import { minMax } from '../../src/imaging/plane';
import { analysePixels } from '../../src/pipeline/pipeline';
import { fakePipeline } from '../support/pipeline/fake-pipeline';

const [ROWS, COLUMNS] = [48, 32];
const grey = (row: number, column: number) => 20 + 3 * row + 2 * column;

/** A PNG of one, two or three samples per pixel. */
function png(
  colorType: 0 | 2 | 6,
  bitDepth: 8 | 16,
  sample: (row: number, column: number, channel: number) => number,
): Uint8Array {
  const picture = new PNG({ width: COLUMNS, height: ROWS });
  const channels = { 0: 1, 2: 3, 6: 4 }[colorType];
  const samples = Array.from({ length: ROWS * COLUMNS * channels }, (_, i) =>
    sample(Math.floor(i / channels / COLUMNS), Math.floor(i / channels) % COLUMNS, i % channels),
  );
  const data = bitDepth === 16 ? Uint16Array.from(samples) : Uint8Array.from(samples);
  picture.data = Buffer.from(data.buffer);
  return PNG.sync.write(picture, { colorType, inputColorType: colorType, bitDepth });
}

const decoded = async (bytes: Uint8Array) => decodePixels(openPicture(bytes, kindOf(bytes) as 'png').opened);
/** N of a plane of known values, as training makes it. */
const expected = (value: (row: number, column: number) => number) =>
  minMax({
    rows: ROWS,
    columns: COLUMNS,
    values: Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => value(Math.floor(i / COLUMNS), i % COLUMNS)),
  }).values;
const greatest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

test('a grey PNG comes in as it is', async () => {
  const film = await decoded(png(0, 8, grey));
  expect([film.rows, film.columns]).toEqual([ROWS, COLUMNS]);
  expect(greatest(minMax(film).values, expected(grey))).toBeLessThan(1e-6);
});

test('a PNG of 16 bits keeps them: 12 bits in the lower part are no blank picture', async () => {
  const deep = (row: number, column: number) => 4 * row + column;
  expect(greatest(minMax(await decoded(png(0, 16, deep))).values, expected(deep))).toBeLessThan(1e-6);
});

test('colours become their luminance, ITU-R BT.601; transparency is left out of account', async () => {
  const colour = (row: number, column: number, channel: number) =>
    [4 * row, 200 - 3 * column, 7 * column, 255 - row][channel]!;
  const luminance = (row: number, column: number) =>
    Math.round(0.299 * colour(row, column, 0) + 0.587 * colour(row, column, 1) + 0.114 * colour(row, column, 2));
  for (const colorType of [2, 6] as const)
    expect(
      greatest(
        (await decoded(png(colorType, 8, colour))).values,
        Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => luminance(Math.floor(i / COLUMNS), i % COLUMNS) / 255),
      ),
    ).toBeLessThan(1e-6);
});

test('a colour JPEG of a grey film has its values, but for the compression', async () => {
  const canvas = createCanvas(COLUMNS, ROWS);
  const image = canvas.getContext('2d').createImageData(COLUMNS, ROWS);
  for (let i = 0; i < ROWS * COLUMNS; i++)
    image.data.fill(grey(Math.floor(i / COLUMNS), i % COLUMNS), 4 * i, 4 * i + 3).fill(255, 4 * i + 3, 4 * i + 4);
  canvas.getContext('2d').putImageData(image, 0, 0);
  const bytes = canvas.toBuffer('image/jpeg', 98);
  expect(kindOf(bytes)).toBe('jpeg');
  expect(
    greatest(
      (await decoded(bytes)).values,
      Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => grey(Math.floor(i / COLUMNS), i % COLUMNS) / 255),
    ),
  ).toBeLessThan(6 / 255);
});

test('what a file is, its first bytes say', () => {
  expect(kindOf(png(0, 8, grey))).toBe('png');
  expect(kindOf(Buffer.from('no picture'))).toBe('dicom');
  expect(kindOf(Buffer.alloc(0))).toBe('dicom');
});

test('damaged and impossible pictures are undecodable', () => {
  const whole = png(0, 8, grey);
  expect(() => openPicture(whole.subarray(0, whole.length - 30), 'png')).toThrow(
    expect.objectContaining({ fault: 'undecodable' }),
  );
  expect(() => openPicture(whole.subarray(0, 20), 'png')).toThrow(expect.objectContaining({ fault: 'undecodable' }));
  const bomb = Buffer.from(whole);
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  expect(() => openPicture(bomb, 'png')).toThrow('more than are taken');
  expect(() => openPicture(Buffer.from('ffd8ffe000', 'hex'), 'jpeg')).toThrow(
    expect.objectContaining({ fault: 'undecodable' }),
  );
});

test('a picture goes the shipped way from its pixels on', async () => {
  const { pipeline, seen } = fakePipeline({ probability: 0.7 });
  const outcome = await analysePixels(openPicture(png(0, 8, grey), 'png'), pipeline);
  expect(outcome).toMatchObject({ outcome: 'analysed', explained: { inferred: { view: { view: 'frontal' } } } });
  expect(seen).toHaveLength(1);
  expect(
    await analysePixels(
      openPicture(
        png(0, 8, () => 7),
        'png',
      ),
      pipeline,
    ),
  ).toMatchObject({ outcome: 'not-analysed', refusal: { reason: 'blank-image' } });
  expect(
    await analysePixels(openPicture(png(0, 8, grey), 'png'), fakePipeline({ lateral: 0.9 }).pipeline),
  ).toMatchObject({
    outcome: 'not-analysed',
    view: 'lateral',
  });
});
