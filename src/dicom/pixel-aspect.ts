import { type Attributes, numbers } from './attributes';

/** Largest aspect ratio that is believed; more is an error of the header. */
const MAX_OBLONG = 10;

/**
 * Height of a pixel divided by its width; 1 where the film does not say. All of these attributes give the vertical
 * value first. Pixel Aspect Ratio comes last: it is for films without a spacing (PS3.3 section C.7.6.3.1.7). A spacing
 * of zero, which anonymisers leave, is ignored.
 */
export function pixelAspect(attributes: Attributes): number {
  for (const keyword of [
    'PixelSpacing',
    'ImagerPixelSpacing',
    'NominalScannedPixelSpacing',
    'PixelAspectRatio',
  ] as const) {
    const [vertical, horizontal] = numbers(attributes, keyword);
    if (vertical === undefined || horizontal === undefined) continue;
    const aspect = vertical / horizontal;
    if (vertical > 0 && aspect <= MAX_OBLONG && aspect >= 1 / MAX_OBLONG) return aspect;
  }
  return 1;
}
