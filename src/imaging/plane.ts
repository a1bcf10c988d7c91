/** A plane of values, row by row. */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** N = (x - min) / (max - min), 0..1 (Arias-Garzon et al. 2021, equation 1). A constant plane becomes all zero. */
export function minMax(plane: Plane): Plane {
  let min = Infinity;
  let max = -Infinity;
  for (const value of plane.values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const range = max - min || 1;
  return { ...plane, values: plane.values.map((value) => (value - min) / range) };
}

/** Z = (N - mean) / std (equation 2), with the training set's mean and standard deviation. */
export function standardise(plane: Plane, mean: number, std: number): Float32Array {
  return plane.values.map((value) => (value - mean) / std);
}

/**
 * "antialiased-triangle": separable triangle filter whose support grows with the reduction, centres at half pixels,
 * weights clipped at the edge and normalised; columns first, then rows. The training code
 * (training/hilum_training/preprocess.py) does the same to the letter: test/model/parity.
 */
export function resample(plane: Plane, rows: number, columns: number): Plane {
  const horizontal = taps(plane.columns, columns);
  const vertical = taps(plane.rows, rows);
  const narrow = new Float64Array(plane.rows * columns);
  for (let r = 0; r < plane.rows; r++) {
    for (let c = 0; c < columns; c++) {
      const { start, weights } = horizontal[c]!;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * plane.values[r * plane.columns + start + k]!;
      narrow[r * columns + c] = sum;
    }
  }
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const { start, weights } = vertical[r]!;
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * narrow[(start + k) * columns + c]!;
      values[r * columns + c] = sum;
    }
  }
  return { rows, columns, values };
}

interface Taps {
  readonly start: number;
  readonly weights: Float64Array;
}

function taps(from: number, to: number): Taps[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const weights = Float64Array.from({ length: end - start }, (_unused, k) =>
      Math.max(0, 1 - Math.abs((start + k + 0.5 - centre) / support)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { start, weights: weights.map((w) => w / sum) };
  });
}

/** Values outside the mask become `fill`; both planes have the same size. */
export function keepInside(plane: Plane, mask: Plane, fill: number): Plane {
  return { ...plane, values: plane.values.map((value, i) => (mask.values[i]! > 0 ? value : fill)) };
}

/**
 * The part of a film that a network was trained on: all of it, the lungs only, or all but the lungs; the rest becomes
 * `fill`.
 */
export function keepRegion(plane: Plane, lungs: Plane, region: 'film' | 'lungs' | 'removed', fill: number): Plane {
  if (region === 'film') return plane;
  return region === 'lungs'
    ? keepInside(plane, lungs, fill)
    : { ...plane, values: plane.values.map((value, i) => (lungs.values[i]! > 0 ? fill : value)) };
}
