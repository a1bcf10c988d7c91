import { type Attributes, number } from './attributes';
import type { Resolution } from './codecs';
import { grayFromColour, hasColours, isColour, isColouredPalette, paletteMapping } from './colour';
import { decodedDigest } from './content-digest';
import { greyRange, type Histogram, isOutside, repair, undeclaredPadding } from './grey-scale';
import { imageHeader, type ImageHeader, type PixelLimits } from './image-header';
import { fullRange, isInverse, isPadding, type Mapping, modalityMapping, voiMapping } from './lut';
import { PixelError } from './pixel-error';
import type { Opened } from './read';
import { readSamples, type StoredValues } from './samples';

/** Cases where pixels differ from the header, or could not all be decoded (docs/conformance.md, "Grey scale"). */
const PIXEL_REMARKS = ['outlying-values', 'undeclared-padding', 'beyond-bits-stored', 'half-resolution'] as const;
export interface PixelRemark {
  readonly kind: (typeof PIXEL_REMARKS)[number];
  /** Number of decoded pixels that it concerns. */
  readonly pixels: number;
}

/**
 * A grey film ready for display: 0 is black, 1 is white, whatever the photometric interpretation. Row by row in the
 * geometry of the source: pixel aspect ratio and patient orientation are not applied, so that coordinates are those of
 * the source.
 */
export interface GrayFilm {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns values, 0..1 */
  readonly values: Float32Array;
  /** The stored picture shows colours; absent where it does not. */
  readonly coloured?: true;
  /** Absent where the pixels agree with the header. */
  readonly remarks?: readonly PixelRemark[];
}

/** Properties of a decoded film beside its values; rows and columns are the source's, however many were decoded. */
export type FilmFacts = Omit<DecodedPixels, 'values'>;

export interface DecodedPixels extends GrayFilm {
  /** {@link ContentDigest.decoded} */
  readonly digest: string;
}

/** Length of a table by the lower 16 bits of a stored value: a film has either signed or unsigned values. */
const TABLE_LENGTH = 0x10000;

/** A picture as stored values, and the display value of each. */
export interface TabledPicture {
  readonly rows: number;
  readonly columns: number;
  /** Row by row. */
  readonly stored: StoredValues;
  /** Display value by the lower 16 bits of a stored value: 65536 entries. */
  readonly table: Float32Array;
  /** Pixels with another display value than the table's. */
  readonly exceptions?: Exceptions | undefined;
}

interface Exceptions {
  /** Whether a row has any. */
  has(row: number): boolean;
  /** Calls `tell` for each exception of a row, with its column and display value. */
  forEach(row: number, tell: (column: number, value: number) => void): void;
}

/**
 * A decoded film as stored values and a table of display values. An array of display values would take four bytes a
 * pixel, which callers that make smaller pictures do not need.
 */
export interface DisplayedFilm {
  readonly facts: FilmFacts;
  /** The display values in ascending order, and the number of pixels of each. */
  readonly histogram: Histogram;
  /** Display values, 0..1. */
  readonly shown: TabledPicture;
  /** The same picture with a mapping applied to the display values. */
  readonly mapped: (mapping: Mapping) => TabledPicture;
}

/** @throws PixelError as {@link displayFilm} */
export async function decodePixels(opened: Opened, limits?: PixelLimits): Promise<DecodedPixels> {
  const { facts, shown } = await displayFilm(opened, limits);
  const { stored, table, exceptions } = shown;
  const values = new Float32Array(stored.length);
  for (let index = 0; index < values.length; index += 1) values[index] = table[stored[index]! & 0xffff]!;
  for (let row = 0; row < facts.rows; row += 1)
    if (exceptions?.has(row) === true)
      exceptions.forEach(row, (column, value) => (values[row * facts.columns + column] = value));
  return { ...facts, values };
}

/**
 * The film as a workstation shows it first: decompressed, through Modality LUT, VOI LUT or window, and photometric
 * interpretation (PS3.3 section C.11, PS3.4 section N.2). Padding is black, declared or not. Without a usable window,
 * the scale is that of the values without outliers (grey-scale.ts).
 * @throws PixelError when the film can't be decoded or is one constant grey, which decoders return when they fail
 * silently
 */
export async function displayFilm(
  opened: Opened,
  limits?: PixelLimits,
  resolution?: Resolution,
): Promise<DisplayedFilm> {
  const { attributes } = opened;
  const { header, samples, colour, stored } = await storedPixels(opened, limits, resolution);
  const picture = { rows: samples.rows, columns: samples.columns, values: stored };
  const display = colour ? colourDisplay() : grayDisplay(attributes, header);
  const all = histogramOf(colour ? countStored(stored) : samples.counts, stored, display.padding);
  const padding = undeclaredPadding(picture, all, brighterIn(display));
  const own = padding === null ? all : histogramOf(countStored(stored, padding.mask), stored, display.padding);
  const { table, outlying, outside } = displayTable(own, display);
  const mask = padding?.mask;
  const isFilm = (index: number) => mask?.[index] !== 1 && !display.padding(stored[index]!);
  const repaired =
    outside === 0
      ? NOTHING_REPAIRED
      : repair(picture, {
          valueOf: (index) => table[stored[index]! & 0xffff]!,
          isWrong: (index) => outlying(stored[index]!) && isFilm(index),
          isRight: (index) => isFilm(index) && !outlying(stored[index]!),
        });
  const remarks = remarksOf({
    'beyond-bits-stored': samples.beyondStored,
    'undeclared-padding': padding?.pixels ?? 0,
    'outlying-values': outside,
    'half-resolution': samples.rows < header.rows ? stored.length : 0,
  });
  const coloured = colour ? hasColours(samples, header) : isColouredPalette(attributes, header);
  const facts = {
    rows: header.rows,
    columns: header.columns,
    digest: decodedDigest(stored, { ...picture, colour }, opened),
    ...(coloured ? { coloured } : {}),
    ...(remarks.length > 0 ? { remarks } : {}),
  };
  return {
    facts,
    histogram: shownHistogram(own, table, stored, repaired),
    shown: tabled(picture, { table, padding: 0, mask, repaired }),
    mapped: (mapping) =>
      tabled(picture, {
        table: mappedTable(table, own, mapping),
        padding: mapping(0),
        mask,
        repaired: new Map([...repaired].map(([index, value]) => [index, mapping(Math.fround(value))])),
      }),
  };
}

const NOTHING_REPAIRED: ReadonlyMap<number, number> = new Map();

interface Shown {
  /** Display value by the lower 16 bits of the stored value. */
  readonly table: Float32Array;
  /** Display value of the pixels in the mask. */
  readonly padding: number;
  readonly mask: Uint8Array | undefined;
  readonly repaired: ReadonlyMap<number, number>;
}

function tabled(
  { rows, columns, values: stored }: { readonly rows: number; readonly columns: number; readonly values: StoredValues },
  { table, padding, mask, repaired }: Shown,
): TabledPicture {
  if (mask === undefined && repaired.size === 0) return { rows, columns, stored, table };
  const rowsRepaired = new Set([...repaired.keys()].map((index) => Math.floor(index / columns)));
  return {
    rows,
    columns,
    stored,
    table,
    exceptions: {
      has: (row) => mask !== undefined || rowsRepaired.has(row),
      forEach(row, tell) {
        const start = row * columns;
        for (let column = 0; column < columns; column += 1) {
          const value = mask?.[start + column] === 1 ? padding : repaired.get(start + column);
          if (value !== undefined) tell(column, value);
        }
      },
    },
  };
}

/** Stored values that are not in the histogram are declared padding, which is black. */
function mappedTable(table: Float32Array, { values }: Histogram, mapping: Mapping): Float32Array {
  const mapped = new Float32Array(table.length).fill(mapping(0));
  for (const value of values) mapped[value & 0xffff] = mapping(table[value & 0xffff]!);
  return mapped;
}

/** Histogram of the display values; padding is black. */
function shownHistogram(
  { values, counts }: Histogram,
  table: Float32Array,
  stored: StoredValues,
  repaired: ReadonlyMap<number, number>,
): Histogram {
  const pixels = new Map<number, number>();
  const add = (value: number, count: number) => pixels.set(value, (pixels.get(value) ?? 0) + count);
  values.forEach((value, index) => add(table[value & 0xffff]!, counts[index]!));
  const padding = stored.length - counts.reduce((sum, count) => sum + count, 0);
  if (padding > 0) add(0, padding);
  for (const [index, value] of repaired) {
    add(table[stored[index]! & 0xffff]!, -1);
    add(Math.fround(value), 1);
  }
  const shown = [...pixels].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  return { values: shown.map(([value]) => value), counts: shown.map(([, count]) => count) };
}

/** {@link ContentDigest.decoded} of a film that may show nothing. @throws PixelError as {@link decodePixels} */
export async function digestPixels(opened: Opened, limits?: PixelLimits, resolution?: Resolution): Promise<string> {
  const { samples, colour, stored } = await storedPixels(opened, limits, resolution);
  return decodedDigest(stored, { ...samples, colour }, opened);
}

/** One stored value a pixel, before any look-up table; for a film in colour its luminance. */
async function storedPixels(
  { attributes, pixelData, transferSyntaxUid }: Opened,
  limits?: PixelLimits,
  resolution?: Resolution,
) {
  const header = imageHeader(attributes, limits);
  const asked = isContinuous(attributes, header) ? resolution : 'whole';
  const samples = await readSamples(pixelData, transferSyntaxUid, header, asked);
  const colour = isColour(header);
  return { header, samples, colour, stored: colour ? grayFromColour(samples, header) : samples.values };
}

/** Whether values can be averaged: not palette indices, values with overlay bits, or film and padding. */
function isContinuous(attributes: Attributes, { photometric, highBit, bitsStored, overlayBits }: ImageHeader): boolean {
  const isPlain = photometric.startsWith('MONOCHROME') && highBit === bitsStored - 1 && overlayBits === 0;
  return isPlain && number(attributes, 'PixelPaddingValue') === undefined;
}

function remarksOf(counts: Readonly<Record<PixelRemark['kind'], number>>): PixelRemark[] {
  return PIXEL_REMARKS.map((kind) => ({ kind, pixels: counts[kind] })).filter(({ pixels }) => pixels > 0);
}

/** How stored values become display values. */
interface Display {
  readonly modality: Mapping;
  /** Undefined: from the smallest to the largest value. */
  readonly voi: Mapping | undefined;
  readonly inverse: boolean;
  readonly padding: (stored: number) => boolean;
  /** The values are 0..255 as shown, without a window. */
  readonly shown: boolean;
}

function grayDisplay(attributes: Attributes, { photometric }: ImageHeader): Display {
  const palette = photometric === 'PALETTE COLOR' ? paletteMapping(attributes) : undefined;
  if (palette) return { ...colourDisplay(), modality: palette };
  return {
    modality: modalityMapping(attributes),
    voi: voiMapping(attributes),
    inverse: isInverse(attributes),
    padding: isPadding(attributes),
    shown: false,
  };
}

/** Colours are display values; windows do not apply to them (PS3.3 section C.11.2). */
function colourDisplay(): Display {
  return { modality: (value) => value, voi: undefined, inverse: false, padding: () => false, shown: true };
}

function brighterIn({ modality, inverse }: Display): (value: number, than: number) => boolean {
  return (value, than) => (inverse ? modality(value) < modality(than) : modality(value) > modality(than));
}

/** Display value by stored value: a film has millions of pixels but at most 65536 values. */
function displayTable(
  { values, counts }: Histogram,
  { modality, voi, inverse, shown: asShown }: Display,
): { readonly table: Float32Array; readonly outlying: (stored: number) => boolean; readonly outside: number } {
  if (values.length === 0) throw blank('the picture is nothing but padding');
  const measured = values.map(modality);
  const windowed = voi && varied(measured.map(voi));
  const range = greyRange(ascending(measured, counts));
  if (range === null) throw blank('the picture is one constant grey, or nearly so');
  const own = asShown ? withinRange(range.lowest, range.highest) : fullRange(range.lowest, range.highest);
  const shown = windowed ?? measured.map(own);
  const table = new Float32Array(TABLE_LENGTH);
  values.forEach((value, index) => (table[value & 0xffff] = inverse ? 1 - shown[index]! : shown[index]!));
  if (windowed) return { table, outlying: () => false, outside: 0 };
  const outliers = new Uint8Array(TABLE_LENGTH);
  values.forEach((value, index) => (outliers[value & 0xffff] = isOutside(measured[index]!, range) ? 1 : 0));
  return { table, outlying: (stored) => outliers[stored & 0xffff] === 1, outside: range.outside };
}

/** Clips outliers without changing the brightness of other values. */
function withinRange(lowest: number, highest: number): Mapping {
  return (value) => Math.min(highest, Math.max(lowest, value)) / 0xff;
}

function blank(why: string): PixelError {
  return new PixelError('blank-image', `${why} (constant image)`);
}

function varied(values: readonly number[]): readonly number[] | undefined {
  return values.some((value) => Math.abs(value - values[0]!) > 1e-6) ? values : undefined;
}

/** Number of pixels by the lower 16 bits of their stored value; masked ones are left out. */
function countStored(stored: StoredValues, mask?: Uint8Array): Uint32Array {
  const counts = new Uint32Array(TABLE_LENGTH);
  for (let index = 0; index < stored.length; index += 1) if (mask?.[index] !== 1) counts[stored[index]! & 0xffff]! += 1;
  return counts;
}

/** Stored values that are no declared padding, in ascending order, with their numbers of pixels. */
function histogramOf(counted: Uint32Array, stored: StoredValues, padding: (value: number) => boolean): Histogram {
  const lowest = stored instanceof Int16Array ? -0x8000 : 0;
  const values: number[] = [];
  for (let value = lowest; value < lowest + TABLE_LENGTH; value += 1)
    if (counted[value & 0xffff]! > 0 && !padding(value)) values.push(value);
  return { values, counts: values.map((value) => counted[value & 0xffff]!) };
}

/** Sorts and merges: a mapping may reverse the order or give several values one brightness. */
function ascending(values: readonly number[], counts: readonly number[]): Histogram {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  return { values: order.map((index) => values[index]!), counts: order.map((index) => counts[index]!) };
}
