import dcmjs from 'dcmjs';
import { identifierProblem, IDENTIFIERS } from '../dicom/identifiers';
import { tryParseUid } from '../dicom/uid';
import { isOverlay, type OverlayElement, overlayProblems } from './validate-overlays';

/**
 * Checks every data element of a file against PS3.5: order, VR and multiplicity by the dictionary (PS3.6), even
 * lengths, and the form of each value. Stricter than parse.ts, which reads files of others; this one is for our own.
 */
const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const UNDEFINED_LENGTH = 0xffffffff;
const [ITEM, ITEM_END, SEQUENCE_END] = [0xfffee000, 0xfffee00d, 0xfffee0dd];

/** VRs that stand for several in dcmjs's dictionary. */
const ALTERNATIVES: Readonly<Record<string, readonly string[]>> = {
  xs: ['US', 'SS'],
  ox: ['OB', 'OW'],
  lt: ['US', 'SS', 'OW'],
  up: ['UL'],
};
const WIDTHS: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  OW: 2,
  UL: 4,
  SL: 4,
  AT: 4,
  FL: 4,
  OF: 4,
  FD: 8,
  OD: 8,
};
/** VRs with a single value, in which a backslash is text or not allowed. */
const SINGLE = new Set(['LT', 'ST', 'UT', 'UR']);

interface File {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly problems: string[];
  /** Elements of overlay planes in the file. */
  readonly overlays: OverlayElement[];
}

/** @param start offset of the first element of the File Meta Information */
export function elementProblems(bytes: Uint8Array, start: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const file: File = { bytes, view, problems: [], overlays: [] };
  walk(file, start, bytes.length, '');
  return [...file.problems, ...overlayProblems(file.overlays)];
}

/** @returns the offset behind the last element, or behind the item's end */
function walk(file: File, start: number, end: number, path: string): number {
  let [offset, last] = [start, -1];
  while (offset < end) {
    const tag = tagAt(file, offset);
    if (tag === ITEM_END) return offset + 8;
    if (tag <= last) file.problems.push(`${path}${nameOf(tag)} is not in ascending order`);
    last = tag;
    offset = element(file, tag, offset, end, path);
  }
  return offset;
}

function element(file: File, tag: number, offset: number, end: number, path: string): number {
  const vr = String.fromCharCode(file.bytes[offset + 4]!, file.bytes[offset + 5]!);
  const long = LONG_VRS.has(vr);
  const length = long ? file.view.getUint32(offset + 8, true) : file.view.getUint16(offset + 6, true);
  const from = offset + (long ? 12 : 8);
  const place = `${path}${nameOf(tag)}`;
  checkVr(file, tag, vr, place);
  if (vr === 'SQ') return items(file, from, length, end, place);
  if (from + length > end) throw new RangeError(`${place} reaches beyond its end`);
  if (length % 2 !== 0) file.problems.push(`${place} has an odd length`);
  const value = file.bytes.subarray(from, from + length);
  if (path === '' && isOverlay(tag)) file.overlays.push({ tag, value });
  const problems = IDENTIFIERS.has(nameOf(tag)) ? copiedProblems(value) : valueProblems(vr, vmOf(tag), value);
  file.problems.push(...problems.map((problem) => `${place} ${problem}`));
  return from + length;
}

function items(file: File, from: number, length: number, outerEnd: number, place: string): number {
  const end = length === UNDEFINED_LENGTH ? outerEnd : from + length;
  let offset = from;
  for (let index = 0; offset < end; index += 1) {
    const tag = tagAt(file, offset);
    if (tag === SEQUENCE_END) return offset + 8;
    if (tag !== ITEM) throw new RangeError(`${place} holds something other than items`);
    const size = file.view.getUint32(offset + 4, true);
    offset = walk(file, offset + 8, size === UNDEFINED_LENGTH ? end : offset + 8 + size, `${place}[${index}].`);
  }
  return offset;
}

function checkVr(file: File, tag: number, vr: string, place: string): void {
  const listed = entryOf(tag)?.vr;
  if (listed === undefined) file.problems.push(`${place} is not in the data dictionary`);
  else if (!(ALTERNATIVES[listed] ?? [listed]).includes(vr))
    file.problems.push(`${place} has another VR than the dictionary`);
}

function valueProblems(vr: string, vm: string, bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  const width = WIDTHS[vr];
  if (width !== undefined) {
    if (bytes.length % width !== 0) return [`has no whole number of ${vr} values`];
    return [...(vr.startsWith('O') ? [] : multiplicityProblems(vm, bytes.length / width)), ...floatProblems(vr, bytes)];
  }
  return TEXT_FORMS[vr] ? textProblems(vr, vm, bytes) : [];
}

/** Identifiers are copied whole from the film and may break their VR as they do there. */
function copiedProblems(bytes: Uint8Array): string[] {
  const text = utf8(bytes);
  return [text === undefined ? 'is not UTF-8' : (identifierProblem(text) ?? [])].flat();
}

function floatProblems(vr: string, bytes: Uint8Array): string[] {
  if (vr !== 'FL' && vr !== 'FD' && vr !== 'OF') return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = WIDTHS[vr]!;
  for (let at = 0; at < bytes.length; at += step) {
    if (!Number.isFinite(step === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true)))
      return ['holds what is no number'];
  }
  return [];
}

function textProblems(vr: string, vm: string, bytes: Uint8Array): string[] {
  const text = utf8(bytes);
  if (text === undefined) return ['is not UTF-8'];
  const padded = vr === 'UI' ? text.replace(/\0$/, '') : text.replace(/ +$/, '');
  const values = SINGLE.has(vr) ? [padded] : padded.split('\\').map((value) => value.trim());
  const unfit = values.some((value) => value !== '' && !TEXT_FORMS[vr]!(value));
  return [
    ...(unfit ? [`has a value that is no ${vr}`] : []),
    ...(SINGLE.has(vr) ? [] : multiplicityProblems(vm, values.length)),
  ];
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const length = (text: string) => Array.from(text).length;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const printable = (text: string) => !/[\u0000-\u001f\u007f-\u009f]/.test(text);
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const lines = (text: string) => !/[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f]/.test(text);
const line = (most: number) => (text: string) => length(text) <= most && printable(text);
const form = (pattern: RegExp) => (text: string) => pattern.test(text);

/** PS3.5 section 6.2: what a value that is not empty may look like. */
const TEXT_FORMS: Readonly<Record<string, (text: string) => boolean>> = {
  AE: line(16),
  AS: form(/^\d{3}[DWMY]$/),
  CS: form(/^[A-Z0-9 _]{1,16}$/),
  DA: form(/^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/),
  DS: form(/^(?=.{1,16}$)[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?$/i),
  DT: form(/^\d{4,14}(\.\d{1,6})?([+-]\d{4})?$/),
  IS: (text) => /^[+-]?\d{1,11}$/.test(text) && Math.abs(Number(text)) <= 0x7fffffff,
  LO: line(64),
  LT: (text) => length(text) <= 10_240 && lines(text),
  PN: (text) =>
    text.split('=').length <= 3 && text.split('=').every((group) => group.split('^').length <= 5 && line(64)(group)),
  SH: line(16),
  ST: (text) => length(text) <= 1024 && lines(text),
  TM: form(/^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$/),
  UC: printable,
  UI: (text) => tryParseUid(text) !== undefined,
  UR: form(/^[!-~]+$/),
  UT: lines,
};

/** PS3.6 writes "1", "2-n", "3-3n" and the like. */
function multiplicityProblems(vm: string, count: number): string[] {
  const [, least, , most] = /^(\d+)(-(\d*n|\d+))?$/.exec(vm) ?? [];
  if (least === undefined) return [];
  const step = most?.endsWith('n') ? Number(most.slice(0, -1) || 1) : 1;
  const limit = most === undefined ? Number(least) : most.endsWith('n') ? Infinity : Number(most);
  return count >= Number(least) && count <= limit && count % step === 0
    ? []
    : ['has a number of values that the dictionary does not allow'];
}

function tagAt({ view }: File, offset: number): number {
  return view.getUint16(offset, true) * 0x10000 + view.getUint16(offset + 2, true);
}

function hex(tag: number): string {
  const digits = tag.toString(16).toUpperCase().padStart(8, '0');
  return `(${digits.slice(0, 4)},${digits.slice(4)})`;
}

function entryOf(tag: number) {
  return dcmjs.data.DicomMetaDictionary.dictionary[hex(tag)];
}

function nameOf(tag: number): string {
  return entryOf(tag)?.name ?? hex(tag);
}

function vmOf(tag: number): string {
  return entryOf(tag)?.vm ?? '';
}
