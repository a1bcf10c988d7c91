import { type Codestream, inspect } from './codestream';
import type { Encoding } from './element-header';
import type { PixelElement } from './parse';

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const RLE_LOSSLESS = '1.2.840.10008.1.2.5';

export const NATIVE: ReadonlySet<string> = new Set([
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
]);
/**
 * Transfer syntaxes of PS3.5 section A.4: JPEG baseline, extended, (retired) spectral selection and progressive,
 * lossless (process 14, and selection value 1), JPEG-LS, JPEG 2000, High-Throughput JPEG 2000.
 */
export const CODESTREAMS: ReadonlySet<string> = new Set(
  ['50', '51', '53', '55', '57', '70', '80', '81', '90', '91', '201', '202', '203'].map(
    (suffix) => `1.2.840.10008.1.2.4.${suffix}`,
  ),
);

/**
 * The most general transfer syntax of each kind of codestream; whether one is lossy is read from the codestream
 * (lossy.ts).
 */
const OF_CODESTREAM: Readonly<Record<Codestream['kind'], string>> = {
  jpeg: '1.2.840.10008.1.2.4.51',
  'jpeg-lossless': '1.2.840.10008.1.2.4.57',
  'jpeg-ls': '1.2.840.10008.1.2.4.81',
  'jpeg-2000': '1.2.840.10008.1.2.4.91',
  htj2k: '1.2.840.10008.1.2.4.203',
};

/** All compressed transfer syntaxes are in Explicit VR Little Endian outside of the pixel data (PS3.5 section A.4). */
export function encodingOf(transferSyntaxUid: string): Encoding {
  return {
    explicit: transferSyntaxUid !== IMPLICIT_VR_LITTLE_ENDIAN,
    littleEndian: transferSyntaxUid !== EXPLICIT_VR_BIG_ENDIAN,
  };
}

/**
 * Actual transfer syntax, where the file meta information names another encoding, or does not say that pixel data are
 * compressed. The kind of codestream is read from the pixel data.
 */
export function actualSyntax(said: string, encoding: Encoding, pixelData: PixelElement | null): string {
  if (pixelData?.encapsulated === true)
    return NATIVE.has(said) || said === RLE_LOSSLESS ? encapsulatedSyntax(said, pixelData) : said;
  return NATIVE.has(said) ? nativeSyntax(said, encoding) : said;
}

/** A deflated data set keeps its transfer syntax, though it is inflated by now. */
function nativeSyntax(said: string, { explicit, littleEndian }: Encoding): string {
  if (!littleEndian) return EXPLICIT_VR_BIG_ENDIAN;
  if (!explicit) return IMPLICIT_VR_LITTLE_ENDIAN;
  return said === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN ? said : EXPLICIT_VR_LITTLE_ENDIAN;
}

function encapsulatedSyntax(said: string, { fragments }: PixelElement): string {
  if (isRle(fragments[0])) return RLE_LOSSLESS;
  try {
    return OF_CODESTREAM[inspect(fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments)).kind];
  } catch {
    return said;
  }
}

/**
 * Whether a fragment is RLE: it starts with the number of segments and the offset of the first, the header's length
 * (PS3.5 section G.5).
 */
function isRle(fragment: Uint8Array | undefined): boolean {
  if (fragment === undefined || fragment.length < 64) return false;
  const view = new DataView(fragment.buffer, fragment.byteOffset, fragment.byteLength);
  const segments = view.getUint32(0, true);
  return segments >= 1 && segments <= 15 && view.getUint32(4, true) === 64;
}
