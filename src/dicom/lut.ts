import { type Attributes, binary, items, type Keyword, number, numbers, text } from './attributes';
import { undecodable } from './pixel-error';

/** A look-up table of PS3.3 section C.11.1.1.1 or C.11.2.1.1. */
export interface Lut {
  /** Input value of the first entry; smaller inputs give the first entry, larger ones the last. */
  readonly first: number;
  readonly data: ArrayLike<number>;
  /** Bits per entry, by the descriptor. */
  readonly bits: number;
  /**
   * Bits that the largest entry needs, at least 8: some descriptors say 16 for entries of 12 bits, some say too few.
   * dcmtk and dciodvfy go by the entries as well.
   */
  readonly held: number;
}

export type Mapping = (value: number) => number;

/** Smallest and largest possible value. */
type Range = readonly [lowest: number, highest: number];

/** Range of stored values, by Bits Stored and Pixel Representation. */
function storedRange(attributes: Attributes): Range {
  const bits = number(attributes, 'BitsStored') ?? number(attributes, 'BitsAllocated') ?? 16;
  return number(attributes, 'PixelRepresentation') === 1
    ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
    : [0, 2 ** bits - 1];
}

/** Range of the input of a VOI LUT (PS3.3 section C.11.2.1.1), in modality units. */
function measuredRange(attributes: Attributes): Range {
  if (items(attributes, 'ModalityLUTSequence').length > 0) return [0, 0xffff];
  const ends = storedRange(attributes).map(modalityMapping(attributes));
  return [Math.min(...ends), Math.max(...ends)];
}

/**
 * Corrects a 16-bit value that was read as US instead of SS, or the other way round: the VR depends on Pixel
 * Representation (PS3.6, "US or SS"), and software that changes that may keep the other. A value outside of the
 * possible range is read as the other VR.
 */
function reread(value: number, [lowest, highest]: Range): number {
  if (value < 0 && lowest >= 0) return value + 0x10000;
  return value > 0x7fff && value > highest && lowest < 0 ? value - 0x10000 : value;
}

/** As {@link reread}, also for a value that was written with Bits Stored bits and lost its sign. */
function rereadStored(value: number, range: Range): number {
  const read = reread(value, range);
  const [lowest, highest] = range;
  return lowest < 0 && read > highest && read <= highest - 2 * lowest - 1 ? read + 2 * lowest : read;
}

/** The first usable Modality LUT; undefined where there is none. */
export function modalityLut(attributes: Attributes): Lut | undefined {
  return lutOf(attributes, 'ModalityLUTSequence', storedRange);
}

/** The first usable VOI LUT; undefined where there is none. */
export function voiLut(attributes: Attributes): Lut | undefined {
  return lutOf(attributes, 'VOILUTSequence', measuredRange);
}

function lutOf(
  attributes: Attributes,
  sequence: 'ModalityLUTSequence' | 'VOILUTSequence',
  rangeOf: (attributes: Attributes) => Range,
): Lut | undefined {
  const [item] = items(attributes, sequence);
  const lut = item && readLut(item, 'LUTDescriptor', 'LUTData');
  return lut && { ...lut, first: reread(lut.first, rangeOf(attributes)) };
}

/**
 * Stored values to modality values (PS3.3 section C.11.1): Modality LUT Sequence, or rescale slope and intercept, or
 * identity.
 */
export function modalityMapping(attributes: Attributes): Mapping {
  if (items(attributes, 'ModalityLUTSequence').length > 0) {
    const lut = modalityLut(attributes);
    if (!lut) throw undecodable('the Modality LUT is damaged');
    return (value) => lookUp(lut, value);
  }
  const [slope, intercept] = [number(attributes, 'RescaleSlope') ?? 1, number(attributes, 'RescaleIntercept') ?? 0];
  if (!Number.isFinite(slope) || !Number.isFinite(intercept) || slope === 0)
    throw undecodable('the rescale slope or intercept is no usable number');
  return (value) => value * slope + intercept;
}

/**
 * Modality values to 0..1 (PS3.3 section C.11.2): the first VOI LUT, else the first window. LUTs and windows are
 * alternative views; workstations show the first one. Undefined where there is no usable one.
 */
export function voiMapping(attributes: Attributes): Mapping | undefined {
  const lut = voiLut(attributes);
  if (lut) return (value) => lookUp(lut, Math.round(value)) / (2 ** lut.held - 1);
  const [center, width] = [number(attributes, 'WindowCenter'), number(attributes, 'WindowWidth')];
  return center === undefined || width === undefined || !Number.isFinite(center) || !Number.isFinite(width)
    ? undefined
    : windowMapping(center, width, text(attributes, 'VOILUTFunction'));
}

/**
 * PS3.3 sections C.11.2.1.2.1 (LINEAR, the default), C.11.2.1.3.1 (SIGMOID) and C.11.2.1.3.2 (LINEAR_EXACT). Undefined
 * for a width that is not allowed.
 */
function windowMapping(center: number, width: number, voiFunction = 'LINEAR'): Mapping | undefined {
  if (voiFunction === 'SIGMOID')
    return width > 0 ? (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width)) : undefined;
  if (voiFunction === 'LINEAR_EXACT') return width > 0 ? (value) => clamp((value - center) / width + 0.5) : undefined;
  if (width < 1) return undefined;
  return width === 1
    ? (value) => (value <= center - 0.5 ? 0 : 1)
    : (value) => clamp((value - (center - 0.5)) / (width - 1) + 0.5);
}

/** Without a window: the smallest value is black, the largest is white. */
export function fullRange(smallest: number, largest: number): Mapping {
  return (value) => clamp((value - smallest) / (largest - smallest || 1));
}

/**
 * Whether low values are white: by MONOCHROME1 (PS3.3 section C.7.6.3.1.2) or Presentation LUT Shape INVERSE. A DX film
 * in MONOCHROME1 has to carry INVERSE as well (section C.8.11.3), which says the same a second time. MONOCHROME1 with
 * IDENTITY is a contradiction: the photometric interpretation, which every image has, counts.
 */
export function isInverse(attributes: Attributes): boolean {
  return (
    text(attributes, 'PhotometricInterpretation') === 'MONOCHROME1' ||
    text(attributes, 'PresentationLUTShape') === 'INVERSE'
  );
}

/**
 * Whether a stored value is padding: Pixel Padding Value, and the other end of its range (PS3.3 sections C.7.5.1.1.2
 * and C.7.6.3.1.4).
 */
export function isPadding(attributes: Attributes): (stored: number) => boolean {
  const written = number(attributes, 'PixelPaddingValue');
  if (written === undefined || Number.isNaN(written)) return () => false;
  const range = storedRange(attributes);
  const value = rereadStored(written, range);
  const limit = rereadStored(number(attributes, 'PixelPaddingRangeLimit') ?? written, range);
  const [low, high] = [Math.min(value, limit), Math.max(value, limit)];
  return (stored) => stored >= low && stored <= high;
}

/** Undefined where descriptor and data do not fit each other. */
export function readLut(attributes: Attributes, descriptor: Keyword, data: Keyword): Lut | undefined {
  const [count, first, bits] = numbers(attributes, descriptor);
  if (count === undefined || first === undefined || bits === undefined) return undefined;
  // The count has two bytes: 0 means 65536, and a large count that was read as signed is negative.
  const length = count & 0xffff || 0x10000;
  const entries = lutEntries(attributes, data, length);
  if (!entries) return undefined;
  return { first, data: entries, bits: bits >= 8 && bits <= 16 ? bits : 16, held: heldBits(entries) };
}

function heldBits(entries: ArrayLike<number>): number {
  let greatest = 0;
  for (let index = 0; index < entries.length; index += 1) greatest = Math.max(greatest, entries[index]!);
  return Math.max(8, 32 - Math.clz32(greatest));
}

/** Entries as numbers (US), or as bytes (OW) of 16-bit words or, where there are too few for that, of 8-bit entries. */
function lutEntries(attributes: Attributes, keyword: Keyword, length: number): ArrayLike<number> | undefined {
  const bytes = binary(attributes, keyword);
  if (!bytes) {
    const values = numbers(attributes, keyword);
    return values.length >= length ? values.slice(0, length) : undefined;
  }
  if (bytes.length < length) return undefined;
  if (bytes.length < 2 * length) return bytes.subarray(0, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length }, (_, index) => view.getUint16(2 * index, true));
}

export function lookUp({ first, data }: Lut, value: number): number {
  return data[Math.min(Math.max(value - first, 0), data.length - 1)]!;
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
