import {
  dictionary,
  type ElementHeader,
  type Encoding,
  encodingAt,
  hex,
  isElementAt,
  ITEM,
  ITEM_END,
  readHeader,
  readTag,
  SEQUENCE_END,
  UNDEFINED_LENGTH,
} from './element-header';
import { IDENTIFIERS } from './identifiers';
import { readValue } from './value';

/**
 * Parser for data elements (PS3.5 section 7) of untrusted files. dcmjs has the dictionary and does the writing; its
 * reader is not used, because it trusts every length, reads nested text as Latin-1, and drops the frame when a Basic
 * Offset Table is wrong. Here every length is checked against the file, nesting is limited, and pixel data stay a view
 * of the file. Files that break the Standard are read where archives accept them: docs/conformance.md, "Files that
 * break the encoding rules".
 */

/** Value of Pixel Data (7FE0,0010), still encoded. */
export interface PixelElement {
  readonly vr: string;
  /** PS3.5 section A.4: the value is in fragments. */
  readonly encapsulated: boolean;
  /** The fragments; native pixel data are one. */
  readonly fragments: readonly Uint8Array[];
  /** The file ends before the element. */
  readonly truncated: boolean;
}

export interface ParsedDataset {
  readonly attributes: Record<string, unknown>;
  readonly pixelData: PixelElement | null;
}

interface Context {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly encoding: Encoding;
  /**
   * Elements, items and fragments that may still be read: eight bytes of a file can each become an object of hundreds.
   */
  readonly budget: { left: number };
}

/** What an item inherits from the data set around it. */
interface Scope {
  readonly characterSets: readonly string[];
  /** Pixel Representation (0028,0103) is 1: decides between US and SS where the VR is implicit. */
  readonly signed: boolean;
  readonly depth: number;
}

const PIXEL_DATA = 0x7fe00010;
const OVERLAY_BIT_POSITION = 0x60000102;
const MAX_OVERLAYS = 16;
const DEEPEST = 32;
/** Largest number of elements, items and fragments of a file. Films have hundreds. */
const MAX_PARTS = 500_000;

/** Elements up to Pixel Data; nothing after it is read. @throws RangeError with the offset of the error */
export function parseDataset(bytes: Uint8Array, start: number, encoding: Encoding): ParsedDataset {
  const context = contextOf(bytes, encoding);
  // Typed wider: the compiler does not see that the callback sets it.
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
  // A trailing zero byte is harmless; the beginning of an element means that the rest of the film is missing.
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
    budget: { left: MAX_PARTS },
  };
}

function spend({ budget }: Pick<Context, 'budget'>): void {
  budget.left -= 1;
  if (budget.left < 0) throw new RangeError(`more than ${MAX_PARTS} elements and items`);
}

/**
 * Reads elements until `end`, an item's end, or until `stop` returns true. With `lazily`, `stop` gets only the tag,
 * because what follows is in another encoding.
 */
function parseElements(
  context: Context,
  start: number,
  end: number,
  outer: Scope,
  stop: (header: ElementHeader) => boolean,
  lazily = false,
) {
  const attributes: Record<string, unknown> = {};
  let scope = outer;
  let offset = start;
  while (offset + 8 <= end) {
    spend(context);
    const tag = readTag(context, offset);
    if (scope.depth > 0 && (tag === SEQUENCE_END || tag === ITEM)) break;
    if (tag === ITEM_END || tag === SEQUENCE_END) {
      offset += 8;
      if (scope.depth > 0) break;
      continue;
    }
    if (tag === 0 && scope.depth === 0 && isPadding(context, offset)) break;
    if (lazily && stop({ tag, vr: '', length: 0, start: offset })) break;
    const header = readHeader(context, offset, end);
    if (stop(header)) break;
    offset = parseElement(context, header, end, scope, attributes);
    scope = widen(scope, tag, attributes);
  }
  return { attributes, next: offset };
}

/** Whether only zeros are left, in an explicit file. */
function isPadding({ bytes, encoding }: Context, offset: number): boolean {
  return encoding.explicit && !bytes.subarray(offset).some((byte) => byte !== 0);
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
  header: ElementHeader,
  end: number,
  scope: Scope,
  attributes: Record<string, unknown>,
): number {
  const entry = dictionary(header.tag);
  const vr = specificVr(header, entry?.vr, scope.signed);
  if (header.length === UNDEFINED_LENGTH || vr === 'SQ') {
    if (header.vr !== 'SQ' && !holdsItems(context, header)) return behindUnknown(context, header, end);
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
  else if (entry && !isLaterOverlay(header.tag))
    attributes[entry.name] = readValue(
      context.bytes.subarray(header.start, next),
      vr,
      context.encoding.littleEndian,
      scope.characterSets,
      IDENTIFIERS.has(entry.name),
    );
  return next;
}

/** Skips a value that is neither of defined length nor a sequence of items, up to its delimiter; it is not used. */
function behindUnknown({ bytes, encoding }: Context, header: ElementHeader, end: number): number {
  const delimiter = Uint8Array.from(encoding.littleEndian ? [0xfe, 0xff, 0xdd, 0xe0] : [0xff, 0xfe, 0xe0, 0xdd]);
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, end).indexOf(delimiter, header.start);
  const next = header.length === UNDEFINED_LENGTH ? found + 8 : header.start + header.length;
  if (next > end || next < header.start) throw new RangeError(`element ${hex(header.tag)} does not end`);
  return next;
}

function holdsItems(context: Context, header: ElementHeader): boolean {
  if (header.length < 8 || header.start + 8 > context.bytes.length) return header.length === 0;
  return [ITEM, ITEM_END, SEQUENCE_END].includes(readTag(itemContext(context, header), header.start));
}

/** A UN of undefined length is a sequence in Implicit VR Little Endian (PS3.5 section 6.2.2). */
function itemContext(context: Context, header: ElementHeader): Context {
  return header.vr === 'UN' ? { ...context, encoding: { explicit: false, littleEndian: true } } : context;
}

/**
 * Overlay Bit Position (60xx,0102) of any overlay group (PS3.3 section C.9.2); xx is even, 00 to 1E (PS3.5 section
 * 7.6).
 */
function isOverlayBitPosition(tag: number): boolean {
  return (tag & 0xffe1ffff) === OVERLAY_BIT_POSITION;
}

/** A keyword stands for the first of the repeating groups; this is a later one. */
function isLaterOverlay(tag: number): boolean {
  return (tag & 0xffe00000) === 0x60000000 && (tag & 0x001f0000) !== 0;
}

/** Overlay bit positions of all groups are collected in one list. */
function addOverlayBit({ view, encoding }: Context, header: ElementHeader, attributes: Record<string, unknown>): void {
  if (header.length < 2) return;
  const known = [attributes.OverlayBitPosition].flat().filter((bit) => typeof bit === 'number');
  if (known.length < MAX_OVERLAYS)
    attributes.OverlayBitPosition = [...known, view.getUint16(header.start, encoding.littleEndian)];
}

/**
 * A sequence of items (PS3.5 section 7.5), or fragments of an element other than Pixel Data, whose items are empty.
 * With a wrong length or delimiter it ends where another element follows.
 */
function parseItems(context: Context, header: ElementHeader, end: number, scope: Scope) {
  if (scope.depth >= DEEPEST) throw new RangeError(`sequences nested deeper than ${DEEPEST}`);
  const inner = itemContext(context, header);
  const said = header.length === UNDEFINED_LENGTH ? Infinity : header.start + header.length;
  let limit = Math.min(said, end);
  const items: Record<string, unknown>[] = [];
  let offset = header.start;
  while (offset + 8 <= limit) {
    spend(inner);
    const tag = readTag(inner, offset);
    if (tag === SEQUENCE_END) return { items, next: offset + 8 };
    if (tag === ITEM) {
      const length = inner.view.getUint32(offset + 4, inner.encoding.littleEndian);
      const stop = length === UNDEFINED_LENGTH ? limit : offset + 8 + length;
      if (stop > limit) limit = longer(context, header, stop, end);
      const { attributes, next } = parseItem(inner, header, offset + 8, stop, scope);
      items.push(attributes);
      offset = length === UNDEFINED_LENGTH ? next : stop;
    } else if (tag === ITEM_END) offset += 8;
    else if (isElementAt(context, offset, end, header.tag)) return { items, next: offset };
    else throw new RangeError(`sequence ${hex(header.tag)} holds ${hex(tag)} where an item belongs`);
  }
  // Inside of an item, the sequence may end with the item.
  if (said > end && !(scope.depth > 0 && offset === end))
    throw new RangeError(`sequence ${hex(header.tag)} does not end`);
  // Less than an item is left: if an element starts here, the sequence's length was too large.
  return { items, next: offset < limit && isElementAt(context, offset, end, header.tag) ? offset : limit };
}

/** The sequence's length is too small for its last item. */
function longer(context: Context, header: ElementHeader, stop: number, end: number): number {
  if (header.length !== UNDEFINED_LENGTH && isElementAt(context, stop, end, header.tag)) return stop;
  throw new RangeError(`an item of sequence ${hex(header.tag)} is longer than the sequence`);
}

/** An item may be in another encoding than its data set, where a converter left it so. */
function parseItem(inner: Context, header: ElementHeader, start: number, stop: number, scope: Scope) {
  if (header.vr === 'OB' || header.vr === 'OW') return { attributes: {}, next: stop };
  const encoding = encodingAt(inner.view, start, stop, inner.encoding);
  return parseElements({ ...inner, encoding }, start, stop, { ...scope, depth: scope.depth + 1 }, () => false);
}

/**
 * Fragments as views of the file. The first item is the Basic Offset Table, which is not needed for a single frame and
 * often wrong.
 */
function readPixelElement(context: Context, header: ElementHeader): PixelElement {
  const { bytes } = context;
  if (header.length !== UNDEFINED_LENGTH) {
    const truncated = header.start + header.length > bytes.length;
    return {
      vr: header.vr,
      encapsulated: false,
      fragments: [bytes.subarray(header.start, header.start + header.length)],
      truncated,
    };
  }
  const { items, isWhole } = readFragments(context, header);
  return { vr: header.vr, encapsulated: true, fragments: items.slice(1), truncated: !isWhole };
}

/** Also complete without the delimiter: where the file ends or another element follows after the last fragment. */
function readFragments(context: Context, header: ElementHeader): { items: Uint8Array[]; isWhole: boolean } {
  const { bytes, view, encoding } = context;
  const items: Uint8Array[] = [];
  let offset = header.start;
  while (offset + 8 <= bytes.length) {
    spend(context);
    // The length of a fragment may leave out its padding byte.
    if (
      items.length > 0 &&
      !isFragment(context, offset) &&
      offset + 9 <= bytes.length &&
      isFragment(context, offset + 1)
    )
      offset += 1;
    const tag = readTag(context, offset);
    const length = view.getUint32(offset + 4, encoding.littleEndian);
    if (tag === SEQUENCE_END) return { items, isWhole: true };
    if (tag !== ITEM)
      return { items, isWhole: items.length > 1 && isElementAt(context, offset, bytes.length, header.tag) };
    if (offset + 8 + length > bytes.length) return { items, isWhole: false };
    items.push(bytes.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return { items, isWhole: items.length > 1 };
}

function isFragment(context: Context, offset: number): boolean {
  const tag = readTag(context, offset);
  return tag === ITEM || tag === SEQUENCE_END;
}

/** The dictionary's VR where the file has none; private elements of unknown VR stay bytes. */
function specificVr(header: ElementHeader, listed: string | undefined, signed: boolean): string {
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
