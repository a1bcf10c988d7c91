import type { Attributes } from './attributes';
import { grayFromColour, isColour, paletteMapping } from './colour';
import { decodedDigest } from './content-digest';
import { imageHeader, type ImageHeader, type PixelLimits } from './image-header';
import { fullRange, isInverse, isPadding, type Mapping, modalityMapping, voiMapping } from './lut';
import { PixelError } from './pixel-error';
import type { Opened } from './read';
import { readSamples, type StoredValues } from './samples';

/**
 * One grey film, ready for display: 0 is black, 1 is white, whatever the source's photometric interpretation. Row by
 * row, in the source's own geometry: neither pixel aspect ratio nor patient orientation is touched, so that a
 * coordinate here is a coordinate in the source.
 */
export interface GrayFilm {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns values, 0..1 */
  readonly values: Float32Array;
}

export interface DecodedPixels extends GrayFilm {
  /** {@link ContentDigest.decoded} */
  readonly digest: string;
}

/** Every stored value that 16 bits can hold, signed or not, has a place in a table that starts at this value. */
const LOWEST = -0x8000;
const TABLE_LENGTH = 0x18000;

/**
 * The film as a workstation shows it first: decompressed, through Modality LUT, VOI LUT or window, and photometric
 * interpretation (PS3.3 section C.11, PS3.4 section N.2). Padding becomes black. Where the window shows nothing at all,
 * the full range of values is shown instead.
 * @throws PixelError when the film cannot be decoded, or is one constant grey: decoders that fail silently return those
 */
export async function decodePixels(opened: Opened, limits?: PixelLimits): Promise<DecodedPixels> {
  const { attributes } = opened;
  const { header, colour, stored } = await storedPixels(opened, limits);
  const display = colour ? colourDisplay() : grayDisplay(attributes, header);
  const table = displayTable(stored, display);
  const { rows, columns } = header;
  const values = new Float32Array(rows * columns);
  for (let index = 0; index < values.length; index += 1) values[index] = table[stored[index]! - LOWEST]!;
  return { rows, columns, values, digest: decodedDigest(stored, { rows, columns, colour }, attributes) };
}

/** {@link ContentDigest.decoded} of a film that may have no picture in it. @throws PixelError as {@link decodePixels} */
export async function digestPixels(opened: Opened, limits?: PixelLimits): Promise<string> {
  const { header, colour, stored } = await storedPixels(opened, limits);
  return decodedDigest(stored, { ...header, colour }, opened.attributes);
}

/** One value a pixel, before any look-up table; of a film in colour its luminance. */
async function storedPixels({ attributes, pixelData, transferSyntaxUid }: Opened, limits?: PixelLimits) {
  const header = imageHeader(attributes, limits);
  const samples = await readSamples(pixelData, transferSyntaxUid, header);
  const colour = isColour(header);
  return { header, colour, stored: colour ? grayFromColour(samples, header) : samples.values };
}

/** How stored values become display values. */
interface Display {
  readonly modality: Mapping;
  /** Undefined: smallest to largest value. */
  readonly voi: Mapping | undefined;
  readonly inverse: boolean;
  readonly padding: (stored: number) => boolean;
}

function grayDisplay(attributes: Attributes, { photometric }: ImageHeader): Display {
  const palette = photometric === 'PALETTE COLOR' ? paletteMapping(attributes) : undefined;
  if (palette) return { ...colourDisplay(), modality: palette };
  return {
    modality: modalityMapping(attributes),
    voi: voiMapping(attributes),
    inverse: isInverse(attributes),
    padding: isPadding(attributes),
  };
}

/** Colours are display values already; windows do not apply to them (PS3.3 section C.11.2). */
function colourDisplay(): Display {
  return { modality: (value) => value, voi: (value) => value / 0xff, inverse: false, padding: () => false };
}

/** Display value by stored value: a film has millions of pixels but at most 65536 values. */
function displayTable(stored: StoredValues, { modality, voi, inverse, padding }: Display): Float32Array {
  const present = valuesPresent(stored).filter((value) => !padding(value));
  const measured = present.map(modality);
  const shown =
    (voi && varied(measured.map(voi))) ?? varied(measured.map(fullRange(smallest(measured), largest(measured))));
  if (!shown) throw new PixelError('blank-image', 'the picture is one constant grey (constant image)');
  const table = new Float32Array(TABLE_LENGTH);
  present.forEach((value, index) => (table[value - LOWEST] = inverse ? 1 - shown[index]! : shown[index]!));
  return table;
}

function varied(values: readonly number[]): readonly number[] | undefined {
  return values.some((value) => Math.abs(value - values[0]!) > 1e-6) ? values : undefined;
}

function valuesPresent(stored: StoredValues): number[] {
  const seen = new Uint8Array(TABLE_LENGTH);
  for (let index = 0; index < stored.length; index += 1) seen[stored[index]! - LOWEST] = 1;
  return Array.from(seen.keys())
    .filter((index) => seen[index] === 1)
    .map((index) => index + LOWEST);
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}
