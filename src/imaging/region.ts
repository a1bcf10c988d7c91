import { mapValues, type Plane, resample } from './plane';

/**
 * Part of a film that a network sees: all of it, the lungs only, all but the lungs, or the box around the lungs,
 * enlarged to the network's size.
 */
export const REGIONS = ['film', 'lungs', 'removed', 'box'] as const;
export type Region = (typeof REGIONS)[number];

/** A part of a plane, in whole pixels. */
export interface Frame {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** Margin of the box around the lungs at each side, as a share of its height and width. */
const BOX_MARGIN = 0.08;

/**
 * The part of a film that a network was trained on: all of it, the lungs only (the rest is `fill`), all but the lungs
 * (they are `fill`), or the box around the lungs, enlarged to the film's size.
 * @param lungs mask of the film's size; without lungs the box is the whole film
 */
export function regionOf(film: Plane, lungs: Plane, region: Region, fill: number): { plane: Plane; frame: Frame } {
  const whole = { top: 0, left: 0, rows: film.rows, columns: film.columns };
  switch (region) {
    case 'film':
      return { plane: film, frame: whole };
    case 'lungs':
      return { plane: filled(film, (at) => !(lungs.values[at]! > 0), fill), frame: whole };
    case 'removed':
      return { plane: filled(film, (at) => lungs.values[at]! > 0, fill), frame: whole };
    case 'box': {
      const frame = boxAround(lungs) ?? whole;
      return { plane: resample(cutOut(film, frame), film.rows, film.columns), frame };
    }
  }
}

function filled(film: Plane, isFilled: (at: number) => boolean, fill: number): Plane {
  return { ...film, values: mapValues(film.values, (value, at) => (isFilled(at) ? fill : value)) };
}

/** The smallest box around a mask with {@link BOX_MARGIN}; null where the mask is empty. */
export function boxAround({ rows, columns, values }: Plane): Frame | null {
  let [top, left, bottom, right] = [rows, columns, -1, -1];
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++)
      if (values[at]! > 0) {
        top = Math.min(top, row);
        bottom = row;
        left = Math.min(left, column);
        right = Math.max(right, column);
      }
  if (bottom < 0) return null;
  const [tall, wide] = [bottom + 1 - top, right + 1 - left];
  const start = (edge: number, size: number) => Math.max(0, Math.floor(edge - BOX_MARGIN * size));
  const end = (edge: number, size: number, most: number) => Math.min(most, Math.ceil(edge + BOX_MARGIN * size));
  const [first, from] = [start(top, tall), start(left, wide)];
  return {
    top: first,
    left: from,
    rows: end(bottom + 1, tall, rows) - first,
    columns: end(right + 1, wide, columns) - from,
  };
}

function cutOut({ columns: wide, values }: Plane, { top, left, rows, columns }: Frame): Plane {
  const part = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const from = (top + row) * wide + left;
    part.set(values.subarray(from, from + columns), row * columns);
  }
  return { rows, columns, values: part };
}

/**
 * Combines activation maps of regions into one map of the film: each is placed at its frame, weighted so that the mean
 * over the film is the sum of the maps' means.
 * @param size size of the film's plane
 */
export function layOver(
  maps: readonly { readonly map: Plane; readonly frame: Frame }[],
  { rows, columns }: Pick<Plane, 'rows' | 'columns'>,
): Plane {
  const values = new Float32Array(rows * columns);
  for (const { map, frame } of maps) {
    const weight = (rows * columns) / (frame.rows * frame.columns);
    const laid = resample(map, frame.rows, frame.columns).values;
    for (let row = 0, at = 0; row < frame.rows; row++)
      for (let column = 0; column < frame.columns; column++, at++)
        values[(frame.top + row) * columns + frame.left + column]! += weight * laid[at]!;
  }
  return { rows, columns, values };
}
