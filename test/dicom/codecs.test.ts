import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePixels } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { dicomFile, encapsulated, film, filmElements, type FilmOptions } from '../support/films/dicom-fixture';

const haveDcmtk = spawnSync('dcmcjpeg', ['--version']).status === 0;
if (!haveDcmtk)
  console.warn('tests of compressed films by dcmtk are skipped: dcmcjpeg is not installed (apt-get install dcmtk)');
const withDcmtk = haveDcmtk ? describe : describe.skip;

const [ROWS, COLUMNS] = [40, 52];
const pixels = (make: (row: number, column: number) => number) =>
  Array.from({ length: ROWS * COLUMNS }, (_, index) => make(Math.floor(index / COLUMNS), index % COLUMNS));
/** Smooth, so that lossy codecs stay close, with a few sharp bits, and every byte of a sample in use. */
const picture = (top: number) =>
  pixels(
    (row, column) =>
      Math.round(top * (0.5 + 0.25 * Math.sin(row / 6) + 0.25 * Math.cos(column / 9)) * 0.98) +
      (row === 20 && column === 20 ? 1 : 0),
  );

const decode = async (file: Uint8Array) => decodePixels(readPart10(file));

/** Largest difference of two films, in grey levels of 255. */
async function difference(one: Uint8Array, other: Uint8Array): Promise<number> {
  const [a, b] = [await decode(one), await decode(other)];
  expect([a.rows, a.columns]).toEqual([b.rows, b.columns]);
  return a.values.reduce((most, value, index) => Math.max(most, Math.abs(value - b.values[index]!) * 255), 0);
}

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'hilum-codecs-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function dcmtk(tool: string, options: readonly string[], file: Uint8Array): Uint8Array {
  const [input, output] = [join(folder, 'in.dcm'), join(folder, 'out.dcm')];
  writeFileSync(input, file);
  const { status, stderr } = spawnSync(tool, [...options, input, output], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool}: ${stderr}`);
  return readFileSync(output);
}

withDcmtk('films compressed by dcmtk come out as they went in', () => {
  const window = (bits: number): FilmOptions['more'] => [
    [0x00281050, 'DS', String(2 ** (bits - 1))],
    [0x00281051, 'DS', String(2 ** bits)],
  ];
  const source = (bitsStored: number, signed = false, photometric = 'MONOCHROME2') => {
    const bitsAllocated = bitsStored > 8 ? 16 : 8;
    const cells = picture(2 ** bitsStored - 1).map((value) =>
      signed ? (value - 2 ** (bitsStored - 1)) & (2 ** bitsAllocated - 1) : value,
    );
    return film(cells, {
      rows: ROWS,
      columns: COLUMNS,
      bitsAllocated,
      bitsStored,
      signed,
      photometric,
      more: signed ? [] : window(bitsStored)!,
    });
  };
  const LOSSLESS = [
    ['dcmcrle', []],
    ['dcmcjpeg', ['+e1']],
    ['dcmcjpeg', ['+el', '+sv', '6']],
    ['dcmcjpeg', ['+el', '+sv', '4']],
    ['dcmcjpls', ['+el']],
  ] as const;

  test.each(
    LOSSLESS.flatMap(([tool, options]) => [8, 10, 12, 16].map((bits) => [tool, options.join(' '), bits] as const)),
  )('%s %s, %i bits: the same', async (tool, options, bits) => {
    const plain = source(bits);
    const packed = dcmtk(tool, options.split(' ').filter(Boolean), plain);
    expect(readPart10(packed).pixelData).toMatchObject({ encapsulated: true });
    expect(await difference(plain, packed)).toBe(0);
  });

  test.each([
    ['dcmcrle', ''],
    ['dcmcjpeg', '+e1'],
    ['dcmcjpls', '+el'],
  ])('%s %s, signed and MONOCHROME1', async (tool, options) => {
    const plain = source(16, true, 'MONOCHROME1');
    expect(await difference(plain, dcmtk(tool, options.split(' ').filter(Boolean), plain))).toBe(0);
  });

  test.each([
    ['dcmcjpeg', '+eb +q 95', 8, 3],
    ['dcmcjpeg', '+ee +q 95', 8, 3],
    ['dcmcjpls', '+en', 8, 3],
    ['dcmcjpls', '+en', 12, 0.2],
  ])('%s %s, %i bits: within %f grey levels', async (tool, options, bits, limit) => {
    const plain = source(bits);
    const most = await difference(plain, dcmtk(tool, options.split(' '), plain));
    expect(most).toBeLessThanOrEqual(limit);
    expect(most).toBeGreaterThan(0);
  });

  test('one frame in many fragments', async () => {
    const plain = source(12);
    const packed = dcmtk(
      'dcmcjpls',
      ['+el', '+fs', '1'],
      film(picture(4095).concat(Array.from({ length: 8 * ROWS * COLUMNS }, (_, index) => (index * 7919) % 4096)), {
        rows: 9 * ROWS,
        columns: COLUMNS,
        more: window(12)!,
      }),
    );
    expect(readPart10(packed).pixelData!.fragments.length).toBeGreaterThan(1);
    expect((await decode(packed)).rows).toBe(9 * ROWS);
    expect(await difference(plain, plain)).toBe(0);
  });

  test.each([
    ['+ee', 12],
    ['+es', 12],
    ['+ep', 12],
    ['+ee', 10],
  ])('dcmcjpeg %s, %i bits: lossy with 12 bits per sample, within a quarter of a grey level', async (process, bits) => {
    const plain = source(bits);
    const packed = dcmtk('dcmcjpeg', [process, '+q', '95'], plain);
    const most = await difference(plain, packed);
    expect(most).toBeLessThanOrEqual(bits === 12 ? 0.25 : 1);
    expect(most).toBeGreaterThan(0);
  });

  test('12-bit lossy JPEG that overshoots 10 bits stored stays white', async () => {
    const cells = pixels((row, column) => (row % 8 < 4 && column % 8 < 4 ? 1023 : 900));
    const packed = dcmtk(
      'dcmcjpeg',
      ['+ee', '+q', '60'],
      film(cells, { rows: ROWS, columns: COLUMNS, bitsStored: 10, more: window(10)! }),
    );
    const { values } = await decode(packed);
    expect(values.reduce((least, value) => Math.min(least, value), 1)).toBeGreaterThan(0.8);
  });

  test('12-bit lossy JPEG, damaged: a film or a PixelError, and the next film is read', async () => {
    const plain = source(12);
    const packed = dcmtk('dcmcjpeg', ['+ee', '+q', '95'], plain);
    const { transferSyntaxUid, pixelData } = readPart10(packed);
    const whole = Buffer.concat(pixelData!.fragments);
    for (let offset = 2; offset < whole.length; offset += 17) {
      const broken = Buffer.from(whole);
      broken[offset] = broken[offset]! ^ 0x55;
      await decode(
        dicomFile(filmElements({ rows: ROWS, columns: COLUMNS }), transferSyntaxUid, encapsulated([broken])),
      ).catch((error: unknown) => expect(error).toMatchObject({ code: 'PIXELS_UNDECODABLE' }));
    }
    expect(await difference(plain, packed)).toBeLessThan(1);
  });

  test('lossless JPEG with a point transform is refused, not read too dark', async () => {
    await expect(decode(dcmtk('dcmcjpeg', ['+el', '+pt', '2'], source(12)))).rejects.toMatchObject({
      fault: 'undecodable',
    });
  });

  test.each([
    ['dcmcrle', ''],
    ['dcmcjpeg', '+eb'],
    ['dcmcjpeg', '+e1'],
    ['dcmcjpls', '+el'],
  ])('%s %s, cut in half: refused, and the next film is read', async (tool, options) => {
    const plain = source(8);
    const packed = dcmtk(tool, options.split(' ').filter(Boolean), plain);
    const { transferSyntaxUid, pixelData } = readPart10(packed);
    const whole = Buffer.concat(pixelData!.fragments);
    const half = dicomFile(
      filmElements({ rows: ROWS, columns: COLUMNS, bitsAllocated: 8, bitsStored: 8 }),
      transferSyntaxUid,
      encapsulated([whole.subarray(0, whole.length >> 1)]),
    );
    await expect(decode(half)).rejects.toMatchObject({ code: 'PIXELS_UNDECODABLE', fault: 'undecodable' });
    expect(await difference(plain, packed)).toBeLessThan(4);
  });

  test('a codestream of another size than the header says is refused before it is decoded', async () => {
    const packed = readPart10(dcmtk('dcmcjpls', ['+el'], source(12)));
    const lying = dicomFile(
      filmElements({ rows: ROWS + 1, columns: COLUMNS }),
      packed.transferSyntaxUid,
      encapsulated(packed.pixelData!.fragments),
    );
    await expect(decode(lying)).rejects.toMatchObject({
      message: `the compressed picture has ${COLUMNS} x ${ROWS} pixels, the header says ${COLUMNS} x ${ROWS + 1}`,
    });
  });

  test('the codestream says which codec it is, not the transfer syntax', async () => {
    const packed = readPart10(dcmtk('dcmcjpeg', ['+eb', '+q', '95'], source(8)));
    const mislabelled = dicomFile(
      filmElements({ rows: ROWS, columns: COLUMNS, bitsAllocated: 8, bitsStored: 8 }),
      '1.2.840.10008.1.2.4.70',
      encapsulated(packed.pixelData!.fragments),
    );
    expect((await decode(mislabelled)).rows).toBe(ROWS);
  });
});

describe('JPEG 2000', () => {
  const JPEG_2000 = '1.2.840.10008.1.2.4.90';
  interface Encoder {
    getDecodedBuffer(frame: object): Uint8Array;
    getEncodedBuffer(): Uint8Array;
    setQuality(lossy: boolean, quality: number): void;
    encode(): void;
  }

  async function encode(cells: readonly number[], bitsPerSample: number, isSigned = false): Promise<Buffer> {
    const { default: factory } = (await import('@cornerstonejs/codec-openjpeg/wasmjs')) as {
      default: (options: object) => Promise<{ J2KEncoder: new () => Encoder }>;
    };
    const quiet = { print: () => undefined, printErr: () => undefined };
    const encoder = new (await factory(quiet)).J2KEncoder();
    const bytes = bitsPerSample > 8 ? new Uint8Array(Uint16Array.from(cells).buffer) : Uint8Array.from(cells);
    encoder.getDecodedBuffer({ width: COLUMNS, height: ROWS, bitsPerSample, componentCount: 1, isSigned }).set(bytes);
    encoder.setQuality(true, 0);
    encoder.encode();
    return Buffer.from(encoder.getEncodedBuffer());
  }

  const packed = (codestream: Uint8Array, options: FilmOptions) =>
    dicomFile(
      filmElements({ rows: ROWS, columns: COLUMNS, ...options }),
      JPEG_2000,
      encapsulated([codestream.subarray(0, 100), codestream.subarray(100)]),
    );

  test.each([
    [8, 8],
    [12, 16],
    [16, 16],
  ])('%i bits: the same', async (bitsStored, bitsAllocated) => {
    const cells = picture(2 ** bitsStored - 1);
    const options = { rows: ROWS, columns: COLUMNS, bitsStored, bitsAllocated };
    expect(await difference(film(cells, options), packed(await encode(cells, bitsStored), options))).toBe(0);
  });

  test.each([
    [true, true],
    [false, true],
    [true, false],
  ])('codestream signed %s, header signed %s', async (inStream, inHeader) => {
    const cells = picture(4095).map((value) => (inHeader ? value - 2048 : value));
    const stored = cells.map((value) => (inStream ? ((value & 0xfff) ^ 0x800) - 0x800 : value & 0xfff) & 0xffff);
    const options = { rows: ROWS, columns: COLUMNS, bitsStored: 12, signed: inHeader };
    expect(
      await difference(
        film(
          cells.map((value) => value & 0xffff),
          options,
        ),
        packed(await encode(stored, 12, inStream), options),
      ),
    ).toBe(0);
  });

  test('fewer bits in the codestream than the header says, and a high bit that is not its own', async () => {
    const cells = picture(1023);
    const plain = film(cells, { rows: ROWS, columns: COLUMNS, bitsStored: 10 });
    expect(await difference(plain, packed(await encode(cells, 10), { bitsStored: 12, highBit: 15 }))).toBe(0);
  });

  test('a comment instead of the end marker is mended', async () => {
    const cells = picture(4095);
    const codestream = await encode(cells, 12);
    expect(codestream.subarray(-2).toString('hex')).toBe('ffd9');
    const comment = Buffer.from('6f16ff64000b000150414444494e47', 'hex');
    const options = { bitsStored: 12 };
    expect(
      await difference(
        packed(codestream, options),
        packed(Buffer.concat([codestream.subarray(0, -2), comment]), options),
      ),
    ).toBe(0);
    expect(await difference(packed(codestream, options), packed(codestream.subarray(0, -2), options))).toBe(0);
  });

  test.each([0.3, 0.6, 0.95])('cut at %f of its length: refused', async (part) => {
    const codestream = await encode(picture(4095), 12);
    await expect(
      decode(packed(codestream.subarray(0, Math.round(part * codestream.length)), { bitsStored: 12 })),
    ).rejects.toMatchObject({ fault: 'undecodable' });
  });

  test('damage inside: a film or a PixelError, never another error, and never a word on the console', async () => {
    const spies = [
      jest.spyOn(process.stdout, 'write'),
      jest.spyOn(process.stderr, 'write'),
      jest.spyOn(console, 'log'),
      jest.spyOn(console, 'error'),
      jest.spyOn(console, 'warn'),
    ];
    const codestream = await encode(picture(4095), 12);
    for (let offset = 2; offset < codestream.length; offset += 13) {
      const broken = Buffer.from(codestream);
      broken[offset] = broken[offset]! ^ 0x55;
      await decode(packed(broken, { bitsStored: 12 })).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'PIXELS_UNDECODABLE' }),
      );
    }
    expect(spies.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0, 0, 0]);
    spies.forEach((spy) => spy.mockRestore());
  });

  test('a constant picture from a decoder is blank, not a film', async () => {
    await expect(
      decode(
        packed(
          await encode(
            pixels(() => 0),
            12,
          ),
          { bitsStored: 12 },
        ),
      ),
    ).rejects.toMatchObject({ fault: 'blank-image' });
  });
});

describe('High-Throughput JPEG 2000', () => {
  interface Encoder {
    getDecodedBuffer(frame: object): Uint8Array;
    getEncodedBuffer(): Uint8Array;
    setQuality(lossless: boolean, step: number): void;
    encode(): void;
  }

  async function encode(
    cells: readonly number[],
    bitsPerSample: number,
    { lossless = true, isSigned = false } = {},
  ): Promise<Buffer> {
    const { default: factory } = (await import('@cornerstonejs/codec-openjph')) as {
      default: (options: object) => Promise<{ HTJ2KEncoder: new () => Encoder }>;
    };
    const encoder = new (await factory({})).HTJ2KEncoder();
    const bytes = bitsPerSample > 8 ? new Uint8Array(Uint16Array.from(cells).buffer) : Uint8Array.from(cells);
    encoder
      .getDecodedBuffer({
        width: COLUMNS,
        height: ROWS,
        bitsPerSample,
        componentCount: 1,
        isSigned,
        isUsingColorTransform: false,
      })
      .set(bytes);
    encoder.setQuality(lossless, 0.001);
    encoder.encode();
    return Buffer.from(encoder.getEncodedBuffer());
  }
  const packed = (codestream: Uint8Array, options: FilmOptions, syntax = '1.2.840.10008.1.2.4.201') =>
    dicomFile(
      filmElements({ rows: ROWS, columns: COLUMNS, ...options }),
      syntax,
      encapsulated([codestream.subarray(0, 100), codestream.subarray(100)]),
    );

  test.each([
    ['201', 8],
    ['201', 10],
    ['202', 12],
    ['203', 16],
  ])('1.2.840.10008.1.2.4.%s, %i bits, lossless: the same', async (suffix, bitsStored) => {
    const cells = picture(2 ** bitsStored - 1);
    const options = { rows: ROWS, columns: COLUMNS, bitsStored, bitsAllocated: bitsStored > 8 ? 16 : 8 };
    expect(
      await difference(
        film(cells, options),
        packed(await encode(cells, bitsStored), options, `1.2.840.10008.1.2.4.${suffix}`),
      ),
    ).toBe(0);
  });

  test('signed', async () => {
    const cells = picture(4095).map((value) => (value - 2048) & 0xffff);
    const options = { rows: ROWS, columns: COLUMNS, bitsStored: 12, signed: true };
    expect(await difference(film(cells, options), packed(await encode(cells, 12, { isSigned: true }), options))).toBe(
      0,
    );
  });

  test('lossy: within one grey level', async () => {
    const cells = picture(4095);
    const options = { rows: ROWS, columns: COLUMNS, bitsStored: 12 };
    const most = await difference(
      film(cells, options),
      packed(await encode(cells, 12, { lossless: false }), options, '1.2.840.10008.1.2.4.203'),
    );
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(1);
  });

  test('a codestream of another size than the header says is refused before it is decoded', async () => {
    await expect(decode(packed(await encode(picture(4095), 12), { rows: 2 * ROWS }))).rejects.toMatchObject({
      message: expect.stringContaining('the header says'),
    });
  });

  test.each([0.3, 0.6, 0.95])('cut at %f of its length: refused', async (part) => {
    const codestream = await encode(picture(4095), 12);
    await expect(
      decode(packed(codestream.subarray(0, Math.round(part * codestream.length)), { bitsStored: 12 })),
    ).rejects.toMatchObject({ fault: 'undecodable' });
  });

  test('damage inside: a film or a PixelError, and the next film is read', async () => {
    const [cells, options] = [picture(4095), { rows: ROWS, columns: COLUMNS, bitsStored: 12 }];
    const codestream = await encode(cells, 12);
    for (let offset = 2; offset < codestream.length; offset += 13) {
      const broken = Buffer.from(codestream);
      broken[offset] = broken[offset]! ^ 0x55;
      await decode(packed(broken, options)).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'PIXELS_UNDECODABLE' }),
      );
    }
    expect(await difference(film(cells, options), packed(codestream, options))).toBe(0);
  });
});
