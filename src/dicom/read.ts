import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import { HilumError } from '../base/errors';
import type { Attributes } from './attributes';
import { encodingAt, fits } from './element-header';
import { parseDataset, parseFileMeta, type PixelElement } from './parse';
import {
  actualSyntax,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  encodingOf,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from './transfer-syntax';

/** A DICOM file: attributes read, pixel data located but not decoded. */
export interface Opened {
  /** Actual transfer syntax, which the file meta information may name wrongly. */
  readonly transferSyntaxUid: string;
  /** SOP Class UID; '' where the data set has none. */
  readonly sopClassUid: string;
  /** SOP Instance UID; '' where the data set has none. */
  readonly sopInstanceUid: string;
  /** Naturalised attributes, without Pixel Data. */
  readonly attributes: Attributes;
  readonly pixelData: PixelElement | null;
}

const PREAMBLE_LENGTH = 128;
/** Bytes of a file that are read to tell whether it is deflated. */
const PEEK = 512;
/**
 * Largest deflated data set when unpacked (bytes): the largest film that is accepted (100 million samples of 16 bits)
 * and its header.
 */
const INFLATED_LIMIT = 208 * 1024 * 1024;

/**
 * Reads a PS3.10 file, or a bare data set as old archives store it (no preamble, no File Meta Information). Text is
 * Unicode whatever its character set.
 * @param inflatedLimit largest size of a deflated data set when unpacked (bytes)
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
  const said = uid(meta.attributes.TransferSyntaxUID) || guessSyntax(bytes, meta.next);
  const body = bodyOf(bytes.subarray(meta.next), said, inflatedLimit);
  const encoding = encodingAt(viewOf(body), 0, body.length, encodingOf(said));
  const { attributes, pixelData } = parseDataset(body, 0, encoding);
  return {
    transferSyntaxUid: actualSyntax(said, encoding, pixelData),
    sopClassUid: uid(attributes.SOPClassUID),
    sopInstanceUid: uid(attributes.SOPInstanceUID),
    attributes,
    pixelData,
  };
}

/**
 * Bytes of the data set, inflated where they are deflated, whatever the file meta information says. Limited, because a
 * few kilobytes can unpack to gigabytes.
 */
function bodyOf(bytes: Uint8Array, said: string, inflatedLimit: number): Uint8Array {
  const isSaid = said === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
  if (isReadable(bytes) || (!isSaid && !isDeflated(bytes))) return bytes;
  // With or without a zlib header (RFC 1950), which PS3.5 annex A.5 does not have.
  const inflate = isZlib(bytes) ? inflateSync : inflateRawSync;
  const inflated = inflate(bytes, { maxOutputLength: inflatedLimit });
  return new Uint8Array(inflated.buffer, inflated.byteOffset, inflated.byteLength);
}

const UNPACKED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN];

function isReadable(bytes: Uint8Array): boolean {
  return UNPACKED.some((syntax) => fitsAs(bytes, 0, syntax));
}

function fitsAs(bytes: Uint8Array, start: number, syntax: string): boolean {
  return fits(viewOf(bytes), start, bytes.length, encodingOf(syntax));
}

/** Whether the first bytes inflate to a data set in Explicit VR Little Endian, which begins with group 0008. */
function isDeflated(bytes: Uint8Array): boolean {
  try {
    const inflate = isZlib(bytes) ? inflateSync : inflateRawSync;
    const start = inflate(bytes.subarray(0, PEEK), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: PEEK * 1100,
    });
    return start[0] === 8 && start[1] === 0 && start[3] === 0;
  } catch {
    return false;
  }
}

function isZlib(bytes: Uint8Array): boolean {
  return bytes[0] === 0x78 && ((bytes[0] << 8) | (bytes[1] ?? 0)) % 31 === 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Offset of group 0002, with or without preamble and prefix (PS3.10 section 7.1); null where there is none. */
function metaStart(bytes: Uint8Array): number | null {
  const hasPrefix = (at: number) => Buffer.from(bytes.subarray(at, at + 4)).toString('latin1') === 'DICM';
  if (hasPrefix(PREAMBLE_LENGTH)) return PREAMBLE_LENGTH + 4;
  if (hasPrefix(0)) return 4;
  const isGroup2 = (at: number) => bytes[at] === 2 && bytes[at + 1] === 0 && bytes[at + 3] === 0;
  return [0, PREAMBLE_LENGTH, PREAMBLE_LENGTH + 4].find(isGroup2) ?? null;
}

/**
 * Encoding of a data set without File Meta Information: group 0008 tells the byte order, and two capital letters after
 * the tag are a VR.
 */
function guessSyntax(bytes: Uint8Array, start: number): string {
  const [low, high] = [bytes[start], bytes[start + 1]];
  const explicit = /^[A-Z]{2}$/.test(Buffer.from(bytes.subarray(start + 4, start + 6)).toString('latin1'));
  if (low === 8 && high === 0) return explicit ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN;
  if (low === 0 && high === 8 && explicit) return EXPLICIT_VR_BIG_ENDIAN;
  // It does not begin with group 0008, but with elements.
  const found = bytes.length >= start + 8 && UNPACKED.find((syntax) => fitsAs(bytes, start, syntax));
  if (found) return found;
  throw unreadable('the file is no DICOM file');
}

function uid(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unreadable(message: string, cause?: unknown): HilumError {
  return new HilumError('DICOM_UNREADABLE', 'permanent', message, { cause });
}
