import { type DecodedFrame, decodeFrame, type Resolution } from './codecs';
import type { ImageHeader } from './image-header';
import type { PixelElement } from './parse';
import { undecodable } from './pixel-error';
import { decodeRle } from './rle';
import { CODESTREAMS, EXPLICIT_VR_BIG_ENDIAN, NATIVE, RLE_LOSSLESS } from './transfer-syntax';

/** Number of different lower 16 bits of a value. */
const COUNTS = 0x10000;

export type StoredValues = Uint8Array | Uint16Array | Int16Array;

/** Stored samples, before any look-up table. */
export interface Samples {
  /** Size as decoded: the header's, or half of it. */
  readonly rows: number;
  readonly columns: number;
  readonly values: StoredValues;
  readonly planar: boolean;
  /** The codec converted the colours to RGB, whatever Photometric Interpretation says. */
  readonly becameRgb: boolean;
  /** Number of samples by the lower 16 bits of their value. */
  readonly counts: Uint32Array;
  /** Number of values that exceed Bits Stored or do not end at High Bit; they are read with all their bits. */
  readonly beyondStored: number;
}

/** Position of a value's bits in its cell (PS3.5 section 8.1.1). */
interface Layout {
  readonly shift: number;
  readonly bits: number;
  readonly signed: boolean;
  /** Bits of the cell outside of the value that belong to overlays. */
  readonly overlays: number;
}

/** @throws PixelError where the transfer syntax is not supported or the data do not match the header */
export async function readSamples(
  pixelData: PixelElement | null,
  transferSyntaxUid: string,
  header: ImageHeader,
  resolution: Resolution = 'whole',
): Promise<Samples> {
  const { rows, columns } = header;
  if (!pixelData || pixelData.fragments.every((fragment) => fragment.length === 0))
    throw undecodable('the object holds no pixel data');
  if (pixelData.truncated) throw undecodable('the pixel data are cut off');
  if (!pixelData.encapsulated && NATIVE.has(transferSyntaxUid))
    return { rows, columns, ...native(pixelData, transferSyntaxUid === EXPLICIT_VR_BIG_ENDIAN, header) };
  if (pixelData.encapsulated && transferSyntaxUid === RLE_LOSSLESS) return { rows, columns, ...rle(pixelData, header) };
  if (pixelData.encapsulated && CODESTREAMS.has(transferSyntaxUid)) return compressed(pixelData, header, resolution);
  const known =
    NATIVE.has(transferSyntaxUid) || transferSyntaxUid === RLE_LOSSLESS || CODESTREAMS.has(transferSyntaxUid);
  throw undecodable(
    known
      ? 'the pixel data are not in the form that the transfer syntax promises'
      : `the transfer syntax ${transferSyntaxUid} is not supported`,
  );
}

type InWhole = Omit<Samples, 'rows' | 'columns'>;

function native({ fragments, vr }: PixelElement, bigEndian: boolean, header: ImageHeader): InWhole {
  const { photometric, bitsAllocated, planar } = header;
  const bytes = fragments[0]!;
  const lengthWith = (samples: number) => (header.rows * header.columns * samples * bitsAllocated) / 8;
  // Some software keeps the name when it gives each pixel its own Cb and Cr.
  const isHalved = photometric === 'YBR_FULL_422' && bytes.length < lengthWith(header.samplesPerPixel);
  const length = lengthWith(isHalved ? 2 : header.samplesPerPixel);
  if (bytes.length < length) throw undecodable(`the pixel data have ${bytes.length} bytes where ${length} belong`);
  // In big endian, words of OW are swapped even where they hold two samples of 8 bits (PS3.5 section 8.1.2).
  const swap = bigEndian && (bitsAllocated === 16 || vr === 'OW');
  const ordered = swap ? Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16() : bytes;
  return { ...unpack(ordered.subarray(0, length), bitsAllocated, headerLayout(header)), planar, becameRgb: false };
}

function rle({ fragments }: PixelElement, header: ImageHeader): InWhole {
  const shape = {
    pixels: header.rows * header.columns,
    samplesPerPixel: header.samplesPerPixel,
    bytesPerSample: header.bitsAllocated / 8,
  };
  return {
    ...unpack(decodeRle(join(fragments), shape), header.bitsAllocated, headerLayout(header)),
    planar: true,
    becameRgb: false,
  };
}

function headerLayout({ highBit, bitsStored, signed, overlayBits }: ImageHeader): Layout {
  const shift = highBit + 1 - bitsStored;
  // Overlay bits within the stored bits are an error of the header: overlays lie outside of them (PS3.3 section C.9.2).
  return { shift, bits: bitsStored, signed, overlays: overlayBits & ~((2 ** bitsStored - 1) << shift) };
}

async function compressed({ fragments }: PixelElement, header: ImageHeader, resolution: Resolution): Promise<Samples> {
  const frame = await decodeFrame(join(fragments), header, resolution);
  const becameRgb = frame.kind === 'jpeg' || header.photometric === 'YBR_RCT' || header.photometric === 'YBR_ICT';
  return {
    rows: frame.rows,
    columns: frame.columns,
    ...unpack(frame.bytes, frame.precision > 8 ? 16 : 8, layoutOf(frame, header)),
    planar: frame.planar,
    becameRgb,
  };
}

/**
 * Bits of a value in a decoded cell. The codestream's precision and sign are more reliable than a header that other
 * software rewrote. Values start at bit 0, unless the encoder took whole cells (precision beyond the high bit): then
 * the header says which bits count. Signed data in an unsigned codestream are two's complement at the codestream's
 * precision; unsigned data in a signed codestream lost their top bit to the sign, which is undone.
 */
function layoutOf({ kind, precision, signed }: DecodedFrame, header: ImageHeader): Layout {
  // Lossy compression may exceed Bits Stored: the excess is brightness, no overlay, and must not wrap around to black.
  if (kind === 'jpeg' && !header.signed && header.highBit === header.bitsStored - 1)
    return wholeLayout(precision, false);
  if (!signed && precision > header.highBit) return headerLayout(header);
  const bits = signed && header.signed ? (precision > 8 ? 16 : 8) : precision;
  return wholeLayout(bits, header.signed);
}

/** Cells of a codestream hold nothing but the value; sign bits that a decoder fills in above it are ignored. */
function wholeLayout(bits: number, signed: boolean): Layout {
  return { shift: 0, bits, signed, overlays: 0x10000 - 2 ** bits };
}

/** All fragments of a single frame belong together; up to 63 are met in practice. */
function join(fragments: readonly Uint8Array[]): Uint8Array {
  return fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
}

/**
 * Extracts values from their cells (PS3.5 section 8.1.1). `bytes` are little endian, as are all but one of the machines
 * that Node 20 runs on.
 */
function unpack(bytes: Uint8Array, cell: 8 | 16, claimed: Layout): Pick<Samples, 'values' | 'counts' | 'beyondStored'> {
  const cells = cell === 8 ? bytes : words(bytes);
  const counts = countCells(cells);
  const used = bitsUsed(counts);
  const layout = layoutUsed(used, cell, claimed);
  const values = take(cells, used, cell, layout);
  return {
    values,
    counts: values === cells ? counts : countTaken(counts, layout),
    beyondStored: layout === claimed ? 0 : differing(values, take(cells, used, cell, claimed)),
  };
}

/** Number of cells by value. */
function countCells(cells: Uint8Array | Uint16Array): Uint32Array {
  // Two tables, one for every other cell: neighbours often have the same value, and two updates of one counter would
  // wait for each other.
  const [counts, others] = [new Uint32Array(COUNTS), new Uint32Array(COUNTS)];
  const even = countPairs(cells, counts, others);
  for (let index = even; index < cells.length; index += 1) counts[cells[index]!]! += 1;
  for (let value = 0; value < COUNTS; value += 1) counts[value]! += others[value]!;
  return counts;
}

/** Counts aligned 16-bit cells two at a time. @returns the number of cells counted */
function countPairs(cells: Uint8Array | Uint16Array, counts: Uint32Array, others: Uint32Array): number {
  if (cells.BYTES_PER_ELEMENT === 1 || cells.byteOffset % 4 !== 0) {
    const even = cells.length & ~1;
    for (let index = 0; index < even; index += 2) {
      counts[cells[index]!]! += 1;
      others[cells[index + 1]!]! += 1;
    }
    return even;
  }
  const pairs = new Uint32Array(cells.buffer, cells.byteOffset, cells.length >> 1);
  for (let index = 0; index < pairs.length; index += 1) {
    const pair = pairs[index]!;
    counts[pair & 0xffff]! += 1;
    others[pair >>> 16]! += 1;
  }
  return 2 * pairs.length;
}

/** Bits that are set in any cell. */
function bitsUsed(counts: Uint32Array): number {
  let used = 0;
  for (let value = 0; value < COUNTS; value += 1) if (counts[value]! > 0) used |= value;
  return used;
}

/** Number of cells by the value that {@link take} extracts. */
function countTaken(cells: Uint32Array, layout: Layout): Uint32Array {
  const counts = new Uint32Array(COUNTS);
  const taken = taker(layout);
  for (let value = 0; value < COUNTS; value += 1) counts[taken(value) & 0xffff]! += cells[value]!;
  return counts;
}

/**
 * Actual position of the values: software that rescales or rotates films leaves Bits Stored and High Bit unchanged.
 * Without this, brighter values would wrap around to black.
 */
function layoutUsed(used: number, cell: 8 | 16, claimed: Layout): Layout {
  const { shift, bits, signed, overlays } = claimed;
  const [above, below] = [(used & ~overlays) >>> (shift + bits), used & ~overlays & (2 ** shift - 1)];
  // Signed values may be extended to the whole cell.
  if (above !== 0 && signed) return overlays === 0 ? { ...claimed, bits: cell - shift } : claimed;
  if (above !== 0) return { ...claimed, bits: bits + 32 - Math.clz32(above) };
  // Nothing in the top bits and something below the lowest one: the values start at bit 0, whatever High Bit says.
  return below !== 0 && used >>> bits === 0 ? { ...claimed, shift: 0 } : claimed;
}

function differing(some: StoredValues, others: StoredValues): number {
  let count = 0;
  for (let index = 0; index < some.length; index += 1) if (some[index] !== others[index]) count += 1;
  return count;
}

function take(cells: Uint8Array | Uint16Array, used: number, cell: 8 | 16, layout: Layout): StoredValues {
  const { shift, signed } = layout;
  // The cells hold nothing but the values.
  if (!signed && shift === 0 && (used & ~maskOf(layout)) === 0) return cells;
  const values = signed
    ? new Int16Array(cells.length)
    : cell === 8
      ? new Uint8Array(cells.length)
      : new Uint16Array(cells.length);
  const taken = taker(layout);
  for (let index = 0; index < cells.length; index += 1) values[index] = taken(cells[index]!);
  return values;
}

/** Function that extracts the value of a cell. */
function taker(layout: Layout): (cell: number) => number {
  const { shift, bits, signed } = layout;
  const mask = maskOf(layout);
  const sign = signed ? 2 ** (bits - 1) : 0;
  return (cell) => (((cell >>> shift) & mask) ^ sign) - sign;
}

function maskOf({ shift, bits, overlays }: Layout): number {
  return (2 ** bits - 1) & ~(overlays >>> shift);
}

function words(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1);
}
