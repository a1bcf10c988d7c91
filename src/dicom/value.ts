import { decodeText } from './charset';
import { wholeIdentifier } from './identifiers';

/** Value Representations whose length has four bytes in explicit encodings (PS3.5 table 7.1-1). */
export const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const ENCODED_TEXT = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);
const SINGLE_TEXT = new Set(['LT', 'ST', 'UT', 'UR']);
const ASCII = ['ISO_IR 100'];
/** Largest text or number value that is read (bytes), at least 65536 numbers; a longer one comes as null. */
const LONGEST_VALUE = 1 << 20;

const NUMBERS: Readonly<
  Record<string, readonly [size: number, read: (view: DataView, offset: number, littleEndian: boolean) => number]>
> = {
  US: [2, (view, offset, little) => view.getUint16(offset, little)],
  SS: [2, (view, offset, little) => view.getInt16(offset, little)],
  UL: [4, (view, offset, little) => view.getUint32(offset, little)],
  SL: [4, (view, offset, little) => view.getInt32(offset, little)],
  AT: [4, (view, offset, little) => view.getUint16(offset, little) * 0x10000 + view.getUint16(offset + 2, little)],
  FL: [4, (view, offset, little) => view.getFloat32(offset, little)],
  FD: [8, (view, offset, little) => view.getFloat64(offset, little)],
};

/**
 * Value in dcmjs's naturalised form: one value plain, several as an array, none as null; person names as objects by
 * component group (PS3.18 section F.2.2).
 * @param isWhole for an identifier: one text, whatever the VR and however many backslashes it has
 */
export function readValue(
  bytes: Uint8Array,
  vr: string,
  littleEndian: boolean,
  characterSets: readonly string[],
  isWhole = false,
): unknown {
  if (bytes.length === 0) return null;
  if (isWhole) return wholeIdentifier(decodeText(bytes, characterSets)) || null;
  const number = NUMBERS[vr];
  if (bytes.length > LONGEST_VALUE && (number || isText(vr))) return null;
  if (number) return readNumbers(bytes, littleEndian, ...number);
  if (vr === 'OW') return littleEndian ? bytes : swapped(bytes);
  if (!isText(vr)) return bytes;
  const text = decodeText(bytes, ENCODED_TEXT.has(vr) ? characterSets : ASCII);
  return readText(vr, text);
}

/** Everything but numbers and bytes; unknown Value Representations are short and read as text. */
function isText(vr: string): boolean {
  return vr !== 'OB' && vr !== 'UN' && (!LONG_VRS.has(vr) || ENCODED_TEXT.has(vr) || vr === 'UR');
}

function readNumbers(
  bytes: Uint8Array,
  littleEndian: boolean,
  size: number,
  read: (view: DataView, offset: number, littleEndian: boolean) => number,
): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return unwrap(
    Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => read(view, index * size, littleEndian)),
  );
}

function readText(vr: string, text: string): unknown {
  const values = SINGLE_TEXT.has(vr) ? [trimEnd(text)] : text.split('\\').map((value) => trimEnd(value).trimStart());
  if (vr === 'DS' || vr === 'IS') return unwrap(values.map((value) => (value === '' ? null : Number(value))));
  if (vr === 'PN') return values.map(personName);
  return unwrap(values);
}

function personName(value: string): Record<string, string> {
  const [alphabetic = '', ideographic = '', phonetic = ''] = value.split('=');
  return {
    Alphabetic: alphabetic,
    ...(ideographic && { Ideographic: ideographic }),
    ...(phonetic && { Phonetic: phonetic }),
  };
}

function trimEnd(value: string): string {
  return value.replace(/[\0 ]+$/, '');
}

function unwrap(values: readonly unknown[]): unknown {
  if (values.length > 1) return values;
  return values[0] === '' || values[0] === undefined ? null : values[0];
}

function swapped(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16());
}
