/** Red, green, blue, 0..255. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * "Inferno" (van der Walt and Smith, CC0) at nine equal steps: perceptually even, so that equal steps of heat look
 * equal, readable in grey print and for the colour-blind. A rainbow would draw edges where there are none.
 */
const INFERNO: readonly Colour[] = [
  [0, 0, 4],
  [33, 12, 74],
  [87, 16, 110],
  [138, 34, 106],
  [188, 55, 84],
  [228, 90, 49],
  [249, 142, 9],
  [249, 203, 53],
  [252, 255, 164],
];

/** Heat below this is not shown, so that the film stays as it is where the network did not look. */
const INVISIBLE = 0.15;
const OPAQUE_FROM = 0.65;
/** Never opaque: the film must stay visible under the greatest heat. */
const GREATEST_OPACITY = 0.6;

/** @param heat 0..1 */
export function colourOf(heat: number): Colour {
  const place = Math.min(1, Math.max(0, heat)) * (INFERNO.length - 1);
  const below = Math.min(INFERNO.length - 2, Math.floor(place));
  const [a, b] = [INFERNO[below]!, INFERNO[below + 1]!];
  const mix = (i: 0 | 1 | 2) => a[i] + (b[i] - a[i]) * (place - below);
  return [mix(0), mix(1), mix(2)];
}

/** @param heat 0..1 @returns 0 (film alone) to 0.6, rising smoothly. */
export function opacityOf(heat: number): number {
  const rise = Math.min(1, Math.max(0, (heat - INVISIBLE) / (OPAQUE_FROM - INVISIBLE)));
  return GREATEST_OPACITY * rise * rise * (3 - 2 * rise);
}

/** A grey pixel (0..1) with its heat over it. */
export function blend(grey: number, heat: number): Colour {
  const under = Math.min(1, Math.max(0, grey)) * 255;
  const opacity = opacityOf(heat);
  const colour = colourOf(heat);
  const mix = (i: 0 | 1 | 2) => Math.round(under * (1 - opacity) + colour[i] * opacity);
  return [mix(0), mix(1), mix(2)];
}
