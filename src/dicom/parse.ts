import dcmjs from 'dcmjs';
import { LONG_VRS, readValue } from './value';

/**
 * Data elements of PS3.5 section 7 from bytes that nobody has vouched for. dcmjs keeps the dictionary and does the
 * writing; its reader is not used because it believes every length it reads, reads nested text as Latin-1, and drops
 * the frame when a Basic Offset Table lies. Here every length is checked against the bytes that are there, nesting is
 * bounded, and pixel data stay a view on the file.
 */
export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** Value of Pixel Data (7FE0,0010), still encoded. */
export interface PixelElement {
  readonly vr: string;
  /** PS3.5 section A.4: in fragments. */
  readonly encapsulated: boolean;
  /** One for native pixel data. */
  readonly fragments: readonly Uint8Array[];
  /** The file ends before the element does. */
  readonly truncated: boolean;
}

export interface ParsedDataset {
  readonly attributes: Record<string, unknown>;
  readonly pixelData: PixelElement | null;
}

interface Header {
  readonly tag: number;
  readonly vr: string;
  readonly length: number;
  /** Offset of the value. */
  readonly start: number;
}

interface Context {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly encoding: Encoding;
  /** Elements, items and fragments that may still come: eight bytes of a file can each become an object of hundreds. */
  readonly budget: { left: number };
}

/** What an item takes over from the data set around it. */
interface Scope {
  readonly characterSets: readonly string[];
  /** Pixel Representation (0028,0103) is 1: it decides between US and SS where the VR is not written down. */
  readonly signed: boolean;
  readonly depth: number;
}

const UNDEFINED_LENGTH = 0xffffffff;
const PIXEL_DATA = 0x7fe00010;
const OVERLAY_BIT_POSITION = 0x60000102;
const MOST_OVERLAYS = 16;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const DEEPEST = 32;
/** Elements, items and fragments in one file. Films have hundreds. */
const MOST_PARTS = 500_000;

/** @throws RangeError with the place of what is wrong; nothing after Pixel Data is read. */
export function parseDataset(bytes: Uint8Array, start: number, encoding: Encoding): ParsedDataset {
  const context = contextOf(bytes, encoding);
  // Widened: that the callback sets it is not seen here.
  let pixelData = null as PixelElement | null;
  const { attributes, next } = parseElements(
    context,
    start,
    bytes.length,
    { characterSets: [], signed: false, depth: 0 },
    (header) => {
      if (header.tag !== PIXEL_DATA) return false;
      pixelData = readPixelElement(context, header);
      return true;
    },
  );
  // An odd zero at the end is harmless; a beginning of an element means that the rest of the film is missing.
  if (pixelData === null && bytes.subarray(next).some((byte) => byte !== 0))
    throw new RangeError('the file ends within an element');
  return { attributes, pixelData };
}

/** File Meta Information (PS3.10 section 7.1): the elements of group 0002, whatever its group length says. */
export function parseFileMeta(
  bytes: Uint8Array,
  start: number,
): { readonly attributes: Record<string, unknown>; readonly next: number } {
  const context = contextOf(bytes, { explicit: true, littleEndian: true });
  return parseElements(
    context,
    start,
    bytes.length,
    { characterSets: [], signed: false, depth: 0 },
    (header) => header.tag >>> 16 !== 2,
    true,
  );
}

function contextOf(bytes: Uint8Array, encoding: Encoding): Context {
  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    encoding,
    budget: { left: MOST_PARTS },
  };
}

function spend({ budget }: Pick<Context, 'budget'>): void {
  budget.left -= 1;
  if (budget.left < 0) throw new RangeError(`more than ${MOST_PARTS} elements and items`);
}

/**
 * Reads until `end`, an item's end, or where `stop` says so. `lazily`: `stop` sees only the tag, because what follows
 * is in another encoding.
 */
function parseElements(
  context: Context,
  start: number,
  end: number,
  outer: Scope,
  stop: (header: Header) => boolean,
  lazily = false,
) {
  const attributes: Record<string, unknown> = {};
  let scope = outer;
  let offset = start;
  while (offset + 8 <= end) {
    spend(context);
    const tag = readTag(context, offset);
    if (tag === ITEM_END || tag === SEQUENCE_END) {
      offset += 8;
      if (scope.depth > 0) break;
      continue;
    }
    if (lazily && stop({ tag, vr: '', length: 0, start: offset })) break;
    const header = readHeader(context, offset);
    if (stop(header)) break;
    offset = parseElement(context, header, end, scope, attributes);
    scope = widen(scope, tag, attributes);
  }
  return { attributes, next: offset };
}

function widen(scope: Scope, tag: number, attributes: Record<string, unknown>): Scope {
  if (tag === 0x00080005)
    return {
      ...scope,
      characterSets: [attributes.SpecificCharacterSet].flat().map((set) => (typeof set === 'string' ? set : '')),
    };
  return tag === 0x00280103 ? { ...scope, signed: attributes.PixelRepresentation === 1 } : scope;
}

/** @returns the offset of the next element */
function parseElement(
  context: Context,
  header: Header,
  end: number,
  scope: Scope,
  attributes: Record<string, unknown>,
): number {
  const entry = dictionary(header.tag);
  const vr = specificVr(header, entry?.vr, scope.signed);
  if (header.length === UNDEFINED_LENGTH || vr === 'SQ') {
    const { items, next } = parseItems(context, header, end, scope);
    if (entry) attributes[entry.name] = items;
    return next;
  }
  const next = header.start + header.length;
  if (next > end)
    throw new RangeError(
      `element ${hex(header.tag)} says it has ${header.length} bytes, ${end - header.start} are left`,
    );
  if (isOverlayBitPosition(header.tag)) addOverlayBit(context, header, attributes);
  else if (entry) {
    const value = context.bytes.subarray(header.start, next);
    attributes[entry.name] = readValue(value, vr, context.encoding.littleEndian, scope.characterSets);
  }
  return next;
}

/** (60xx,0102) of any overlay group, PS3.3 section C.9.2; xx is even, 00 to 1E (PS3.5 section 7.6). */
function isOverlayBitPosition(tag: number): boolean {
  return (tag & 0xffe1ffff) === OVERLAY_BIT_POSITION;
}

/** The bits that all groups claim come as one list. */
function addOverlayBit({ view, encoding }: Context, header: Header, attributes: Record<string, unknown>): void {
  if (header.length < 2) return;
  const known = [attributes.OverlayBitPosition].flat().filter((bit) => typeof bit === 'number');
  if (known.length < MOST_OVERLAYS)
    attributes.OverlayBitPosition = [...known, view.getUint16(header.start, encoding.littleEndian)];
}

/**
 * A sequence of items (PS3.5 section 7.5); also fragments of an element other than Pixel Data, whose items then are
 * empty.
 */
function parseItems(context: Context, header: Header, end: number, scope: Scope) {
  if (scope.depth >= DEEPEST) throw new RangeError(`sequences nested deeper than ${DEEPEST}`);
  // PS3.5 section 6.2.2: a UN of undefined length is a sequence in Implicit VR Little Endian.
  const inner = header.vr === 'UN' ? { ...context, encoding: { explicit: false, littleEndian: true } } : context;
  const limit = header.length === UNDEFINED_LENGTH ? end : header.start + header.length;
  if (limit > end) throw new RangeError(`sequence ${hex(header.tag)} reaches beyond its end`);
  const items: Record<string, unknown>[] = [];
  let offset = header.start;
  while (offset + 8 <= limit) {
    spend(inner);
    const item = readTag(inner, offset);
    const length = inner.view.getUint32(offset + 4, inner.encoding.littleEndian);
    offset += 8;
    if (item === SEQUENCE_END) return { items, next: offset };
    if (item !== ITEM) throw new RangeError(`sequence ${hex(header.tag)} holds ${hex(item)} where an item belongs`);
    const stop = length === UNDEFINED_LENGTH ? limit : offset + length;
    if (stop > limit) throw new RangeError(`an item of sequence ${hex(header.tag)} is longer than the sequence`);
    const binary = header.vr === 'OB' || header.vr === 'OW';
    const parsed = binary
      ? { attributes: {}, next: stop }
      : parseElements(inner, offset, stop, { ...scope, depth: scope.depth + 1 }, () => false);
    items.push(parsed.attributes);
    offset = length === UNDEFINED_LENGTH ? parsed.next : stop;
  }
  if (header.length === UNDEFINED_LENGTH) throw new RangeError(`sequence ${hex(header.tag)} does not end`);
  return { items, next: limit };
}

/**
 * Fragments as views. Its first item is the Basic Offset Table, which is not needed for a single frame and often wrong.
 */
function readPixelElement(context: Context, header: Header): PixelElement {
  const { bytes, view, encoding } = context;
  if (header.length !== UNDEFINED_LENGTH) {
    const truncated = header.start + header.length > bytes.length;
    return {
      vr: header.vr,
      encapsulated: false,
      fragments: [bytes.subarray(header.start, header.start + header.length)],
      truncated,
    };
  }
  const items: Uint8Array[] = [];
  let offset = header.start;
  while (offset + 8 <= bytes.length) {
    spend(context);
    const tag = readTag(context, offset);
    const length = view.getUint32(offset + 4, encoding.littleEndian);
    offset += 8;
    if (tag === SEQUENCE_END) return { vr: header.vr, encapsulated: true, fragments: items.slice(1), truncated: false };
    if (tag !== ITEM || offset + length > bytes.length) break;
    items.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return { vr: header.vr, encapsulated: true, fragments: items.slice(1), truncated: true };
}

function readTag({ view, encoding }: Pick<Context, 'view' | 'encoding'>, offset: number): number {
  return view.getUint16(offset, encoding.littleEndian) * 0x10000 + view.getUint16(offset + 2, encoding.littleEndian);
}

/** PS3.5 section 7.1.2 (explicit) and 7.1.3 (implicit). DataView throws a RangeError at the end of the bytes. */
function readHeader(context: Context, offset: number): Header {
  const { bytes, view, encoding } = context;
  const tag = readTag(context, offset);
  if (!encoding.explicit)
    return { tag, vr: '', length: view.getUint32(offset + 4, encoding.littleEndian), start: offset + 8 };
  const vr = String.fromCharCode(bytes[offset + 4]!, bytes[offset + 5]!);
  if (!/^[A-Z]{2}$/.test(vr)) throw new RangeError(`element ${hex(tag)} has no Value Representation`);
  if (LONG_VRS.has(vr))
    return { tag, vr, length: view.getUint32(offset + 8, encoding.littleEndian), start: offset + 12 };
  return { tag, vr, length: view.getUint16(offset + 6, encoding.littleEndian), start: offset + 8 };
}

/** The dictionary's VR where the file gives none; private elements of unknown VR stay bytes. */
function specificVr(header: Header, listed: string | undefined, signed: boolean): string {
  if (header.vr !== '' && header.vr !== 'UN') return header.vr;
  switch (listed) {
    case undefined:
      return 'UN';
    case 'xs':
      return signed ? 'SS' : 'US';
    case 'ox':
    case 'lt':
      return 'OW';
    case 'up':
      return 'UL';
    default:
      return listed;
  }
}

function dictionary(tag: number): { readonly name: string; readonly vr: string } | undefined {
  const digits = hex(tag);
  return dcmjs.data.DicomMetaDictionary.dictionary[digits];
}

function hex(tag: number): string {
  const digits = tag.toString(16).toUpperCase().padStart(8, '0');
  return `(${digits.slice(0, 4)},${digits.slice(4)})`;
}
