import { resolve } from 'node:path';
import { digestPixels, displayFilm } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { DecoderThread } from '../../src/pipeline/decoder-thread';
import { reduce } from '../../src/pipeline/reduce';
import { dicomFile, encapsulated, film, filmElements, type FilmOptions } from '../support/films/dicom-fixture';

const WORKER = resolve(__dirname, '../support/threads/decoder-worker.cjs');
const JPEG_2000 = '1.2.840.10008.1.2.4.90';
/** Odd, so that half of it is rounded. */
const LARGE = { rows: 1101, columns: 1025 };
const SMALL = { rows: 1101, columns: 1023 };
type Size = typeof LARGE;

const options = (size: Size) => ({ ...size, bitsAllocated: 16, bitsStored: 12 }) as const;
const cellsOf = ({ rows, columns }: Size) =>
  Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    return Math.round(2000 * (1 + 0.5 * Math.sin(row / 60) + 0.4 * Math.cos(column / 90)));
  });

interface Encoder {
  getDecodedBuffer(info: object): Uint8Array;
  getEncodedBuffer(): Uint8Array;
  setQuality(lossless: boolean, rate: number): void;
  setDecompositions(levels: number): void;
  encode(): void;
}

async function codestreamOf(size: Size, levels = 5): Promise<Uint8Array> {
  const { default: factory } = (await import('@cornerstonejs/codec-openjpeg/wasmjs')) as unknown as {
    default: (options: object) => Promise<{ J2KEncoder: new () => Encoder }>;
  };
  const encoder = new (await factory({ print: () => {}, printErr: () => {} })).J2KEncoder();
  const info = { width: size.columns, height: size.rows, bitsPerSample: 12, componentCount: 1, isSigned: false };
  encoder.getDecodedBuffer(info).set(new Uint8Array(Uint16Array.from(cellsOf(size)).buffer));
  encoder.setQuality(true, 0);
  encoder.setDecompositions(levels);
  encoder.encode();
  return Buffer.from(encoder.getEncodedBuffer());
}

const packed = (codestream: Uint8Array, size: Size, more: FilmOptions['more'] = []) =>
  dicomFile(filmElements({ ...options(size), more }), JPEG_2000, encapsulated([codestream]));
const jpeg2000 = async (size: Size, levels?: number) => packed(await codestreamOf(size, levels), size);

const display = async (file: Uint8Array, resolution?: 'whole' | 'half') =>
  displayFilm(readPart10(file), undefined, resolution);

test('JPEG 2000 at half resolution: the film keeps its size, its pictures are nearly those of the whole', async () => {
  const file = await jpeg2000(LARGE);
  const [whole, half] = [await display(file), await display(file, 'half')];
  expect([half.shown.rows, half.shown.columns]).toEqual([551, 513]);
  expect(half.facts).toMatchObject({
    ...LARGE,
    remarks: [{ kind: 'half-resolution', pixels: 551 * 513 }],
  });
  expect(whole.facts.remarks).toBeUndefined();
  const planes = [whole, half].map((one) => reduce(one, {}, { rows: 224, columns: 224 }));
  const difference = (plane: 'normalised' | 'grey') =>
    planes[0]![plane].values.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - planes[1]![plane].values[i]!)),
      0,
    );
  expect([planes[1]!.grey.rows, planes[1]!.grey.columns]).toEqual([planes[0]!.grey.rows, planes[0]!.grey.columns]);
  expect(difference('normalised')).toBeGreaterThan(0);
  expect(difference('normalised')).toBeLessThan(0.02);
  expect(difference('grey')).toBeLessThan(0.02);
});

test('what was decoded at half resolution is known again by what was seen, and is not the whole', async () => {
  const opened = readPart10(await jpeg2000(LARGE));
  const half = await digestPixels(opened, undefined, 'half');
  expect(half).toBe((await displayFilm(opened, undefined, 'half')).facts.digest);
  expect(half).not.toBe(await digestPixels(opened));
});

test.each([
  ['a film that would be too small', () => jpeg2000(SMALL)],
  ['a codestream with one level', () => jpeg2000(LARGE, 0)],
  ['a film with padding', async () => packed(await codestreamOf(LARGE), LARGE, [[0x00280120, 'US', [0]]])],
  ['a film of another transfer syntax', () => Promise.resolve(film(cellsOf(LARGE), options(LARGE)))],
])('%s is decoded whole', async (_, make) => {
  const file = await make();
  const [whole, asked] = [await display(file), await display(file, 'half')];
  expect(asked.facts).toEqual(whole.facts);
  expect(asked.facts.remarks).toBeUndefined();
  expect(Buffer.from(asked.shown.stored.buffer).equals(Buffer.from(whole.shown.stored.buffer))).toBe(true);
});

test('a decoder thread decodes as it is told', async () => {
  const file = await jpeg2000(LARGE);
  const remarks = async (resolution: 'whole' | 'half') => {
    const thread = new DecoderThread({ timeoutMs: 30_000, workerFile: WORKER, resolution });
    const opened = await thread.read(file);
    const seen = await thread.decode(opened, { rows: 224, columns: 224 });
    const digest = await thread.digest(opened);
    await thread.close();
    expect(digest).toBe(seen.digest);
    return seen.remarks?.map(({ kind }) => kind);
  };
  expect(await remarks('half')).toEqual(['half-resolution']);
  expect(await remarks('whole')).toBeUndefined();
});

test('a film that is cut off is refused as ever', async () => {
  const codestream = await codestreamOf(LARGE);
  const file = packed(codestream.subarray(0, codestream.length / 2), LARGE);
  const told = (resolution: 'whole' | 'half') =>
    display(file, resolution).then(
      () => 'decoded',
      (error: unknown) => String(error),
    );
  expect(await told('half')).toBe(await told('whole'));
  expect(await told('half')).toMatch(/cut off/);
});
