import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attributes } from '../../src/dicom/attributes';
import { compressionHistory, lossyHistory } from '../../src/dicom/lossy';
import { type Opened, readPart10 } from '../../src/dicom/read';
import { open } from '../../src/pipeline/decode';
import { unboundedReader } from '../../src/pipeline/film-reader';
import { dicomFile, encapsulated, film, filmElements } from '../support/films/dicom-fixture';

const [ROWS, COLUMNS] = [40, 52];
const CELLS = Array.from({ length: ROWS * COLUMNS }, (_, i) =>
  Math.round(127 + 100 * Math.sin(i / 7) * Math.cos(i / 300)),
);
const PLAIN = film(CELLS, { rows: ROWS, columns: COLUMNS, bitsAllocated: 8, bitsStored: 8 });
const SYNTAX = {
  baseline: '1.2.840.10008.1.2.4.50',
  extended: '1.2.840.10008.1.2.4.51',
  jpegLs: '1.2.840.10008.1.2.4.81',
  jpeg2000: '1.2.840.10008.1.2.4.91',
  htj2k: '1.2.840.10008.1.2.4.203',
};

/** Compressed by dcmtk, less the lossy history that it writes, as other software leaves that out. */
function dcmtk(tool: string, ...options: string[]): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-lossy-'));
  try {
    writeFileSync(join(folder, 'in.dcm'), PLAIN);
    const { error, status, stderr } = spawnSync(tool, [...options, join(folder, 'in.dcm'), join(folder, 'out.dcm')], {
      encoding: 'utf8',
    });
    if (error || status !== 0) throw new Error(`${tool} (apt-get install -y dcmtk): ${error?.message ?? stderr}`);
    const opened = readPart10(readFileSync(join(folder, 'out.dcm')));
    const attributes = Object.fromEntries(
      Object.entries(opened.attributes).filter(([keyword]) => !keyword.startsWith('LossyImageCompression')),
    );
    return { ...opened, attributes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function jpeg2000(lossless: boolean): Promise<Uint8Array> {
  const { default: factory } = (await import('@cornerstonejs/codec-openjpeg/wasmjs')) as unknown as {
    default: (options: object) => Promise<{ J2KEncoder: new () => Encoder }>;
  };
  const encoder = new (await factory({ print: () => {}, printErr: () => {} })).J2KEncoder();
  encoder
    .getDecodedBuffer({ width: COLUMNS, height: ROWS, bitsPerSample: 8, componentCount: 1, isSigned: false })
    .set(CELLS);
  encoder.setQuality(lossless, 0);
  encoder.encode();
  return Buffer.from(encoder.getEncodedBuffer());
}

interface Encoder {
  getDecodedBuffer(info: object): Uint8Array;
  setQuality(lossless: boolean, rate: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}

const packed = (codestream: Uint8Array, syntax: string) =>
  dicomFile(
    filmElements({ rows: ROWS, columns: COLUMNS, bitsAllocated: 8, bitsStored: 8 }),
    syntax,
    encapsulated([codestream]),
  );
const jpeg2000Film = async (lossless: boolean, syntax = SYNTAX.jpeg2000) => packed(await jpeg2000(lossless), syntax);

test.each([
  ['JPEG baseline', 'dcmcjpeg', '+eb', SYNTAX.baseline, 'ISO_10918_1'],
  ['JPEG extended', 'dcmcjpeg', '+ee', SYNTAX.extended, 'ISO_10918_1'],
  ['JPEG-LS near-lossless', 'dcmcjpls', '+en', SYNTAX.jpegLs, 'ISO_14495_1'],
])('%s without a word in the header: lossy, with method and ratio', (_, tool, option, syntax, method) => {
  const opened = dcmtk(tool, option);
  expect(opened.transferSyntaxUid).toBe(syntax);
  const history = compressionHistory(opened);
  expect(history).toMatchObject({ LossyImageCompression: '01', LossyImageCompressionMethod: method });
  const bytes = opened.pixelData!.fragments.reduce((sum, { length }) => sum + length, 0);
  expect(Number(history.LossyImageCompressionRatio)).toBeCloseTo((ROWS * COLUMNS) / bytes, 1);
});

test.each([
  ['JPEG 2000', SYNTAX.jpeg2000, 'ISO_15444_1'],
  ['HTJ2K', SYNTAX.htj2k, 'ISO_15444_15'],
])('%s by the irreversible transformation: lossy', async (_, syntax, method) => {
  expect(compressionHistory(readPart10(await jpeg2000Film(false, syntax)))).toMatchObject({
    LossyImageCompression: '01',
    LossyImageCompressionMethod: method,
  });
});

test('a lossless picture in a syntax that allows both is lossless', async () => {
  expect(compressionHistory(readPart10(await jpeg2000Film(true)))).toEqual({});
  expect(compressionHistory({ ...dcmtk('dcmcjpls', '+el'), transferSyntaxUid: SYNTAX.jpegLs })).toEqual({});
});

test('a lossless syntax and no compression at all say nothing', () => {
  expect(compressionHistory(readPart10(PLAIN))).toEqual({});
  for (const option of ['+el', '+e1']) expect(compressionHistory(dcmtk('dcmcjpeg', option))).toEqual({});
});

test('what the header says itself is left as it is; what it denies wrongly is put right', () => {
  const opened = dcmtk('dcmcjpeg', '+eb');
  const saying = (attributes: Attributes) =>
    compressionHistory({ ...opened, attributes: { ...opened.attributes, ...attributes } });
  expect(saying({ LossyImageCompression: '01', LossyImageCompressionRatio: 50 })).toEqual({});
  expect(saying({ LossyImageCompression: '00' })).toMatchObject({ LossyImageCompression: '01' });
  expect(saying({ Rows: null })).toEqual({ LossyImageCompression: '01', LossyImageCompressionMethod: 'ISO_10918_1' });
});

test('a film that the pipeline opens carries its lossy history to all that is derived from it', async () => {
  const { attributes } = await open(await jpeg2000Film(false), unboundedReader);
  expect(lossyHistory(attributes)).toMatchObject({
    LossyImageCompression: '01',
    LossyImageCompressionMethod: ['ISO_15444_1'],
  });
  const lossless = await open(await jpeg2000Film(true), unboundedReader);
  expect(lossyHistory(lossless.attributes)).toEqual({});
});
