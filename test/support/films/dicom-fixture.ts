import { deflateRawSync } from 'node:zlib';

/** DICOM files made byte by byte, so that the reader under test is not tested against itself. */
export type FixtureElement = readonly [
  tag: number,
  vr: string,
  value: string | Uint8Array | readonly number[] | readonly FixtureElement[][],
];

export const SYNTAX = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  bigEndian: '1.2.840.10008.1.2.2',
} as const;

const LONG = new Set(['OB', 'OW', 'SQ', 'UN', 'UT']);
const WIDTH: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, FD: 8 };

interface Style {
  readonly explicit: boolean;
  readonly little: boolean;
}

function valueBytes(vr: string, value: FixtureElement[2], style: Style): Buffer {
  if (typeof value === 'string')
    return Buffer.from(value.length % 2 ? `${value}${vr === 'UI' ? '\0' : ' '}` : value, 'latin1');
  if (value instanceof Uint8Array) return Buffer.concat([value, Buffer.alloc(value.length % 2)]);
  if (vr === 'SQ')
    return Buffer.concat((value as readonly FixtureElement[][]).map((item) => item1(encode(item, style), style)));
  const width = WIDTH[vr]!;
  const buffer = Buffer.alloc(value.length * width);
  (value as readonly number[]).forEach((number, index) => writeNumber(buffer, vr, number, index * width, style.little));
  return buffer;
}

function writeNumber(buffer: Buffer, vr: string, value: number, offset: number, little: boolean): void {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  if (vr === 'FD') view.setFloat64(offset, value, little);
  else if (vr === 'UL') view.setUint32(offset, value, little);
  else view.setUint16(offset, value & 0xffff, little);
}

export function item1(content: Uint8Array, { little }: { readonly little: boolean } = { little: true }): Buffer {
  return Buffer.concat([tagBytes(0xfffee000, little), uint(4, content.length, little), content]);
}

function tagBytes(tag: number, little: boolean): Buffer {
  return Buffer.concat([uint(2, tag >>> 16, little), uint(2, tag & 0xffff, little)]);
}

function uint(width: 2 | 4, value: number, little: boolean): Buffer {
  const buffer = Buffer.alloc(width);
  if (little) buffer.writeUIntLE(value, 0, width);
  else buffer.writeUIntBE(value, 0, width);
  return buffer;
}

export function element(
  tag: number,
  vr: string,
  content: Uint8Array,
  style: Style = { explicit: true, little: true },
  length = content.length,
): Buffer {
  if (!style.explicit) return Buffer.concat([tagBytes(tag, style.little), uint(4, length, style.little), content]);
  const head = LONG.has(vr)
    ? Buffer.concat([Buffer.from(`${vr}\0\0`, 'latin1'), uint(4, length, style.little)])
    : Buffer.concat([Buffer.from(vr, 'latin1'), uint(2, length, style.little)]);
  return Buffer.concat([tagBytes(tag, style.little), head, content]);
}

export function encode(elements: readonly FixtureElement[], style: Style = { explicit: true, little: true }): Buffer {
  return Buffer.concat(
    [...elements]
      .sort((a, b) => a[0] - b[0])
      .map(([tag, vr, value]) => element(tag, vr, valueBytes(vr, value, style), style)),
  );
}

export function fileMeta(transferSyntax: string): Buffer {
  const meta = encode([
    [0x00020002, 'UI', '1.2.840.10008.5.1.4.1.1.1'],
    [0x00020003, 'UI', '1.2.3.4'],
    [0x00020010, 'UI', transferSyntax],
  ]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), encode([[0x00020000, 'UL', [meta.length]]]), meta]);
}

/** A PS3.10 file of these elements. `tail` goes behind them as it is. */
export function dicomFile(
  elements: readonly FixtureElement[],
  transferSyntax: string = SYNTAX.explicit,
  tail: Uint8Array = Buffer.alloc(0),
): Uint8Array {
  const style = { explicit: transferSyntax !== SYNTAX.implicit, little: transferSyntax !== SYNTAX.bigEndian };
  const body = Buffer.concat([encode(elements, style), tail]);
  return Buffer.concat([fileMeta(transferSyntax), transferSyntax === SYNTAX.deflated ? deflateRawSync(body) : body]);
}

/** Encapsulated Pixel Data of these fragments (PS3.5 section A.4), with this Basic Offset Table. */
export function encapsulated(fragments: readonly Uint8Array[], offsets: Uint8Array = Buffer.alloc(0)): Buffer {
  const items = Buffer.concat([
    item1(offsets),
    ...fragments.map((fragment) => item1(Buffer.concat([fragment, Buffer.alloc(fragment.length % 2)]))),
    tagBytes(0xfffee0dd, true),
    uint(4, 0, true),
  ]);
  return element(0x7fe00010, 'OB', items, undefined, 0xffffffff);
}

export interface FilmOptions {
  readonly rows?: number;
  readonly columns?: number;
  readonly samplesPerPixel?: number;
  readonly bitsAllocated?: number;
  readonly bitsStored?: number;
  readonly highBit?: number;
  readonly signed?: boolean;
  readonly photometric?: string;
  /** More elements; they replace those of the same tag. */
  readonly more?: readonly FixtureElement[];
}

/** The elements of a small film, without its pixel data. */
export function filmElements(options: FilmOptions = {}): FixtureElement[] {
  const {
    rows = 4,
    columns = 4,
    samplesPerPixel = 1,
    bitsAllocated = 16,
    bitsStored = 12,
    highBit = bitsStored - 1,
    signed = false,
    photometric = 'MONOCHROME2',
    more = [],
  } = options;
  const elements: FixtureElement[] = [
    [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.1'],
    [0x00080018, 'UI', '1.2.3.4'],
    [0x00080060, 'CS', 'CR'],
    [0x00100010, 'PN', 'Nobody'],
    [0x00100020, 'LO', 'X'],
    [0x0020000d, 'UI', '1.2.3'],
    [0x0020000e, 'UI', '1.2.3.1'],
    [0x00280002, 'US', [samplesPerPixel]],
    [0x00280004, 'CS', photometric],
    [0x00280010, 'US', [rows]],
    [0x00280011, 'US', [columns]],
    [0x00280100, 'US', [bitsAllocated]],
    [0x00280101, 'US', [bitsStored]],
    [0x00280102, 'US', [highBit]],
    [0x00280103, 'US', [signed ? 1 : 0]],
  ];
  const replaced = new Set(more.map(([tag]) => tag));
  return [...elements.filter(([tag]) => !replaced.has(tag)), ...more];
}

/** A film with native pixel data: numbers are cells as they lie in the file. */
export function film(
  cells: readonly number[],
  options: FilmOptions = {},
  transferSyntax: string = SYNTAX.explicit,
): Uint8Array {
  const wide = (options.bitsAllocated ?? 16) === 16;
  const pixels: FixtureElement = [
    0x7fe00010,
    wide ? 'OW' : 'OB',
    wide ? cellBytes(cells, transferSyntax !== SYNTAX.bigEndian) : Uint8Array.from(cells),
  ];
  return dicomFile([...filmElements(options), pixels], transferSyntax);
}

function cellBytes(cells: readonly number[], little: boolean): Uint8Array {
  const buffer = Buffer.alloc(cells.length * 2);
  cells.forEach((cell, index) => writeNumber(buffer, 'US', cell, index * 2, little));
  return buffer;
}
