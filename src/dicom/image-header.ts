import { type Attributes, type Keyword, number, numbers, text } from './attributes';
import { PixelError, undecodable } from './pixel-error';

/** Attributes of the Image Pixel Module (PS3.3 section C.7.6.3), with impossible values corrected. */
export interface ImageHeader {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: 1 | 3;
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometric: string;
  /** Planar Configuration is 1: the planes are stored one after the other. */
  readonly planar: boolean;
  /** Bits of a cell that belong to overlays (Overlay Bit Position, PS3.3 section C.9.2), as a mask. */
  readonly overlayBits: number;
}

/** Largest size of a film, so that a small header can't make the service allocate all memory. */
export interface PixelLimits {
  /** Largest number of rows and of columns (pixels). */
  readonly longestSide: number;
  /** Rows x columns x samples per pixel. */
  readonly samples: number;
}
export const DEFAULT_LIMITS: PixelLimits = { longestSide: 16_384, samples: 100_000_000 };

/** @throws PixelError before memory is allocated */
export function imageHeader(attributes: Attributes, limits: PixelLimits = DEFAULT_LIMITS): ImageHeader {
  checkFrames(attributes);
  const [rows, columns] = [side(attributes, 'Rows', limits), side(attributes, 'Columns', limits)];
  const samplesPerPixel = oneOf(attributes, 'SamplesPerPixel', [1, 3] as const, 1);
  if (rows * columns * samplesPerPixel > limits.samples)
    throw undecodable(`the film has ${columns} x ${rows} pixels, more than are taken`);
  const photometric = text(attributes, 'PhotometricInterpretation');
  if (photometric === undefined) throw undecodable('the film does not say whether low values are black or white');
  return {
    rows,
    columns,
    samplesPerPixel,
    photometric,
    planar: number(attributes, 'PlanarConfiguration') === 1,
    signed: number(attributes, 'PixelRepresentation') === 1,
    overlayBits: overlayBits(attributes),
    ...depth(attributes),
  };
}

function overlayBits(attributes: Attributes): number {
  return numbers(attributes, 'OverlayBitPosition')
    .filter((bit) => Number.isInteger(bit) && bit >= 0 && bit < 16)
    .reduce((mask, bit) => mask | (1 << bit), 0);
}

function depth(attributes: Attributes): Pick<ImageHeader, 'bitsAllocated' | 'bitsStored' | 'highBit'> {
  const bitsAllocated = oneOf(attributes, 'BitsAllocated', [8, 16] as const);
  const bitsStored = number(attributes, 'BitsStored') ?? bitsAllocated;
  if (!Number.isInteger(bitsStored) || bitsStored < 1 || bitsStored > bitsAllocated)
    throw undecodable(`bits stored (${bitsStored}) do not fit the bits allocated (${bitsAllocated})`);
  const highBit = number(attributes, 'HighBit') ?? bitsStored - 1;
  // PS3.5 section 8.1.1. An impossible High Bit is an error of the header; stored bits almost always start at bit 0.
  const possible = Number.isInteger(highBit) && highBit >= bitsStored - 1 && highBit < bitsAllocated;
  return { bitsAllocated, bitsStored, highBit: possible ? highBit : bitsStored - 1 };
}

function checkFrames(attributes: Attributes): void {
  const frames = number(attributes, 'NumberOfFrames') ?? 1;
  if (Number.isNaN(frames)) throw undecodable('the number of frames is no number');
  if (frames > 1)
    throw new PixelError('multi-frame', `the object holds ${frames} frames; only single films are analysed`);
}

function side(attributes: Attributes, keyword: 'Rows' | 'Columns', limits: PixelLimits): number {
  const [value, ...more] = numbers(attributes, keyword);
  if (value === undefined || more.length > 0 || !Number.isInteger(value) || value < 1)
    throw undecodable(`the film's number of ${keyword.toLowerCase()} is missing or wrong`);
  if (value > limits.longestSide)
    throw undecodable(
      `the film has ${value} ${keyword.toLowerCase()}, more than the ${limits.longestSide} that are taken`,
    );
  return value;
}

function oneOf<T extends number>(attributes: Attributes, keyword: Keyword, allowed: readonly T[], whenMissing?: T): T {
  const value = number(attributes, keyword) ?? whenMissing;
  const found = allowed.find((one) => one === value);
  if (found === undefined)
    throw undecodable(
      `${keyword} ${value ?? 'is missing and'} is not supported (only ${allowed.join(' or ')})`.replace(
        'and is',
        'and',
      ),
    );
  return found;
}
