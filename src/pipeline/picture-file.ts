import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';
import type { Attributes } from '../dicom/attributes';
import { inspect } from '../dicom/codestream';
import { DEFAULT_LIMITS } from '../dicom/image-header';
import { undecodable } from '../dicom/pixel-error';
import type { Opened } from '../dicom/read';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax';
import { deriveUid } from '../dicom/uid';
import type { OpenedFilm } from './decode';

export type FileKind = 'dicom' | 'png' | 'jpeg';

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const JPEG_START = Buffer.from('ffd8ff', 'hex');
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';

/** Kind of a file by its first bytes; anything but PNG and JPEG is left to the DICOM reader. */
export function kindOf(bytes: Uint8Array): FileKind {
  const starts = (signature: Buffer) => signature.equals(bytes.subarray(0, signature.length));
  if (starts(PNG_SIGNATURE)) return 'png';
  return starts(JPEG_START) ? 'jpeg' : 'dicom';
}

/**
 * Opens a PNG or JPEG as if its pixels were those of a DICOM film, so that decoder, limits, luminance of colours (ITU-R
 * BT.601, as in training) and the check for blank pictures are the same. There is no header: the picture is taken as
 * MONOCHROME2, and as CR of a chest because somebody labelled it so.
 * @throws PixelError when the picture is damaged, too large or of an unsupported kind
 */
export function openPicture(bytes: Uint8Array, kind: 'png' | 'jpeg'): OpenedFilm {
  const sopInstanceUid = deriveUid(['picture', createHash('sha256').update(bytes).digest('hex')]);
  const { attributes, ...rest } = kind === 'jpeg' ? fromJpeg(bytes) : fromPng(bytes);
  return { sopInstanceUid, attributes, opened: { ...rest, attributes, sopClassUid: '', sopInstanceUid } };
}

type PictureParts = Pick<Opened, 'attributes' | 'transferSyntaxUid' | 'pixelData'>;

function fromJpeg(bytes: Uint8Array): PictureParts {
  const { kind, rows, columns, samplesPerPixel, precision } = inspect(bytes);
  if (kind !== 'jpeg' || precision !== 8 || (samplesPerPixel !== 1 && samplesPerPixel !== 3))
    throw undecodable('the JPEG is neither 8-bit grey nor 8-bit colour');
  const colour = samplesPerPixel === 3;
  return {
    attributes: header(rows, columns, { colour, bits: 8 }),
    transferSyntaxUid: JPEG_BASELINE,
    pixelData: element(bytes, true),
  };
}

/** Transparency is ignored, as in training. */
function fromPng(bytes: Uint8Array): PictureParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33) throw undecodable('the PNG is cut off');
  // IHDR is the first chunk of every PNG: the size is checked before anything is unpacked.
  const [columns, rows] = [view.getUint32(16), view.getUint32(20)];
  if (columns * rows * 3 > DEFAULT_LIMITS.samples)
    throw undecodable(`the PNG has ${columns} x ${rows} pixels, more than are taken`);
  const deep = bytes[24] === 16;
  const rgba = unpack(bytes);
  const pixels = rows * columns;
  const colour = rgba.some((value, i) => i % 4 === 0 && (rgba[i + 1] !== value || rgba[i + 2] !== value));
  // The pipeline supports colour with 8 bits per sample only.
  const shift = colour && deep ? 8 : 0;
  const samples = new (deep && !colour ? Uint16Array : Uint8Array)(pixels * (colour ? 3 : 1));
  for (let i = 0; i < pixels; i++) {
    if (!colour) samples[i] = rgba[4 * i]!;
    else for (let c = 0; c < 3; c++) samples[3 * i + c] = rgba[4 * i + c]! >> shift;
  }
  const attributes = header(rows, columns, { colour, bits: deep && !colour ? 16 : 8 });
  return {
    attributes,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    pixelData: element(new Uint8Array(samples.buffer), false),
  };
}

/** Four samples per pixel, of 16 bits where the file has 16, else of 8. */
function unpack(bytes: Uint8Array): Uint8Array | Uint16Array {
  try {
    // With skipRescale a 16-bit picture is a Uint16Array, whatever the types say.
    return PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      skipRescale: bytes[24] === 16,
    }).data;
  } catch (cause) {
    throw undecodable('the PNG is damaged', cause);
  }
}

function header(rows: number, columns: number, { colour, bits }: { colour: boolean; bits: 8 | 16 }): Attributes {
  return {
    Modality: 'CR',
    Rows: rows,
    Columns: columns,
    SamplesPerPixel: colour ? 3 : 1,
    PlanarConfiguration: 0,
    PhotometricInterpretation: colour ? 'RGB' : 'MONOCHROME2',
    BitsAllocated: bits,
    BitsStored: bits,
    HighBit: bits - 1,
    PixelRepresentation: 0,
  };
}

function element(bytes: Uint8Array, encapsulated: boolean): NonNullable<Opened['pixelData']> {
  return { vr: 'OB', encapsulated, truncated: false, fragments: [bytes] };
}
