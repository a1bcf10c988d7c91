import { undecodable } from './pixel-error';

/** Header of a compressed picture, read before it is decoded: its size is checked, and its own precision is used. */
export interface Codestream {
  readonly kind: 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k';
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  /** Bits per sample. */
  readonly precision: number;
  readonly signed: boolean;
}

const SOI = 0xffd8;
const SOS = 0xffda;
const EOI = 0xffd9;
const J2K_START = 0xff4f;
const J2K_SIZE = 0xff51;
const J2K_CAPABILITIES = 0xff50;
const J2K_TILE_PART = 0xff90;
/**
 * Pcap (extended capabilities): bit 15, counted from the most significant one, says High Throughput (T.814 section
 * A.3).
 */
const PCAP_HIGH_THROUGHPUT = 1 << (32 - 15);

/** @throws PixelError for any other format, or where the end marker is missing */
export function inspect(data: Uint8Array): Codestream {
  const view = viewOf(data);
  try {
    if (view.getUint16(0) === SOI) return inspectJpeg(data, view);
    const start = jpeg2000Start(data);
    if (start >= 0) return inspectJpeg2000(view, start);
  } catch (cause) {
    if (cause instanceof RangeError) throw undecodable('the compressed pixel data end within their header', cause);
    throw cause;
  }
  throw undecodable('the compressed pixel data are neither JPEG, JPEG-LS nor JPEG 2000');
}

/**
 * Frame header by ITU-T T.81 section B.2.2 (JPEG, lossless too) and T.87 section C.2.2 (JPEG-LS), which have the same
 * fields.
 */
function inspectJpeg(data: Uint8Array, view: DataView): Codestream {
  let frame: Codestream | undefined;
  let offset = 2;
  for (let marker = view.getUint16(offset); marker !== SOS; marker = view.getUint16(offset)) {
    if (marker < 0xff01) throw undecodable('the JPEG header is damaged');
    const kind = frameKind(marker);
    if (kind)
      frame = {
        kind,
        precision: view.getUint8(offset + 4),
        rows: view.getUint16(offset + 5),
        columns: view.getUint16(offset + 7),
        samplesPerPixel: view.getUint8(offset + 9),
        signed: false,
      };
    offset += marker === 0xffff ? 1 : 2 + view.getUint16(offset + 2);
  }
  if (!frame) throw undecodable('the JPEG header has no frame');
  if (lastMarker(data, EOI) < offset) throw undecodable('the compressed pixel data are cut off');
  // T.81 section B.2.3: the last byte of the scan header. Decoders treat it differently: all values may be too small.
  const pointTransform = view.getUint8(offset + 1 + view.getUint16(offset + 2)) & 0x0f;
  if (frame.kind === 'jpeg-lossless' && pointTransform !== 0)
    throw undecodable('lossless JPEG with a point transform is not supported');
  return frame;
}

function frameKind(marker: number): Codestream['kind'] | undefined {
  if (marker >= 0xffc0 && marker <= 0xffc2) return 'jpeg';
  if (marker === 0xffc3) return 'jpeg-lossless';
  return marker === 0xfff7 ? 'jpeg-ls' : undefined;
}

/**
 * ITU-T T.800 section A.5.1. `start` is the offset of the codestream, after the boxes of a JP2 file if an encoder kept
 * them.
 */
function inspectJpeg2000(view: DataView, start: number): Codestream {
  const [columns, rows, x, y] = [8, 12, 16, 20].map((offset) => view.getUint32(start + offset)) as [
    number,
    number,
    number,
    number,
  ];
  const depth = view.getUint8(start + 42);
  return {
    kind: isHighThroughput(view, start) ? 'htj2k' : 'jpeg-2000',
    rows: rows - y,
    columns: columns - x,
    samplesPerPixel: view.getUint16(start + 40),
    precision: (depth & 0x7f) + 1,
    signed: depth > 0x7f,
  };
}

/** A capabilities segment follows the size segment directly where there is one (T.814 section A.3). */
function isHighThroughput(view: DataView, start: number): boolean {
  const next = start + 4 + view.getUint16(start + 4);
  return view.getUint16(next) === J2K_CAPABILITIES && (view.getUint32(next + 4) & PCAP_HIGH_THROUGHPUT) !== 0;
}

function jpeg2000Start(data: Uint8Array): number {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).indexOf(
    Uint8Array.of(J2K_START >> 8, J2K_START & 0xff, J2K_SIZE >> 8, J2K_SIZE & 0xff),
  );
}

/**
 * The JPEG 2000 codestream from its first marker to its end, repaired where an encoder wrote something between the last
 * tile part and the end marker, or no end marker. Met in practice: a COM segment "PADDING" instead of the end marker,
 * at which OpenJPEG fails and GDCM silently returns zeros.
 */
export function mendJpeg2000(data: Uint8Array): Uint8Array {
  const stream = data.subarray(jpeg2000Start(data));
  const end = endOfTileParts(stream);
  if (end === null) return stream;
  if (end > stream.length) throw undecodable('the compressed pixel data are cut off');
  if (viewOf(stream).byteLength >= end + 2 && viewOf(stream).getUint16(end) === EOI) return stream;
  return Buffer.concat([stream.subarray(0, end), Uint8Array.of(EOI >> 8, EOI & 0xff)]);
}

/**
 * Offset after the last tile part, by the lengths of the tile parts (T.800 section A.4.2); null where one has no length
 * and there is an end marker.
 */
function endOfTileParts(stream: Uint8Array): number | null {
  const view = viewOf(stream);
  let offset = 2;
  while (offset + 4 <= stream.length && view.getUint16(offset) !== J2K_TILE_PART)
    offset += 2 + view.getUint16(offset + 2);
  while (offset + 12 <= stream.length && view.getUint16(offset) === J2K_TILE_PART) {
    const length = view.getUint32(offset + 6);
    if (length === 0) {
      if (lastMarker(stream, EOI) < offset) throw undecodable('the compressed pixel data are cut off');
      return null;
    }
    offset += Math.max(length, 14);
  }
  return offset;
}

/** No pair of entropy-coded bytes looks like an end marker in any of the formats, so the last one found is the end. */
function lastMarker(data: Uint8Array, marker: number): number {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).lastIndexOf(
    Uint8Array.of(marker >> 8, marker & 0xff),
  );
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
