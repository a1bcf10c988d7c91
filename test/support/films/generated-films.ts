import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  dicomFile,
  encapsulated,
  film,
  filmElements,
  type FilmOptions,
  type FixtureElement,
  SYNTAX,
} from './dicom-fixture';

/** A film made for the tests, in one of the ways that films come. */
export interface GeneratedFilm {
  readonly name: string;
  readonly bytes: Uint8Array;
}

type Codecs = typeof import('dcmjs-codecs');
type Frame = InstanceType<Codecs['Context']>;
interface Packing {
  readonly name: string;
  readonly suffix: string;
  readonly bits: readonly number[];
  readonly encode: (codecs: Codecs, frame: Frame) => Frame;
}

const PACKINGS: readonly Packing[] = [
  {
    name: 'RLE',
    suffix: '5',
    bits: [8, 10, 12, 16],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeRle(frame),
  },
  {
    name: 'JPEG baseline',
    suffix: '4.50',
    bits: [8],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeJpeg(frame, { lossy: true, quality: 95 }),
  },
  {
    name: 'JPEG lossless, process 14',
    suffix: '4.57',
    bits: [8, 12, 16],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeJpeg(frame, { lossy: false, predictor: 4 }),
  },
  {
    name: 'JPEG lossless, selection value 1',
    suffix: '4.70',
    bits: [8, 10, 12, 14, 15, 16],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeJpeg(frame, { lossy: false, predictor: 1 }),
  },
  {
    name: 'JPEG-LS',
    suffix: '4.80',
    bits: [8, 10, 12, 14, 16],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeJpegLs(frame, { lossy: false }),
  },
  {
    name: 'JPEG-LS near lossless',
    suffix: '4.81',
    bits: [8, 12],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeJpegLs(frame, { lossy: true, allowedLossyError: 2 }),
  },
  {
    name: 'JPEG 2000 lossless',
    suffix: '4.90',
    bits: [8, 10, 12, 14, 15, 16],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeJpeg2000(frame, { lossy: false }),
  },
  {
    name: 'JPEG 2000',
    suffix: '4.91',
    bits: [8, 12],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeJpeg2000(frame, { lossy: true, rate: 5 }),
  },
  {
    name: 'HTJ2K lossless',
    suffix: '4.201',
    bits: [8, 10, 12, 14, 15, 16],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeHtJpeg2000(frame, { lossy: false }),
  },
  {
    name: 'HTJ2K RPCL lossless',
    suffix: '4.202',
    bits: [12],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeHtJpeg2000(frame, { lossy: false, progressionOrder: 2 }),
  },
  {
    name: 'HTJ2K',
    suffix: '4.203',
    bits: [8, 12],
    encode: ({ NativeCodecs }, frame) => NativeCodecs.encodeHtJpeg2000(frame, { lossy: true }),
  },
];

const [ROWS, COLUMNS] = [48, 60];
/** Smooth, as films are, with a sharp edge, and every bit of a sample in use. */
const picture = (bits: number) =>
  Array.from({ length: ROWS * COLUMNS }, (_, index) => {
    const [row, column] = [Math.floor(index / COLUMNS), index % COLUMNS];
    return Math.round(
      (2 ** bits - 1) * (0.47 + 0.25 * Math.sin(row / 7) + 0.2 * Math.cos(column / 9) + (column > 50 ? 0.05 : 0)),
    );
  });

const window = (bits: number): FixtureElement[] => [
  [0x00281050, 'DS', String(2 ** (bits - 1))],
  [0x00281051, 'DS', String(2 ** bits)],
];
const chest: FixtureElement[] = [[0x00180015, 'CS', 'CHEST']];
const shape = (bits: number, more: FixtureElement[] = [], options: FilmOptions = {}): FilmOptions => ({
  rows: ROWS,
  columns: COLUMNS,
  bitsAllocated: bits > 8 ? 16 : 8,
  bitsStored: bits,
  ...options,
  more: [...chest, ...more],
});

/** Every transfer syntax with the bit depths it allows, and every way from stored values to grey. */
export async function generatedFilms(): Promise<GeneratedFilm[]> {
  const { default: codecs } = (await import('dcmjs-codecs')) as unknown as { default: Codecs };
  if (!codecs.NativeCodecs.isInitialized()) await codecs.NativeCodecs.initializeAsync();
  return [
    ...nativeFilms(),
    ...displayFilms(),
    ...extendedJpeg(),
    ...PACKINGS.flatMap((packing) => packing.bits.map((bits) => packed(codecs, packing, bits))),
  ];
}

function nativeFilms(): GeneratedFilm[] {
  const plain = (bits: number, syntax: keyof typeof SYNTAX) => ({
    name: `${syntax}, ${bits} bits`,
    bytes: film(picture(bits), shape(bits, window(bits)), SYNTAX[syntax]),
  });
  const syntaxes = Object.keys(SYNTAX) as (keyof typeof SYNTAX)[];
  return [
    ...syntaxes.flatMap((syntax) => [8, 12, 16].map((bits) => plain(bits, syntax))),
    ...[10, 14, 15].map((bits) => plain(bits, 'explicit')),
  ];
}

function displayFilms(): GeneratedFilm[] {
  const make = (name: string, more: FixtureElement[], options: FilmOptions = {}, cells = picture(12)) => ({
    name,
    bytes: film(cells, shape(12, more, options)),
  });
  const lut = (tag: number, entries: number, value: (index: number) => number): FixtureElement => [
    tag,
    'SQ',
    [
      [
        [0x00283002, 'US', [entries, 0, 16]],
        [0x00283006, 'US', Array.from({ length: entries }, (_, index) => value(index))],
      ],
    ],
  ];
  const signed = picture(12).map((value) => (value - 2048) & 0xffff);
  return [
    make('no window', []),
    ...ownScaleFilms(make),
    make('MONOCHROME1', window(12), { photometric: 'MONOCHROME1' }),
    make(
      'signed',
      [
        [0x00281050, 'DS', '0'],
        [0x00281051, 'DS', '4096'],
      ],
      { signed: true },
      signed,
    ),
    make('rescaled', [
      [0x00281052, 'DS', '-1024'],
      [0x00281053, 'DS', '0.5'],
      [0x00281050, 'DS', '-100\\0'],
      [0x00281051, 'DS', '900\\10'],
    ]),
    make('narrow window', [
      [0x00281050, 'DS', '2000'],
      [0x00281051, 'DS', '700'],
    ]),
    make('sigmoid', [...window(12), [0x00281056, 'CS', 'SIGMOID']]),
    make('linear exact', [...window(12), [0x00281056, 'CS', 'LINEAR_EXACT']]),
    make('VOI LUT', [lut(0x00283010, 4096, (index) => Math.round(65535 * (index / 4095) ** 2))]),
    make('Modality LUT', [lut(0x00283000, 4096, (index) => Math.round(4095 * Math.sqrt(index / 4095)))]),
    {
      name: 'RGB',
      bytes: film(
        picture(8).flatMap((value) => [value, value, value]),
        shape(8, [[0x00280006, 'US', [0]]], { samplesPerPixel: 3, photometric: 'RGB' }),
      ),
    },
    { name: 'palette', bytes: paletteFilm() },
  ];
}

/** Films whose pixels say something else than the header. */
function ownScaleFilms(
  make: (name: string, more: FixtureElement[], options?: FilmOptions, cells?: number[]) => GeneratedFilm,
): GeneratedFilm[] {
  const dark = picture(12).map((value) => 500 + (value >> 2));
  const painted = (value: number, where: (row: number, column: number) => boolean) =>
    dark.map((one, index) => (where(Math.floor(index / COLUMNS), index % COLUMNS) ? value : one));
  const border = (row: number, column: number) => row < 5 || column >= COLUMNS - 4;
  const lut: FixtureElement = [
    0x00283010,
    'SQ',
    [
      [
        [0x00283002, 'US', [4096, 0, 16]],
        [0x00283006, 'US', Array.from({ length: 4096 }, (_, index) => index)],
      ],
    ],
  ];
  return [
    make(
      'no window, a hot pixel',
      [],
      {},
      painted(4095, (row, column) => row === 20 && column === 30),
    ),
    make('no window, a border that nobody declares', [], {}, painted(0, border)),
    make('no window, a white border, MONOCHROME1', [], { photometric: 'MONOCHROME1' }, painted(0, border)),
    make('no window, values beyond Bits Stored', [], { bitsStored: 10 }),
    make('VOI LUT that says 16 bits over entries of 12', [lut]),
  ];
}

function paletteFilm(): Uint8Array {
  const ramp = Uint8Array.from({ length: 512 }, (_, index) => index >> 1);
  const tables = [1, 2, 3].flatMap((colour): FixtureElement[] => [
    [0x00281100 + colour, 'US', [256, 0, 16]],
    [0x00281200 + colour, 'OW', ramp],
  ]);
  return film(picture(8), shape(8, tables, { photometric: 'PALETTE COLOR' }));
}

/** By dcmtk: no package at hand writes lossy JPEG of 12 bits. None where dcmtk is missing. */
function extendedJpeg(): GeneratedFilm[] {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-generated-'));
  try {
    return [10, 12].flatMap((bits) => {
      writeFileSync(join(folder, 'in.dcm'), film(picture(bits), shape(bits, window(bits))));
      const { status } = spawnSync('dcmcjpeg', [
        '+ee',
        '+q',
        '95',
        '+un',
        join(folder, 'in.dcm'),
        join(folder, 'out.dcm'),
      ]);
      return status === 0
        ? [{ name: `JPEG extended, ${bits} bits`, bytes: new Uint8Array(readFileSync(join(folder, 'out.dcm'))) }]
        : [];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function packed(codecs: Codecs, { name, suffix, encode }: Packing, bits: number): GeneratedFilm {
  const cells = picture(bits);
  const bitsAllocated = bits > 8 ? 16 : 8;
  const decodedBuffer = bits > 8 ? new Uint8Array(Uint16Array.from(cells).buffer) : Uint8Array.from(cells);
  const frame = new codecs.Context({
    width: COLUMNS,
    height: ROWS,
    bitsAllocated,
    bitsStored: bits,
    samplesPerPixel: 1,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    decodedBuffer,
  });
  const stream = Buffer.from(encode(codecs, frame).getEncodedBuffer()!);
  return {
    name: `${name}, ${bits} bits`,
    bytes: dicomFile(filmElements(shape(bits, window(bits))), `1.2.840.10008.1.2.${suffix}`, encapsulated([stream])),
  };
}
