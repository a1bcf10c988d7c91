import { createCanvas, ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import { pixelAspect } from '../dicom/pixel-aspect';
import { blendAll } from '../imaging/colour-map';
import { outlineBits } from '../imaging/outline-bits';
import { resample } from '../imaging/plane';
import type { Polygon } from '../imaging/polygon';
import type { AnalysisIdentity } from '../objects/analysis';
import type { OutlinePlane, Picture } from '../objects/secondary-capture';
import { captionLines, drawStrip, OUTLINE_COLOURS, registerFont, STYLE } from './draw-strip';
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
  const pen = createCanvas(frame.width, frame.height).getContext('2d');
  pen.fillStyle = STYLE.background;
  pen.fillRect(0, 0, frame.width, frame.height);
  const { finding, heat, hotRegions } = leadingExplanation(explained);
  drawFilm(pen, frame, image.grey, heat);
  drawStrip(pen, { top: frame.film.height, width: frame.width }, captionLines(finding, identity, attributes));
  return {
    rows: frame.height,
    columns: frame.width,
    rgb: withoutAlpha(pen.getImageData(0, 0, frame.width, frame.height).data),
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

function drawFilm(pen: SKRSContext2D, { film }: Frame, grey: Plane, heat: Plane): void {
  const warmth = resample(heat, film.height, film.width).values;
  pen.putImageData(new ImageData(blendAll(grey.values, warmth), film.width, film.height), film.left, 0);
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
