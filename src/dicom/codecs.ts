import { type Codestream, inspect, mendJpeg2000 } from './codestream';
import { undecodable } from './pixel-error';

/**
 * How much of a film is decoded. Only JPEG 2000 can be decoded at half its size, without the finest level of detail
 * (T.800 annex F), which takes a fifth of the time.
 */
export type Resolution = 'whole' | 'half';

/**
 * Shortest side of a film that is decoded at half resolution (pixels): half of it is still twice what the networks see.
 */
const MIN_HALVED_SIDE = 1024;

/**
 * One decompressed frame, with as many rows and columns as were decoded: samples of 8 or 16 bits, little endian, at the
 * precision of the codestream.
 */
export interface DecodedFrame extends Codestream {
  readonly bytes: Uint8Array;
  /** Sample planes are stored one after the other, not pixel by pixel. */
  readonly planar: boolean;
}

/** The interface that all codecs of the cornerstone project share. */
interface CodecInstance {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  getInterleaveMode?(): number;
  decode(): void;
  delete(): void;
  /** JPEG 2000 only. */
  decodeSubResolution?(level: number, layer: number): void;
}
type CodecFactory = (options: {
  print: (line: string) => void;
  printErr: (line: string) => void;
}) => Promise<Readonly<Record<string, new () => CodecInstance>>>;

interface WasmCodec {
  readonly load: () => Promise<{ default: unknown }>;
  readonly instance: string;
}

/** Subpaths of the small WASM builds: the packages' default entries are asm.js, and ten times slower. */
const WASM_CODECS: Readonly<Record<'jpeg' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k', WasmCodec>> = {
  jpeg: { load: () => import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs'), instance: 'JPEGDecoder' },
  'jpeg-ls': { load: () => import('@cornerstonejs/codec-charls/decodewasmjs'), instance: 'JpegLSDecoder' },
  'jpeg-2000': { load: () => import('@cornerstonejs/codec-openjpeg/decodewasmjs'), instance: 'J2KDecoder' },
  htj2k: { load: () => import('@cornerstonejs/codec-openjph'), instance: 'HTJ2KDecoder' },
};

interface LoadedCodec {
  readonly Decoder: new () => CodecInstance;
  /** What the codec printed last; it must not reach standard output, which is for results. */
  readonly printed: string[];
}
const loaded = new Map<keyof typeof WASM_CODECS, Promise<LoadedCodec>>();

/**
 * Decompresses one frame. The codestream decides which decoder is used: a transfer syntax that says "extended" over a
 * baseline picture is common.
 * @param expected size by the DICOM header; a codestream of another size is refused before memory is allocated
 * @throws PixelError
 */
export async function decodeFrame(
  data: Uint8Array,
  expected: { readonly rows: number; readonly columns: number; readonly samplesPerPixel: number },
  resolution: Resolution = 'whole',
): Promise<DecodedFrame> {
  const stream = inspect(data);
  checkShape(stream, expected);
  const decoded =
    (resolution === 'half' ? await decompressHalf(data, stream) : null) ?? (await decompress(data, stream));
  // A codec that fails may return nothing or a part without throwing.
  if (decoded.bytes.length !== lengthOf({ ...stream, ...decoded }))
    throw undecodable('the decoder returned no complete picture');
  return { ...stream, ...decoded };
}

const lengthOf = ({ rows, columns, samplesPerPixel, precision }: Codestream) =>
  rows * columns * samplesPerPixel * (precision > 8 ? 2 : 1);

/**
 * The frame at half its size, as the encoder filtered it. Null where the film is not JPEG 2000, not grey, or small, or
 * where it fails: the error shows when it is decoded whole.
 */
async function decompressHalf(data: Uint8Array, stream: Codestream): Promise<(Decompressed & Shape) | null> {
  const { kind, rows, columns, samplesPerPixel } = stream;
  if (kind !== 'jpeg-2000' || samplesPerPixel > 1 || Math.min(rows, columns) < MIN_HALVED_SIDE) return null;
  const half = { rows: Math.ceil(rows / 2), columns: Math.ceil(columns / 2) };
  try {
    const decoded = await decodeWasm(kind, mendJpeg2000(data), (decoder) => decoder.decodeSubResolution!(1, 0));
    // The size differs where the picture's origin is not 0.
    return decoded.bytes.length === lengthOf({ ...stream, ...half }) ? { ...decoded, ...half } : null;
  } catch {
    return null;
  }
}

type Shape = Pick<Codestream, 'rows' | 'columns'>;

interface Decompressed {
  readonly bytes: Uint8Array;
  readonly planar: boolean;
}

async function decompress(data: Uint8Array, stream: Codestream): Promise<Decompressed> {
  switch (stream.kind) {
    case 'jpeg-lossless':
      return decodeDeepJpeg(data, stream);
    case 'jpeg':
      return stream.precision === 8 ? decodeWasm('jpeg', data) : decodeDeepJpeg(data, stream);
    case 'jpeg-ls':
      return decodeWasm('jpeg-ls', data);
    case 'jpeg-2000':
    case 'htj2k':
      return decodeWasm(stream.kind, mendJpeg2000(data));
  }
}

function checkShape(
  stream: Codestream,
  expected: { readonly rows: number; readonly columns: number; readonly samplesPerPixel: number },
): void {
  if (stream.rows !== expected.rows || stream.columns !== expected.columns) {
    throw undecodable(
      `the compressed picture has ${stream.columns} x ${stream.rows} pixels, the header says ${expected.columns} ` +
        `x ${expected.rows}`,
    );
  }
  if (stream.samplesPerPixel !== expected.samplesPerPixel)
    throw undecodable(
      `the compressed picture has ${stream.samplesPerPixel} samples per pixel, the header says ` +
        `${expected.samplesPerPixel}`,
    );
  if (stream.precision > 16 || stream.precision < 1)
    throw undecodable(`${stream.precision} bits per sample are not supported`);
  if (stream.kind === 'jpeg' && stream.precision !== 8 && stream.precision !== 12)
    throw undecodable(`lossy JPEG with ${stream.precision} bits per sample is not supported`);
  if (stream.samplesPerPixel > 1 && stream.precision > 8)
    throw undecodable('colour with more than 8 bits per sample is not supported');
}

async function decodeWasm(
  kind: keyof typeof WASM_CODECS,
  data: Uint8Array,
  decode = (decoder: CodecInstance) => decoder.decode(),
): Promise<Decompressed> {
  const { Decoder, printed } = await loadCodec(kind);
  printed.length = 0;
  const decoder = new Decoder();
  try {
    decoder.getEncodedBuffer(data.length).set(data);
    decode(decoder);
    // Copied, because the buffer is the codec's own memory and is reused.
    const bytes = new Uint8Array(decoder.getDecodedBuffer());
    // OpenJPEG prints errors instead of throwing, and returns no picture.
    if (bytes.length === 0) throw new Error('no picture');
    const planar = decoder.getFrameInfo().componentCount > 1 && decoder.getInterleaveMode?.() === 0;
    decoder.delete();
    return { bytes, planar };
  } catch (error) {
    // After an exception the state of the module's memory is unknown, so that the next film gets a new module.
    loaded.delete(kind);
    throw undecodable(
      'the compressed pixel data are damaged',
      new Error(printed.find((line) => line.includes('ERROR')) ?? `codec failed: ${String(error)}`),
    );
  }
}

function loadCodec(kind: keyof typeof WASM_CODECS): Promise<LoadedCodec> {
  const known = loaded.get(kind);
  if (known) return known;
  const { load, instance } = WASM_CODECS[kind];
  const printed: string[] = [];
  const note = (line: string) => void (printed.length < 100 && printed.push(line));
  const loading = load()
    .then((module) => (module.default as CodecFactory)({ print: note, printErr: note }))
    .then((codec) => ({ Decoder: codec[instance]!, printed }));
  loaded.set(kind, loading);
  loading.catch(() => loaded.delete(kind));
  return loading;
}

/**
 * JPEG lossless, and lossy JPEG of 12 bits per sample (process 4). The precision of libjpeg is set when it is built;
 * this package has builds for 8, 12 and 16 bits.
 */
async function decodeDeepJpeg(
  data: Uint8Array,
  { rows, columns, samplesPerPixel, precision }: Codestream,
): Promise<Decompressed> {
  // A CommonJS package: its exports are in the default export, whatever its types say.
  const { default: codecs } = (await import('dcmjs-codecs')) as unknown as { default: typeof import('dcmjs-codecs') };
  const { Context, NativeCodecs, log } = codecs;
  log.setLevel('silent', false);
  if (!NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync();
  try {
    const frame = new Context({
      width: columns,
      height: rows,
      bitsAllocated: precision > 8 ? 16 : 8,
      bitsStored: precision,
      samplesPerPixel,
      pixelRepresentation: 0,
      planarConfiguration: 0,
      photometricInterpretation: samplesPerPixel === 1 ? 'MONOCHROME2' : 'RGB',
      encodedBuffer: data,
    });
    // The buffer is the codec's own and is reused.
    return { bytes: NativeCodecs.decodeJpeg(frame).getDecodedBuffer() ?? new Uint8Array(), planar: false };
  } catch (cause) {
    // As above: the state of its memory is unknown.
    NativeCodecs.release();
    throw undecodable('the compressed pixel data are damaged', cause);
  }
}
