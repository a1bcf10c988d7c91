import dcmjs from 'dcmjs';
import type { Dataset } from './dataset';
import { identifierProblem, IDENTIFIERS } from './identifiers';
import { encodeOverlay, type OverlayPlane } from './overlay';
import { refuse } from './sanitise';
import { parseUid, tryParseUid, type Uid } from './uid';

const { DicomDict, DicomMetaDictionary } = dcmjs.data;

const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

/** Implementation Class UID and Version Name of the writer (PS3.7 section D.3.3.2). */
export interface Implementation {
  readonly classUid: Uid;
  /** Up to 16 characters. */
  readonly versionName: string;
}

/** Longest value in characters (PS3.5 section 6.2). dcmjs would cut longer ones and log them, which must not happen. */
const LONGEST: Readonly<Record<string, number>> = {
  AE: 16,
  AS: 4,
  CS: 16,
  DA: 8,
  DS: 16,
  DT: 26,
  IS: 12,
  LO: 64,
  LT: 10240,
  PN: 194,
  SH: 16,
  ST: 1024,
  TM: 14,
  UI: 64,
};
/** Largest length in bytes of a VR with a 16-bit length field, such as FL (PS3.5 section 7.1.2). */
const SHORT_LENGTH_LIMIT = 0xfffe;

/**
 * Encodes a naturalised data set as a PS3.10 file in Explicit VR Little Endian with UTF-8 text. The same data set gives
 * the same bytes. The file meta information is made anew: a source's own names its compressed transfer syntax and its
 * character set.
 * @throws HilumError ENCODE_FAILED for invalid DICOM: an unknown keyword, a value too long, no UID
 */
export function encodePart10(whole: Dataset, implementation: Implementation): Uint8Array {
  const { _overlays = [], ...dataset } = whole as Dataset & { _overlays?: readonly OverlayPlane[] };
  checkDataset(dataset, '');
  for (const keyword of ['SOPClassUID', 'SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID']) {
    if (tryParseUid(dataset[keyword]) === undefined) refuse(`the data set's ${keyword} is no UID`);
  }
  const file = new DicomDict(DicomMetaDictionary.denaturalizeDataset(fileMeta(dataset, implementation)));
  const elements = DicomMetaDictionary.denaturalizeDataset({ ...dataset, SpecificCharacterSet: 'ISO_IR 192' });
  const { [PIXEL_DATA]: last, ...others } = elements;
  const pixels = last?.Value?.[0];
  const isApart = last !== undefined && /^O[BW]$/.test(last.vr) && pixels instanceof ArrayBuffer;
  if (!isApart && _overlays.length > 0) refuse('overlays lie over pixels, and there are none');
  file.dict = isApart ? others : elements;
  // Lengths are checked above; dcmjs would log an identifier that is longer than its VR allows.
  const written = new Uint8Array(file.write({ allowInvalidVRLength: true }));
  return isApart ? withPixels([written, ..._overlays.map(encodeOverlay)], last.vr, pixels) : written;
}

/** Pixel Data (7FE0,0010): the last element of an object that Hilum writes, preceded by overlays. */
const PIXEL_DATA = '7FE00010';
const ELEMENT_HEADER_BYTES = 12;

/**
 * Appends overlays and pixel data to the file (PS3.5 section 7.1.2, explicit VR with a 32-bit length): dcmjs would copy
 * millions of bytes several times.
 */
function withPixels(before: readonly Uint8Array[], vr: string, pixels: ArrayBuffer): Uint8Array {
  const length = pixels.byteLength + (pixels.byteLength % 2);
  const start = before.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(start + ELEMENT_HEADER_BYTES + length);
  before.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  const header = Buffer.from(whole.buffer, start, ELEMENT_HEADER_BYTES);
  header.writeUInt16LE(0x7fe0, 0);
  header.writeUInt16LE(0x0010, 2);
  header.write(vr, 4, 'latin1');
  header.writeUInt32LE(length, 8);
  whole.set(new Uint8Array(pixels), start + ELEMENT_HEADER_BYTES);
  return whole;
}

function fileMeta(dataset: Dataset, { classUid, versionName }: Implementation): Dataset {
  return {
    FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
    MediaStorageSOPClassUID: parseUid(dataset.SOPClassUID),
    MediaStorageSOPInstanceUID: parseUid(dataset.SOPInstanceUID),
    TransferSyntaxUID: EXPLICIT_VR_LITTLE_ENDIAN,
    ImplementationClassUID: classUid,
    ImplementationVersionName: versionName,
  };
}

function checkDataset(dataset: Dataset, path: string): void {
  for (const [keyword, value] of Object.entries(dataset)) {
    if (keyword === '_vrMap') continue;
    const vr = DicomMetaDictionary.nameMap[keyword]?.vr;
    if (vr === undefined) refuse(`${path}${keyword} is no attribute of the data dictionary`);
    else if (IDENTIFIERS.has(keyword)) checkIdentifier(value, `${path}${keyword}`);
    else checkElement(vr, value, `${path}${keyword}`);
  }
}

/** Identifiers are copied whole, whatever their VR allows. */
function checkIdentifier(value: unknown, path: string): void {
  const problem = typeof value === 'string' ? identifierProblem(value) : 'is no text';
  if (problem !== null) refuse(`${path} ${problem}`);
}

function checkElement(vr: string, value: unknown, path: string): void {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (vr === 'SQ') values.forEach((item, i) => checkDataset(item as Dataset, `${path}[${i}].`));
  else if (vr === 'FL') checkFloats(values, path);
  else values.forEach((single) => checkText(vr, single, path));
}

function checkFloats(values: readonly unknown[], path: string): void {
  if (!values.every((value) => typeof value === 'number' && Number.isFinite(value)))
    refuse(`${path} holds what is no number`);
  if (values.length * 4 > SHORT_LENGTH_LIMIT)
    refuse(`${path} holds ${values.length} numbers, more than the length field can state`);
}

function checkText(vr: string, value: unknown, path: string): void {
  if (value === undefined || value === null) refuse(`${path} has no value`);
  if (typeof value !== 'string') return;
  if (Array.from(value).length > (LONGEST[vr] ?? Infinity)) refuse(`${path} is longer than ${vr} allows`);
  if (vr === 'UI' && tryParseUid(value) === undefined) refuse(`${path} is no UID`);
}
