/** Red, green, blue, 0..255. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * "Inferno" (van der Walt and Smith, CC0) at nine equal steps: perceptually uniform, readable in grey print and for the
 * colour-blind. A rainbow would show edges that do not exist.
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

/** Lower heat is not shown, so that the film is unchanged where the network did not look. */
const INVISIBLE = 0.15;
const OPAQUE_FROM = 0.65;
/** Below 1, so that the film stays visible under the greatest heat. */
const MAX_OPACITY = 0.6;

/** @param heat 0..1 */
export function colourOf(heat: number): Colour {
  const place = placeOf(heat);
  const below = Math.min(INFERNO.length - 2, Math.floor(place));
  return [mixed(below, place - below, 0), mixed(below, place - below, 1), mixed(below, place - below, 2)];
}

/** Position of a heat value on the scale, in steps. */
function placeOf(heat: number): number {
  return Math.min(1, Math.max(0, heat)) * (INFERNO.length - 1);
}

function mixed(below: number, rest: number, channel: 0 | 1 | 2): number {
  const from = INFERNO[below]![channel];
  return from + (INFERNO[below + 1]![channel] - from) * rest;
}

/** Opacity of the overlay. @param heat 0..1 @returns 0 (film alone) to 0.6, rising smoothly */
export function opacityOf(heat: number): number {
  const rise = Math.min(1, Math.max(0, (heat - INVISIBLE) / (OPAQUE_FROM - INVISIBLE)));
  return MAX_OPACITY * rise * rise * (3 - 2 * rise);
}

/** A grey pixel (0..1) blended with its heat. */
export function blend(grey: number, heat: number): Colour {
  const [red, green, blue] = blendAll(Float64Array.of(grey), Float64Array.of(heat));
  return [red!, green!, blue!];
}

/**
 * Grey pixels blended with their heat.
 * @param grey 0..1
 * @param heat 0..1
 * @returns red, green, blue of each
 */
export function blendAll(grey: ArrayLike<number>, heat: ArrayLike<number>): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length);
  for (let at = 0, to = 0; at < grey.length; at++, to += 3) {
    const under = Math.min(1, Math.max(0, grey[at]!)) * 255;
    const warmth = heat[at]!;
    // Rounds halves up like Math.round, which is several times slower.
    if (warmth <= INVISIBLE) rgb[to] = rgb[to + 1] = rgb[to + 2] = (under + 0.5) | 0;
    else blendInto(rgb, to, under, warmth);
  }
  return rgb;
}

/** @param under grey, 0..255 @param heat above the invisible range */
function blendInto(rgb: Uint8Array, to: number, under: number, heat: number): void {
  const opacity = opacityOf(heat);
  const grey = under * (1 - opacity);
  const place = placeOf(heat);
  const below = Math.min(STEPS - 1, Math.floor(place));
  const rest = place - below;
  for (let channel = 0, from = 3 * below; channel < 3; channel++, from++) {
    const colour = SCALE[from]! + (SCALE[from + 3]! - SCALE[from]!) * rest;
    rgb[to + channel] = (grey + colour * opacity + 0.5) | 0;
  }
}

const STEPS = INFERNO.length - 1;
/** Red, green and blue of all steps in one array. */
const SCALE = Float64Array.from(INFERNO.flat());
