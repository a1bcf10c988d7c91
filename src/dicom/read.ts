import { inflateRawSync } from 'node:zlib';
import { HilumError } from '../base/errors';
import type { Attributes } from './attributes';
import { type Encoding, parseDataset, parseFileMeta, type PixelElement } from './parse';

/** A DICOM file with its attributes read and its pixel data found, not decoded. */
export interface Opened {
  readonly transferSyntaxUid: string;
  /** '' where the data set has none. */
  readonly sopClassUid: string;
  /** '' where the data set has none. */
  readonly sopInstanceUid: string;
  /** Naturalised, without Pixel Data. */
  readonly attributes: Attributes;
  readonly pixelData: PixelElement | null;
}

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';

const PREAMBLE_LENGTH = 128;
/**
 * Bytes of a deflated data set, unpacked: the largest film that is taken (100 million samples of 16 bits) with room for
 * its header.
 */
const INFLATED_LIMIT = 208 * 1024 * 1024;

/**
 * Reads a PS3.10 file, or a bare data set as old archives keep it (no preamble, no File Meta Information). Text comes
 * as Unicode whatever its character set.
 * @param inflatedLimit bytes that a deflated data set may unpack to
 * @throws HilumError DICOM_UNREADABLE, permanent
 */
export function readPart10(bytes: Uint8Array, inflatedLimit = INFLATED_LIMIT): Opened {
  try {
    return read(bytes, inflatedLimit);
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    throw unreadable('the file is damaged: its DICOM elements cannot be read', cause);
  }
}

function read(bytes: Uint8Array, inflatedLimit: number): Opened {
  const start = metaStart(bytes);
  const meta = start === null ? { attributes: {}, next: 0 } : parseFileMeta(bytes, start);
  const transferSyntaxUid = uid(meta.attributes.TransferSyntaxUID) || guessSyntax(bytes, meta.next);
  const { attributes, pixelData } = parseBody(bytes, meta.next, transferSyntaxUid, inflatedLimit);
  return {
    transferSyntaxUid,
    sopClassUid: uid(attributes.SOPClassUID),
    sopInstanceUid: uid(attributes.SOPInstanceUID),
    attributes,
    pixelData,
  };
}

function parseBody(bytes: Uint8Array, start: number, transferSyntaxUid: string, inflatedLimit: number) {
  if (transferSyntaxUid === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) {
    // Bounded, because a few kilobytes can unpack to gigabytes.
    const inflated = inflateRawSync(bytes.subarray(start), { maxOutputLength: inflatedLimit });
    return parseDataset(
      new Uint8Array(inflated.buffer, inflated.byteOffset, inflated.byteLength),
      0,
      encodingOf(transferSyntaxUid),
    );
  }
  return parseDataset(bytes, start, encodingOf(transferSyntaxUid));
}

/** All compressed syntaxes are Explicit VR Little Endian around the pixel data (PS3.5 section A.4). */
function encodingOf(transferSyntaxUid: string): Encoding {
  return {
    explicit: transferSyntaxUid !== IMPLICIT_VR_LITTLE_ENDIAN,
    littleEndian: transferSyntaxUid !== EXPLICIT_VR_BIG_ENDIAN,
  };
}

/** Offset of group 0002; null when there is none. */
function metaStart(bytes: Uint8Array): number | null {
  const prefix = Buffer.from(bytes.subarray(PREAMBLE_LENGTH, PREAMBLE_LENGTH + 4)).toString('latin1');
  if (prefix === 'DICM') return PREAMBLE_LENGTH + 4;
  return bytes[0] === 2 && bytes[1] === 0 && bytes[3] === 0 ? 0 : null;
}

/**
 * A data set without a word on its encoding: group 0008 tells the byte order, and two capital letters after the tag are
 * a VR.
 */
function guessSyntax(bytes: Uint8Array, start: number): string {
  const [low, high] = [bytes[start], bytes[start + 1]];
  const explicit = /^[A-Z]{2}$/.test(Buffer.from(bytes.subarray(start + 4, start + 6)).toString('latin1'));
  if (low === 8 && high === 0) return explicit ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN;
  if (low === 0 && high === 8 && explicit) return EXPLICIT_VR_BIG_ENDIAN;
  throw unreadable('the file is no DICOM file');
}

function uid(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unreadable(message: string, cause?: unknown): HilumError {
  return new HilumError('DICOM_UNREADABLE', 'permanent', message, { cause });
}
