import { createCanvas, ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import { pixelAspect } from '../dicom/pixel-aspect';
import { blendAll } from '../imaging/colour-map';
import { resample } from '../imaging/plane';
import type { Polygon } from '../imaging/polygon';
import type { AnalysisIdentity } from '../objects/analysis';
import type { Picture } from '../objects/secondary-capture';
import { captionLines, drawStrip, registerFont, STYLE } from './draw-strip';
import { leadingExplanation } from './explain';
import { type Frame, frameFor } from './picture-frame';
import type { ExplainedFilm, Plane } from './stage';

/**
 * The film in grey with the heat map over it, the outlines of the lungs and of the hottest regions, and below it, where
 * it hides no anatomy, a strip that says what made it, what came out and that it is for research. Nothing about the
 * patient is drawn. The same input gives the same picture. The picture lies as the stored film does; its pixels are
 * square, whatever the film's are.
 */
export function drawHeatMap(explained: ExplainedFilm, identity: AnalysisIdentity): Picture {
  registerFont();
  const { image, attributes } = explained.inferred.preprocessed.decoded;
  const frame = frameFor(image.rows * pixelAspect(attributes), image.columns);
  const pen = createCanvas(frame.width, frame.height).getContext('2d');
  pen.fillStyle = STYLE.background;
  pen.fillRect(0, 0, frame.width, frame.height);
  const { finding, heat, hotRegions } = leadingExplanation(explained);
  drawFilm(pen, frame, image.grey, heat);
  drawOutlines(pen, frame, image, { lungOutlines: explained.lungOutlines, hotRegions });
  drawStrip(pen, { top: frame.film.height, width: frame.width }, captionLines(finding, identity, attributes));
  return {
    rows: frame.height,
    columns: frame.width,
    rgb: withoutAlpha(pen.getImageData(0, 0, frame.width, frame.height).data),
  };
}

function drawFilm(pen: SKRSContext2D, { film }: Frame, grey: Plane, heat: Plane): void {
  const warmth = resample(heat, film.height, film.width).values;
  pen.putImageData(new ImageData(blendAll(grey.values, warmth), film.width, film.height), film.left, 0);
}

function drawOutlines(
  pen: SKRSContext2D,
  { film }: Frame,
  image: { rows: number; columns: number },
  { lungOutlines, hotRegions }: Record<'lungOutlines' | 'hotRegions', readonly Polygon[]>,
): void {
  const place = ([column, row]: Polygon[number]) =>
    [film.left + (column / image.columns) * film.width, (row / image.rows) * film.height] as const;
  const width = Math.max(1.5, Math.max(film.width, film.height) / 450);
  pen.save();
  pen.beginPath();
  pen.rect(film.left, 0, film.width, film.height);
  pen.clip();
  for (const lung of lungOutlines) stroke(pen, lung.map(place), STYLE.lungLine, width);
  for (const region of hotRegions) stroke(pen, region.map(place), STYLE.hotLine, width * 1.4);
  pen.restore();
}

/** A line with a dark rim, to be seen on bright and on dark ground. */
function stroke(
  pen: SKRSContext2D,
  points: readonly (readonly [number, number])[],
  colour: string,
  width: number,
): void {
  pen.beginPath();
  points.forEach(([x, y], i) => (i === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
  pen.closePath();
  pen.lineJoin = 'round';
  for (const [style, thickness] of [
    [STYLE.rim, width * 2.2],
    [colour, width],
  ] as const) {
    pen.strokeStyle = style;
    pen.lineWidth = thickness;
    pen.stroke();
  }
}

/** @param rgba of opaque pixels, aligned to four bytes */
function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
  const rgb = new Uint8Array(pixels.length * 3);
  for (let from = 0, to = 0; from < pixels.length; from++, to += 3) {
    const pixel = pixels[from]!;
    rgb[to] = pixel;
    rgb[to + 1] = pixel >>> 8;
    rgb[to + 2] = pixel >>> 16;
  }
  return rgb;
}
