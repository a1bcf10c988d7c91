import { type Canvas, createCanvas } from '@napi-rs/canvas';
import { createHash } from 'node:crypto';
import { HilumError } from '../../base/errors';
import type { Attributes } from '../../dicom/attributes';
import { imageHeader } from '../../dicom/image-header';
import { pixelAspect } from '../../dicom/pixel-aspect';
import type { Opened } from '../../dicom/read';
import { readSamples } from '../../dicom/samples';
import { type Plane, resample } from '../../imaging/plane';
import { fitted, frameFor } from '../../pipeline/picture-frame';
import type { FilmReader } from '../../pipeline/film-reader';
import type { Drawn } from './picture-cache';
import { type StoredOutlines, storedOutlines } from './stored-outlines';

/** Longest side (pixels): row of the list, larger preview, detail view. */
export const PICTURE_SIZES = [96, 256, 1024] as const;
export type PictureSize = (typeof PICTURE_SIZES)[number];

const JPEG_QUALITY = 88;

/** Largest display size of a film in true proportions, and the arrangement of its stored pixels in it. */
export interface FilmShape {
  readonly rows: number;
  readonly columns: number;
  /** Height of a pixel divided by its width. */
  readonly aspect: number;
}

/**
 * The film as the pipeline sees it (window or VOI LUT, polarity), resampled, in each size.
 * @throws HilumError DICOM_UNREADABLE or PIXELS_UNDECODABLE
 */
export async function drawFilmPictures(
  bytes: Uint8Array,
  reader: FilmReader,
): Promise<{ pictures: ReadonlyMap<string, Drawn>; shape: FilmShape }> {
  const opened = await reader.read(bytes);
  const { rows, columns, grey } = await reader.picture(opened, Math.max(...PICTURE_SIZES));
  const aspect = pixelAspect(opened.attributes);
  const pictures = new Map<string, Drawn>();
  let plane = grey;
  // From the largest down, each made from the one before, as the film may have a hundred times as many pixels.
  for (const size of [...PICTURE_SIZES].reverse()) {
    const smaller = fitted({ tall: rows * aspect, wide: columns }, size);
    plane = resample(plane, smaller.rows, smaller.columns);
    pictures.set(String(size), encodeGrey(plane));
  }
  return { pictures, shape: { rows, columns, aspect } };
}

/** Names of the heat map's pictures: the whole one with its caption, and the part over the film. */
export const heatMapName = (size: PictureSize, part: HeatMapPart) => `${part}-${size}`;
export type HeatMapPart = 'film' | 'whole';

export interface HeatMapPictures {
  readonly pictures: ReadonlyMap<string, Drawn>;
  readonly outlines: StoredOutlines;
}

/**
 * The stored heat map in each size: whole and, where it has this version's layout, the part over the film; and its
 * outlines.
 * @throws HilumError DICOM_UNREADABLE or PIXELS_UNDECODABLE
 */
export async function drawHeatMapPictures(
  bytes: Uint8Array,
  film: FilmShape | null,
  reader: FilmReader,
): Promise<HeatMapPictures> {
  const opened = await reader.read(bytes);
  const { width, height, rgb } = await colours(opened);
  const canvas = createCanvas(width, height);
  const pen = canvas.getContext('2d');
  const pixels = pen.createImageData(width, height);
  for (let from = 0, to = 0; to < pixels.data.length; from += 3, to += 4)
    pixels.data.set([rgb[from]!, rgb[from + 1]!, rgb[from + 2]!, 255], to);
  pen.putImageData(pixels, 0, 0);
  const parts: [HeatMapPart, Box][] = [['whole', { left: 0, top: 0, width, height }]];
  const frame = film === null ? null : frameFor(film.rows * film.aspect, film.columns);
  const isLaidOutSo = frame !== null && frame.width === width && frame.height === height;
  if (isLaidOutSo) parts.push(['film', { ...frame.film, top: 0 }]);
  const pictures = new Map(
    parts.flatMap(([part, box]) =>
      PICTURE_SIZES.map((size) => [heatMapName(size, part), scaled(canvas, box, size)] as const),
    ),
  );
  return { pictures, outlines: storedOutlines(opened.attributes, isLaidOutSo ? frame : null, film) };
}

export function shapeOf(attributes: Attributes): FilmShape | null {
  const { Rows: rows, Columns: columns } = attributes as { Rows?: unknown; Columns?: unknown };
  if (typeof rows !== 'number' || typeof columns !== 'number' || !(rows > 0) || !(columns > 0)) return null;
  return { rows, columns, aspect: pixelAspect(attributes) };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function scaled(canvas: Canvas, box: Box, size: PictureSize): Drawn {
  const { rows: height, columns: width } = fitted({ tall: box.height, wide: box.width }, size);
  const small = createCanvas(width, height);
  const pen = small.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(canvas, box.left, box.top, box.width, box.height, 0, 0, width, height);
  return drawn('image/jpeg', small.toBuffer('image/jpeg', JPEG_QUALITY));
}

function encodeGrey({ rows, columns, values }: Plane): Drawn {
  const canvas = createCanvas(columns, rows);
  const pen = canvas.getContext('2d');
  const pixels = pen.createImageData(columns, rows);
  values.forEach((value, i) => {
    const grey = Math.round(Math.min(1, Math.max(0, value)) * 255);
    pixels.data.set([grey, grey, grey, 255], i * 4);
  });
  pen.putImageData(pixels, 0, 0);
  return drawn('image/jpeg', canvas.toBuffer('image/jpeg', JPEG_QUALITY));
}

function drawn(type: Drawn['type'], bytes: Buffer): Drawn {
  return { type, bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}

/** Red, green and blue of a Secondary Capture of Hilum, in whatever encoding the archive stores it. */
async function colours({
  attributes,
  pixelData,
  transferSyntaxUid,
}: Opened): Promise<{ width: number; height: number; rgb: Uint8Array }> {
  const header = imageHeader(attributes);
  const { values, planar, becameRgb } = await readSamples(pixelData, transferSyntaxUid, header);
  const count = header.rows * header.columns;
  const readable =
    header.samplesPerPixel === 3 &&
    (header.photometric === 'RGB' || becameRgb) &&
    values instanceof Uint8Array &&
    values.length >= count * 3;
  if (!readable)
    throw new HilumError('DICOM_UNREADABLE', 'permanent', 'the heat map is no colour picture as Hilum writes it');
  return { width: header.columns, height: header.rows, rgb: planar ? interleaved(values, count) : values };
}

function interleaved(values: Uint8Array, count: number): Uint8Array {
  return Uint8Array.from({ length: count * 3 }, (_, i) => values[(i % 3) * count + Math.floor(i / 3)]!);
}
