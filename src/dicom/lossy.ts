import type { Attributes } from './attributes';
import type { Dataset } from './dataset';
import type { Opened } from './read';
import { clean } from './sanitise';

/**
 * Transfer syntaxes that may be lossy (PS3.5 section A.4), with the defined term of their method (PS3.3 section
 * C.7.6.1.1.5.1).
 */
const METHODS: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2.4.50': 'ISO_10918_1',
  '1.2.840.10008.1.2.4.51': 'ISO_10918_1',
  '1.2.840.10008.1.2.4.81': 'ISO_14495_1',
  '1.2.840.10008.1.2.4.91': 'ISO_15444_1',
  '1.2.840.10008.1.2.4.203': 'ISO_15444_15',
};

/**
 * Lossy Image Compression attributes for an object derived from a film (PS3.3 section C.7.6.1.1.5): a lossy film's
 * ratio and method are carried on. Empty for any other film.
 * @param source the film's attributes, with {@link compressionHistory}
 */
export function lossyHistory(source: Attributes): Dataset {
  if (clean('CS', source.LossyImageCompression) !== '01') return {};
  const ratios = list(source.LossyImageCompressionRatio).map((ratio) => clean('DS', ratio));
  const methods = list(source.LossyImageCompressionMethod).map((method) => clean('CS', method));
  return {
    LossyImageCompression: '01',
    ...(isFilled(ratios) ? { LossyImageCompressionRatio: ratios } : {}),
    ...(isFilled(methods) ? { LossyImageCompressionMethod: methods } : {}),
  };
}

/**
 * Lossy Image Compression attributes that a film's header lacks although its transfer syntax has lost something. Empty
 * where the header has them, or where nothing was lost: JPEG-LS, JPEG 2000 and HTJ2K can be lossless in a transfer
 * syntax that allows both.
 */
export function compressionHistory({ attributes, pixelData, transferSyntaxUid }: Opened): Dataset {
  const method = METHODS[transferSyntaxUid];
  if (method === undefined || pixelData === null || clean('CS', attributes.LossyImageCompression) === '01') return {};
  const data = pixelData.fragments.length === 1 ? pixelData.fragments[0]! : Buffer.concat(pixelData.fragments);
  if (!isLossy(method, data)) return {};
  const ratio = clean('DS', (uncompressedBytes(attributes) / data.length).toFixed(2));
  return {
    LossyImageCompression: '01',
    LossyImageCompressionMethod: method,
    ...(Number(ratio) > 0 ? { LossyImageCompressionRatio: ratio } : {}),
  };
}

function isLossy(method: string, data: Uint8Array): boolean {
  if (method === 'ISO_10918_1') return true;
  return method === 'ISO_14495_1' ? nearOf(data) !== 0 : transformationOf(data) !== REVERSIBLE;
}

/** NEAR is the last but one byte of the scan header; 0 is lossless (ITU-T T.87 section C.2.3). */
function nearOf(data: Uint8Array): number | undefined {
  const start = Buffer.from(data.buffer, data.byteOffset, data.byteLength).indexOf(Uint8Array.of(0xff, 0xda));
  return start < 0 ? undefined : data[start + 5 + 2 * data[start + 4]!];
}

const REVERSIBLE = 1;

/**
 * Wavelet transformation, 0 for 9-7 irreversible, 1 for 5-3 reversible (ITU-T T.800 table A.20). A truncated reversible
 * stream can't be told from a whole one.
 */
function transformationOf(data: Uint8Array): number | undefined {
  const start = Buffer.from(data.buffer, data.byteOffset, data.byteLength).indexOf(Uint8Array.of(0xff, 0x52));
  return start < 0 ? undefined : data[start + 13];
}

function uncompressedBytes({ Rows, Columns, SamplesPerPixel, BitsAllocated, NumberOfFrames }: Attributes): number {
  return (
    Number(Rows) *
    Number(Columns) *
    Number(SamplesPerPixel ?? 1) *
    (Number(BitsAllocated) / 8) *
    Number(NumberOfFrames ?? 1)
  );
}

function list(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : [value].flat();
}

function isFilled(values: readonly string[]): boolean {
  return values.length > 0 && values.every((value) => value !== '');
}
