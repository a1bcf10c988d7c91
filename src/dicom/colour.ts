import type { Attributes } from './attributes';
import type { ImageHeader } from './image-header';
import { lookUp, type Mapping, readLut } from './lut';
import { undecodable } from './pixel-error';
import type { Samples } from './samples';

/**
 * Film digitisers and re-imported screenshots store grey films in colour; what counts is their luminance (ITU-R BT.601,
 * as PS3.3 section C.7.6.3.1.2 has it).
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

/** Luminance, 0..255. */
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

/** Luminance, 0..255, by palette index (PS3.3 section C.7.6.3.1.5). */
export function paletteMapping(attributes: Attributes): Mapping {
  const red = readLut(attributes, 'RedPaletteColorLookupTableDescriptor', 'RedPaletteColorLookupTableData');
  const green = readLut(attributes, 'GreenPaletteColorLookupTableDescriptor', 'GreenPaletteColorLookupTableData');
  const blue = readLut(attributes, 'BluePaletteColorLookupTableDescriptor', 'BluePaletteColorLookupTableData');
  if (!red || !green || !blue) throw undecodable('the colour palette is missing, segmented or damaged');
  return (value) =>
    ((RED * lookUp(red, value) + GREEN * lookUp(green, value) + BLUE * lookUp(blue, value)) * 0xff) /
    (2 ** Math.max(red.held, green.held, blue.held) - 1);
}
