import { createCanvas } from '@napi-rs/canvas';
import { pixelAspect } from '../dicom/pixel-aspect';
import { blendAll } from '../imaging/colour-map';
import { outlineBits } from '../imaging/outline-bits';
import { resample } from '../imaging/plane';
import type { Polygon } from '../imaging/polygon';
import type { AnalysisIdentity } from '../objects/analysis';
import type { OutlinePlane, Picture } from '../objects/secondary-capture';
import { type CaptionLine, captionLines, drawStrip, OUTLINE_COLOURS, registerFont, STYLE } from './draw-strip';
import { leadingExplanation } from './explain';
import { type Frame, frameFor } from './picture-frame';
import type { ExplainedFilm, Plane } from './stage';

/**
 * The film in grey with the heat map over it and, below it, where it hides no anatomy, a strip with algorithm, result
 * and research notice. Outlines of the lungs and of the hottest regions are separate, so that a viewer can hide them.
 * Nothing about the patient is drawn. The same input gives the same picture. The orientation is the stored film's; the
 * pixels are square, whatever the film's are.
 */
export function drawHeatMap(explained: ExplainedFilm, identity: AnalysisIdentity): Picture {
  registerFont();
  const { image, attributes } = explained.inferred.preprocessed.decoded;
  const frame = frameFor(image.rows * pixelAspect(attributes), image.columns);
  const { finding, heat, hotRegions } = leadingExplanation(explained);
  const rgb = new Uint8Array(3 * frame.width * frame.height);
  drawFilm(rgb, frame, image.grey, heat);
  rgb.set(stripBelow(frame, captionLines(finding, identity, attributes)), 3 * frame.width * frame.film.height);
  return {
    rows: frame.height,
    columns: frame.width,
    rgb,
    outlines: outlinePlanes(frame, image, explained.lungOutlines, hotRegions),
  };
}

/** The picture with the outlines drawn in, for viewers without overlays. */
export function withOutlines({ outlines = [], ...picture }: Picture): Picture {
  const rgb = picture.rgb.slice();
  for (const { of, bits } of outlines)
    for (let at = 0; at < picture.rows * picture.columns; at++)
      if ((bits[at >> 3]! >> (at & 7)) & 1) rgb.set(OUTLINE_COLOURS[of], at * 3);
  return { ...picture, rgb };
}

/** The film fills the picture's width or, where it is narrower, lies in its middle. */
function drawFilm(rgb: Uint8Array, { width, film }: Frame, grey: Plane, heat: Plane): void {
  const pixels = blendAll(grey.values, resample(heat, film.height, film.width).values);
  if (film.width === width) return rgb.set(pixels);
  const empty = Uint8Array.from(STYLE.background);
  for (let at = 0; at < 3 * width * film.height; at += 3) rgb.set(empty, at);
  for (let row = 0; row < film.height; row++)
    rgb.set(pixels.subarray(3 * row * film.width, 3 * (row + 1) * film.width), 3 * (row * width + film.left));
}

/** Only the strip has text, so that only it needs a canvas, which would copy a film's pixels several times. */
function stripBelow({ width, height, film }: Frame, caption: readonly CaptionLine[]): Uint8Array {
  const tall = height - film.height;
  const pen = createCanvas(width, tall).getContext('2d');
  pen.fillStyle = `rgb(${STYLE.background.join(', ')})`;
  pen.fillRect(0, 0, width, tall);
  drawStrip(pen, width, caption);
  return withoutAlpha(pen.getImageData(0, 0, width, tall).data);
}

/** Where nothing speaks for the class, the hottest regions are the lungs: they are drawn once. */
function outlinePlanes(
  { width, height, film }: Frame,
  image: { rows: number; columns: number },
  lungOutlines: readonly Polygon[],
  hotRegions: readonly Polygon[],
): OutlinePlane[] {
  const place = ([column, row]: Polygon[number]) =>
    [film.left + (column / image.columns) * film.width, (row / image.rows) * film.height] as const;
  const drawn = [
    { of: 'lungs', rings: lungOutlines },
    { of: 'activation', rings: hotRegions === lungOutlines ? [] : hotRegions },
  ] as const;
  return drawn
    .filter(({ rings }) => rings.length > 0)
    .map(({ of, rings }) => ({
      of,
      bits: outlineBits(
        rings.map((ring) => ring.map(place)),
        { rows: height, columns: width },
        film,
      ),
    }));
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
