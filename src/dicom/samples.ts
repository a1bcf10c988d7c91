import { type DecodedFrame, decodeFrame } from './codecs';
import type { ImageHeader } from './image-header';
import type { PixelElement } from './parse';
import { undecodable } from './pixel-error';
import { decodeRle } from './rle';
import { CODESTREAMS, EXPLICIT_VR_BIG_ENDIAN, NATIVE, RLE_LOSSLESS } from './transfer-syntax';

export type StoredValues = Uint8Array | Uint16Array | Int16Array;

/** Samples as stored, before any look-up table. */
export interface Samples {
  readonly values: StoredValues;
  readonly planar: boolean;
  /** The codec turned the colours into RGB, whatever Photometric Interpretation says. */
  readonly becameRgb: boolean;
}

/** Where the bits of a value lie in its cell (PS3.5 section 8.1.1). */
interface Layout {
  readonly shift: number;
  readonly bits: number;
  readonly signed: boolean;
}

/** @throws PixelError when the transfer syntax is not supported or the data are not what the header promises */
export async function readSamples(
  pixelData: PixelElement | null,
  transferSyntaxUid: string,
  header: ImageHeader,
): Promise<Samples> {
  if (!pixelData || pixelData.fragments.every((fragment) => fragment.length === 0))
    throw undecodable('the object holds no pixel data');
  if (pixelData.truncated) throw undecodable('the pixel data are cut off');
  if (!pixelData.encapsulated && NATIVE.has(transferSyntaxUid))
    return native(pixelData, transferSyntaxUid === EXPLICIT_VR_BIG_ENDIAN, header);
  if (pixelData.encapsulated && transferSyntaxUid === RLE_LOSSLESS) return rle(pixelData, header);
  if (pixelData.encapsulated && CODESTREAMS.has(transferSyntaxUid)) return compressed(pixelData, header);
  const known =
    NATIVE.has(transferSyntaxUid) || transferSyntaxUid === RLE_LOSSLESS || CODESTREAMS.has(transferSyntaxUid);
  throw undecodable(
    known
      ? 'the pixel data are not in the form that the transfer syntax promises'
      : `the transfer syntax ${transferSyntaxUid} is not supported`,
  );
}

function native({ fragments, vr }: PixelElement, bigEndian: boolean, header: ImageHeader): Samples {
  const { photometric, bitsAllocated, planar } = header;
  const count = header.rows * header.columns * (photometric === 'YBR_FULL_422' ? 2 : header.samplesPerPixel);
  const length = (count * bitsAllocated) / 8;
  const bytes = fragments[0]!;
  if (bytes.length < length) throw undecodable(`the pixel data have ${bytes.length} bytes where ${length} belong`);
  // In big endian a word of OW is swapped even where it holds two samples of 8 bits (PS3.5 section 8.1.2).
  const swap = bigEndian && (bitsAllocated === 16 || vr === 'OW');
  const ordered = swap ? Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16() : bytes;
  const layout = { shift: header.highBit + 1 - header.bitsStored, bits: header.bitsStored, signed: header.signed };
  return { values: unpack(ordered.subarray(0, length), bitsAllocated, layout), planar, becameRgb: false };
}

function rle({ fragments }: PixelElement, header: ImageHeader): Samples {
  const shape = {
    pixels: header.rows * header.columns,
    samplesPerPixel: header.samplesPerPixel,
    bytesPerSample: header.bitsAllocated / 8,
  };
  const layout = { shift: header.highBit + 1 - header.bitsStored, bits: header.bitsStored, signed: header.signed };
  return {
    values: unpack(decodeRle(join(fragments), shape), header.bitsAllocated, layout),
    planar: true,
    becameRgb: false,
  };
}

async function compressed({ fragments }: PixelElement, header: ImageHeader): Promise<Samples> {
  const frame = await decodeFrame(join(fragments), header);
  const becameRgb = frame.kind === 'jpeg' || header.photometric === 'YBR_RCT' || header.photometric === 'YBR_ICT';
  return {
    values: unpack(frame.bytes, frame.precision > 8 ? 16 : 8, layoutOf(frame, header)),
    planar: frame.planar,
    becameRgb,
  };
}

/**
 * A codestream knows its precision and sign better than a header that other software rewrote. Its values start at bit
 * 0, except where the encoder took whole cells (precision beyond the high bit): then the header says which bits count.
 * Signed data in an unsigned codestream are two's complement at the codestream's precision; unsigned data in a signed
 * codestream lost their top bit to the sign, and get it back.
 */
function layoutOf({ kind, precision, signed }: DecodedFrame, header: ImageHeader): Layout {
  // A lossy codec may overshoot the bits stored: what it overshoots by is brightness, not an overlay, and must not wrap
  // around to black.
  if (kind === 'jpeg' && !header.signed && header.highBit === header.bitsStored - 1)
    return { shift: 0, bits: precision, signed: false };
  if (signed) return { shift: 0, bits: header.signed ? (precision > 8 ? 16 : 8) : precision, signed: header.signed };
  if (precision > header.highBit)
    return { shift: header.highBit + 1 - header.bitsStored, bits: header.bitsStored, signed: header.signed };
  return { shift: 0, bits: precision, signed: header.signed };
}

/** A single frame's fragments belong together however many there are; 63 have been seen. */
function join(fragments: readonly Uint8Array[]): Uint8Array {
  return fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
}

/**
 * Takes the bits that count out of their cells: what lies above may be overlays (PS3.5 section 8.1.1). `bytes` are
 * little endian, as is every machine that Node 20 is shipped for but one.
 */
function unpack(bytes: Uint8Array, cell: 8 | 16, { shift, bits, signed }: Layout): StoredValues {
  const cells = cell === 8 ? bytes : words(bytes);
  if (bits === cell && !signed) return cells;
  const values = signed
    ? new Int16Array(cells.length)
    : cell === 8
      ? new Uint8Array(cells.length)
      : new Uint16Array(cells.length);
  const [mask, sign] = [2 ** bits - 1, signed ? 2 ** (bits - 1) : 0];
  for (let index = 0; index < cells.length; index += 1)
    values[index] = (((cells[index]! >>> shift) & mask) ^ sign) - sign;
  return values;
}

function words(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1);
}
