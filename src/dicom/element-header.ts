import dcmjs from 'dcmjs';
import { LONG_VRS } from './value';

export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** Bytes and encoding that elements are read from. */
export interface ElementSource {
  readonly view: DataView;
  readonly encoding: Encoding;
}

export interface ElementHeader {
  readonly tag: number;
  /** VR; '' where the file has none, or one that PS3.5 does not know: then the dictionary's is used. */
  readonly vr: string;
  /** Length in bytes; {@link UNDEFINED_LENGTH} where a delimiter ends the value. */
  readonly length: number;
  /** Offset of the value. */
  readonly start: number;
}

export const UNDEFINED_LENGTH = 0xffffffff;
export const ITEM = 0xfffee000;
export const ITEM_END = 0xfffee00d;
export const SEQUENCE_END = 0xfffee0dd;

const IMPLICIT: Encoding = { explicit: false, littleEndian: true };
const EXPLICIT: Encoding = { explicit: true, littleEndian: true };
const BIG_ENDIAN: Encoding = { explicit: true, littleEndian: false };

/** PS3.5 table 6.2-1. */
const SHORT_VRS = new Set('AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' '));
const isVr = (vr: string) => SHORT_VRS.has(vr) || LONG_VRS.has(vr);

export function readTag({ view, encoding }: ElementSource, offset: number): number {
  return view.getUint16(offset, encoding.littleEndian) * 0x10000 + view.getUint16(offset + 2, encoding.littleEndian);
}

/**
 * Reads an element header by PS3.5 sections 7.1.2 (explicit) and 7.1.3 (implicit). Where an explicit file has no known
 * VR, three forms are possible: those of the two sections, with a length of 16 or of 32 bits. The first one whose value
 * is followed by an element or the end is used.
 * @param end of the data set or item
 * @throws RangeError where none of them fits, or the bytes end
 */
export function readHeader(source: ElementSource, offset: number, end: number): ElementHeader {
  const { explicit } = source.encoding;
  if (!explicit) return implicitHeader(source, offset);
  const vr = vrAt(source, offset);
  if (SHORT_VRS.has(vr)) return shortHeader(source, offset, vr);
  if (LONG_VRS.has(vr) && source.view.getUint16(offset + 6, true) === 0) return longHeader(source, offset, vr);
  const found = oddHeader(source, offset, end, LOOK_AHEAD);
  if (found) return found;
  throw new RangeError(`element ${hex(readTag(source, offset))} has no Value Representation`);
}

/** Number of following elements without a VR that are read to find the form. */
const LOOK_AHEAD = 3;

function oddHeader(source: ElementSource, offset: number, end: number, ahead: number): ElementHeader | undefined {
  const vr = vrAt(source, offset);
  // New VRs have a length of four bytes (PS3.5 section 7.1.2); other two bytes are mostly followed by a length of two.
  const forms = /^[A-Z]{2}$/.test(vr)
    ? [longHeader, shortHeader, implicitHeader]
    : [shortHeader, longHeader, implicitHeader];
  return forms
    .filter((form) => form !== longHeader || (offset + 12 <= end && source.view.getUint16(offset + 6, true) === 0))
    .map((form) => form(source, offset, LONG_VRS.has(vr) && form !== implicitHeader ? vr : ''))
    .find((header) => leadsOn(source, header, end, ahead));
}

function vrAt({ view }: ElementSource, offset: number): string {
  return String.fromCharCode(view.getUint8(offset + 4), view.getUint8(offset + 5));
}

function shortHeader(source: ElementSource, offset: number, vr: string): ElementHeader {
  const length = source.view.getUint16(offset + 6, source.encoding.littleEndian);
  return { tag: readTag(source, offset), vr, length, start: offset + 8 };
}

function longHeader(source: ElementSource, offset: number, vr: string): ElementHeader {
  const length = source.view.getUint32(offset + 8, source.encoding.littleEndian);
  return { tag: readTag(source, offset), vr, length, start: offset + 12 };
}

function implicitHeader(source: ElementSource, offset: number): ElementHeader {
  const length = source.view.getUint32(offset + 4, source.encoding.littleEndian);
  return { tag: readTag(source, offset), vr: '', length, start: offset + 8 };
}

function leadsOn(source: ElementSource, { tag, length, start }: ElementHeader, end: number, ahead: number): boolean {
  // A value that is cut off right after its header is not taken for an empty one.
  if (length === 0 && start === source.view.byteLength) return false;
  if (length !== UNDEFINED_LENGTH)
    return start + length <= end && isElementAt(source, start + length, end, tag, ahead - 1);
  if (start + 8 > end) return false;
  const first = readTag(source, start);
  return first === ITEM || first === SEQUENCE_END;
}

/**
 * Whether an element can end at this offset: the end, a delimiter, or another element follows. An element counts if it
 * has a VR, or has a higher tag than `tag` (the order of PS3.5 section 7.1) that the dictionary knows, or is a private
 * one followed in the same way.
 */
export function isElementAt(source: ElementSource, offset: number, end: number, tag: number, ahead = 1): boolean {
  if (offset === end) return true;
  if (offset + 8 > end) return false;
  const next = readTag(source, offset);
  if (next === ITEM_END || next === SEQUENCE_END || next === ITEM) return true;
  const isPrivate = (next >>> 16) % 2 === 1;
  if (source.encoding.explicit && isVr(vrAt(source, offset)))
    return next >>> 16 > 0 && (isPrivate || dictionary(next) !== undefined || (next & 0xffff) === 0);
  if (next <= tag) return false;
  return dictionary(next) !== undefined || (isPrivate && ahead > 0 && leadsToNext(source, offset, end, ahead));
}

function leadsToNext(source: ElementSource, offset: number, end: number, ahead: number): boolean {
  return source.encoding.explicit
    ? oddHeader(source, offset, end, ahead) !== undefined
    : leadsOn(source, implicitHeader(source, offset), end, ahead);
}

/** Number of elements that are read to find an encoding. */
const SAMPLE = 3;

/** Whether the first elements from this offset on can be in this encoding. */
export function fits(view: DataView, start: number, end: number, encoding: Encoding): boolean {
  const source = { view, encoding };
  let [offset, last] = [start, -1];
  for (let count = 0; count < SAMPLE && offset < end; count += 1) {
    if (offset + 8 > end) return false;
    const tag = readTag(source, offset);
    if (count > 0 && (tag === ITEM_END || tag === SEQUENCE_END)) return true;
    const vr = vrAt(source, offset);
    if (tag <= last || tag >>> 16 === 0 || isVr(vr) !== encoding.explicit) return false;
    if (dictionary(tag) === undefined && (tag >>> 16) % 2 === 0 && (tag & 0xffff) !== 0) return false;
    if (LONG_VRS.has(vr) && offset + 12 > end) return false;
    const header = encoding.explicit
      ? (LONG_VRS.has(vr) ? longHeader : shortHeader)(source, offset, vr)
      : implicitHeader(source, offset);
    if (header.length === UNDEFINED_LENGTH) return true;
    [offset, last] = [header.start + header.length, tag];
  }
  return offset <= end;
}

/**
 * Encoding of the data set or item at this offset: the stated one where it fits, else another one that fits, else the
 * stated one.
 */
export function encodingAt(view: DataView, start: number, end: number, said: Encoding): Encoding {
  return [said, EXPLICIT, IMPLICIT, BIG_ENDIAN].find((encoding) => fits(view, start, end, encoding)) ?? said;
}

export function dictionary(tag: number): { readonly name: string; readonly vr: string } | undefined {
  return dcmjs.data.DicomMetaDictionary.dictionary[hex(tag)];
}

export function hex(tag: number): string {
  const digits = tag.toString(16).toUpperCase().padStart(8, '0');
  return `(${digits.slice(0, 4)},${digits.slice(4)})`;
}
