import type { Attributes } from './attributes';
import type { ImageHeader } from './image-header';
import { lookUp, type Lut, type Mapping, readLut } from './lut';
import { undecodable } from './pixel-error';
import type { Samples } from './samples';

/**
 * Film digitisers and re-imported screenshots store grey films in colour; their luminance is used (ITU-R BT.601, as in
 * PS3.3 section C.7.6.3.1.2).
 */
const RED = 0.299;
const GREEN = 0.587;
const BLUE = 0.114;

/** Photometric interpretations whose first sample is the luminance itself. */
const LUMINANCE_FIRST = new Set(['YBR_FULL', 'YBR_FULL_422', 'YBR_PARTIAL_420', 'YBR_PARTIAL_422']);

export function isColour({ samplesPerPixel, photometric }: ImageHeader): boolean {
  if (samplesPerPixel === 3) return true;
  if (!['MONOCHROME1', 'MONOCHROME2', 'PALETTE COLOR'].includes(photometric))
    throw undecodable(`the photometric interpretation ${photometric} is not supported`);
  return false;
}

/**
 * Difference between the samples of a pixel (0..255) from which on it is a colour: more than lossy compression makes of
 * grey.
 */
const COLOUR_SPREAD = 40;
/** Share of coloured pixels from which on a picture is in colour: about the outline of one small box. */
const COLOURED_SHARE = 0.0002;

/** Whether a colour picture shows colours: film digitisers and re-imported screenshots store grey films in colour. */
export function hasColours(
  { values, planar, becameRgb }: Samples,
  { rows, columns, photometric }: ImageHeader,
): boolean {
  const pixels = rows * columns;
  const isRgb = becameRgb || !LUMINANCE_FIRST.has(photometric);
  // Uncompressed 4:2:2, where two pixels share Cb and Cr.
  const halved = values.length === 2 * pixels;
  const [step, plane] = planar ? [1, pixels] : [halved ? 4 : 3, 1];
  const [first, last] = isRgb ? [0, 2] : halved ? [2, 3] : [1, 2];
  const count = halved ? pixels >> 1 : pixels;
  let coloured = 0;
  for (let index = 0, at = 0; index < count; index += 1, at += step) {
    // Chrominance of grey is about 128 (PS3.3 section C.7.6.3.1.2).
    let [low, high] = isRgb ? [255, 0] : [128, 128];
    for (let sample = first; sample <= last; sample += 1) {
      const value = values[at + sample * plane]!;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (high - low > COLOUR_SPREAD) coloured += 1;
  }
  return coloured > COLOURED_SHARE * count;
}

/** Whether a palette holds colours. */
export function isColouredPalette(attributes: Attributes, { photometric }: ImageHeader): boolean {
  if (photometric !== 'PALETTE COLOR') return false;
  const [red, green, blue] = palette(attributes);
  const spread = (COLOUR_SPREAD / 0xff) * greatest(red, green, blue);
  return Array.from({ length: red.data.length }, (_, at) => red.first + at).some((entry) => {
    const shades = [red, green, blue].map((lut) => lookUp(lut, entry));
    return Math.max(...shades) - Math.min(...shades) > spread;
  });
}

/** Luminance of each pixel, 0..255. */
export function grayFromColour(
  { values, planar, becameRgb }: Samples,
  { rows, columns, photometric, bitsAllocated }: ImageHeader,
): Uint8Array {
  if (bitsAllocated !== 8) throw undecodable('colour with more than 8 bits per sample is not supported');
  const pixels = rows * columns;
  const [step, plane] = planar ? [1, pixels] : [3, 1];
  const gray = new Uint8Array(pixels);
  if (becameRgb || ['RGB', 'YBR_RCT', 'YBR_ICT'].includes(photometric)) {
    for (let index = 0, at = 0; index < pixels; index += 1, at += step)
      gray[index] = Math.round(RED * values[at]! + GREEN * values[at + plane]! + BLUE * values[at + 2 * plane]!);
    return gray;
  }
  if (!LUMINANCE_FIRST.has(photometric))
    throw undecodable(`the photometric interpretation ${photometric} is not supported`);
  // Uncompressed 4:2:2 comes as Y Y Cb Cr for two pixels (PS3.3 section C.7.6.3.1.2).
  const halved = values.length === 2 * pixels;
  for (let index = 0; index < pixels; index += 1)
    gray[index] = values[halved ? 4 * (index >> 1) + (index & 1) : index * step]!;
  return gray;
}

/** Luminance by palette index, 0..255 (PS3.3 section C.7.6.3.1.5). */
export function paletteMapping(attributes: Attributes): Mapping {
  const [red, green, blue] = palette(attributes);
  return (value) =>
    ((RED * lookUp(red, value) + GREEN * lookUp(green, value) + BLUE * lookUp(blue, value)) * 0xff) /
    greatest(red, green, blue);
}

/** Greatest value that the entries of a palette may have, by the bits that they need. */
function greatest(...palettes: readonly Lut[]): number {
  return 2 ** Math.max(...palettes.map(({ held }) => held)) - 1;
}

function palette(attributes: Attributes) {
  const red = readLut(attributes, 'RedPaletteColorLookupTableDescriptor', 'RedPaletteColorLookupTableData');
  const green = readLut(attributes, 'GreenPaletteColorLookupTableDescriptor', 'GreenPaletteColorLookupTableData');
  const blue = readLut(attributes, 'BluePaletteColorLookupTableDescriptor', 'BluePaletteColorLookupTableData');
  if (!red || !green || !blue) throw undecodable('the colour palette is missing, segmented or damaged');
  return [red, green, blue] as const;
}
