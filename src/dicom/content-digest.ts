import { createHash } from 'node:crypto';
import { type Attributes, binary, items, type Keyword, number, numbers, text } from './attributes';
import { isInverse } from './lut';
import { turnOf } from './patient-orientation';
import { pixelAspect } from './pixel-aspect';
import type { Opened } from './read';
import type { StoredValues } from './samples';

/**
 * Tells whether two files hold the same film, by SHA-256 digests (hexadecimal). Names, identifiers and other text are
 * not part of them. Never change how a digest is made: every film would look replaced.
 */
export interface ContentDigest {
  /**
   * Digest of the pixel data as stored and of everything needed to read them. Equal: the same film, whatever a decoder
   * of another version makes of a lossy stream. Different: `decoded` decides.
   */
  readonly encoded: string;
  /**
   * Digest of the stored pixel values and of the attributes that decide grey values and orientation; independent of
   * transfer syntax, byte order, planes and fragments. Null where the pixels can't be decoded.
   */
  readonly decoded: string | null;
}

/** Whether a film still has the content of an earlier digest. @param now its `decoded` is computed only when needed */
export async function isSameContent(
  before: ContentDigest,
  now: { readonly encoded: string; readonly decoded: () => Promise<string | null> },
): Promise<boolean> {
  if (before.encoded === now.encoded) return true;
  return before.decoded !== null && before.decoded === (await now.decoded());
}

/** {@link ContentDigest.encoded} of a file that can't be read. */
export function bytesDigest(file: Uint8Array): string {
  return createHash('sha256').update(file).digest('hex');
}

/** Digest of the pixel data as stored. Slow: they may be some hundred megabytes. */
export function pixelsDigest({ pixelData }: Pick<Opened, 'pixelData'>): string {
  const pixels = createHash('sha256');
  for (const fragment of pixelData?.fragments ?? []) pixels.update(fragment);
  return pixels.digest('hex');
}

/** {@link ContentDigest.encoded}. @param pixels see {@link pixelsDigest} */
export function encodedDigest(opened: Opened, pixels = pixelsDigest(opened)): string {
  const { transferSyntaxUid, attributes } = opened;
  const layout = LAYOUT.map((keyword) => number(attributes, keyword) ?? null);
  const photometric = text(attributes, 'PhotometricInterpretation') ?? null;
  return createHash('sha256')
    .update(JSON.stringify([transferSyntaxUid, pixels, photometric, layout, displayFacts(attributes)]))
    .digest('hex');
}

/** How the pixel data are encoded (PS3.3 section C.7.6.3), beside the photometric interpretation. */
const LAYOUT = [
  'SamplesPerPixel',
  'PlanarConfiguration',
  'NumberOfFrames',
  'Rows',
  'Columns',
  'BitsAllocated',
  'BitsStored',
  'HighBit',
  'PixelRepresentation',
] as const satisfies readonly Keyword[];

/**
 * @param stored one value a pixel, row by row; for a film in colour its luminance, which does not depend on how colours
 * are encoded
 */
export function decodedDigest(
  stored: StoredValues,
  { rows, columns, colour }: { readonly rows: number; readonly columns: number; readonly colour: boolean },
  opened: Opened & { readonly pixelsDigest?: string },
): string {
  const { attributes } = opened;
  const kind = colour ? 'colour' : text(attributes, 'PhotometricInterpretation') === 'PALETTE COLOR' ? 'palette' : '';
  return createHash('sha256')
    .update(
      JSON.stringify([rows, columns, kind, hasNegative(stored), displayFacts(attributes), wordsDigest(stored, opened)]),
    )
    .digest('hex');
}

/**
 * Digest of the values as 16-bit words: a copy may store 8 bits in 16, or unsigned values as signed ones. Where the
 * words are the pixel data as stored, their digest is reused.
 */
function wordsDigest(stored: StoredValues, opened: Opened & { readonly pixelsDigest?: string }): string {
  const words = stored.BYTES_PER_ELEMENT === 2 ? stored : new Uint16Array(stored);
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const [sent, ...others] = opened.pixelData?.fragments ?? [];
  const isSent = sent !== undefined && others.length === 0 && isSameMemory(sent, bytes);
  return (isSent ? opened.pixelsDigest : undefined) ?? createHash('sha256').update(bytes).digest('hex');
}

function isSameMemory(one: Uint8Array, other: Uint8Array): boolean {
  return one.buffer === other.buffer && one.byteOffset === other.byteOffset && one.byteLength === other.byteLength;
}

function hasNegative(stored: StoredValues): boolean {
  if (!(stored instanceof Int16Array)) return false;
  for (let index = 0; index < stored.length; index += 1) if (stored[index]! < 0) return true;
  return false;
}

/**
 * Values of the attributes that decide grey values and orientation, normalised: "1.0" is 1, a missing one is its
 * default, and US and SS with the same bits are equal.
 */
function displayFacts(attributes: Attributes): unknown[] {
  const [center, width] = [first(attributes, 'WindowCenter'), first(attributes, 'WindowWidth')];
  const { transposed, mirrored, upsideDown } = turnOf(attributes);
  return [
    isInverse(attributes),
    first(attributes, 'RescaleSlope') ?? 1,
    first(attributes, 'RescaleIntercept') ?? 0,
    lut(items(attributes, 'ModalityLUTSequence')[0], 'LUTDescriptor', 'LUTData'),
    lut(items(attributes, 'VOILUTSequence')[0], 'LUTDescriptor', 'LUTData'),
    center === null || width === null ? null : [center, width, text(attributes, 'VOILUTFunction') ?? 'LINEAR'],
    bits16(first(attributes, 'PixelPaddingValue')),
    bits16(first(attributes, 'PixelPaddingRangeLimit')),
    ...(['Red', 'Green', 'Blue'] as const).map((colour) =>
      lut(attributes, `${colour}PaletteColorLookupTableDescriptor`, `${colour}PaletteColorLookupTableData`),
    ),
    Number(pixelAspect(attributes).toFixed(6)),
    [transposed, mirrored, upsideDown],
  ];
}

/** First value as a number; null where there is none or it is no number. */
function first(attributes: Attributes, keyword: Keyword): number | null {
  const value = number(attributes, keyword);
  return value === undefined || Number.isNaN(value) ? null : value;
}

function bits16(value: number | null): number | null {
  return value === null ? null : value & 0xffff;
}

/** Descriptor and entries, which may be numbers (US) or bytes (OW). */
function lut(item: Attributes | undefined, descriptor: Keyword, data: Keyword): unknown {
  if (item === undefined) return null;
  const described = numbers(item, descriptor).map((value) => value & 0xffff);
  if (described.length === 0) return null;
  const bytes = binary(item, data);
  const entries = bytes ?? new Uint8Array(Uint16Array.from(numbers(item, data)).buffer);
  return [described, createHash('sha256').update(entries).digest('hex')];
}
