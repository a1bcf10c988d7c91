/** A plane of values, row by row. */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

// In loops over millions of pixels, arrays are taken into local variables: reading a property of an object with varying
// shapes costs a look-up per pixel.

/** N = (x - min) / (max - min), 0..1 (Arias-Garzon et al. 2021, equation 1). A constant plane becomes all zero. */
export function minMax(plane: Plane): Plane {
  const { values } = plane;
  let min = Infinity;
  let max = -Infinity;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const range = max - min || 1;
  const normalised = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) normalised[at] = (values[at]! - min) / range;
  return { ...plane, values: normalised };
}

/** Z = (N - mean) / std (equation 2), with the training set's mean and standard deviation. */
export function standardise(plane: Plane, mean: number, std: number): Float32Array {
  const { values } = plane;
  const standard = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) standard[at] = (values[at]! - mean) / std;
  return standard;
}

/**
 * Resampling, "antialiased-triangle": a separable triangle filter whose support grows with the reduction, centres at
 * half pixels, weights clipped at the edge and normalised; columns first, then rows. The training code
 * (training/src/hilum_training/data/preprocess.py) is
 * identical: test/model/parity.
 */
export function resample({ rows: tall, columns: wide, values }: Plane, rows: number, columns: number): Plane {
  const narrow = narrowed(values, { rows: tall, columns: wide }, columns);
  const { starts, counts, weights } = taps(tall, rows);
  const row = new Float64Array(columns);
  const resampled = new Float32Array(rows * columns);
  for (let r = 0, tap = 0; r < rows; r++) {
    row.fill(0);
    for (let k = 0; k < counts[r]!; k++, tap++) addRow(row, narrow, (starts[r]! + k) * columns, weights[tap]!);
    resampled.set(row, r * columns);
  }
  return { rows, columns, values: resampled };
}

/** In pixels. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** All rows, resampled to this many columns. */
function narrowed(values: Float32Array, { rows, columns: wide }: Size, columns: number): Float64Array {
  const { starts, counts, weights } = taps(wide, columns);
  const narrow = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0, tap = 0; c < columns; c++) {
      const from = r * wide + starts[c]!;
      const count = counts[c]!;
      let sum = 0;
      for (let k = 0; k < count; k++) sum += weights[tap + k]! * values[from + k]!;
      tap += count;
      narrow[r * columns + c] = sum;
    }
  }
  return narrow;
}

function addRow(sums: Float64Array, rows: Float64Array, from: number, weight: number): void {
  for (let c = 0; c < sums.length; c++) sums[c]! += weight * rows[from + c]!;
}

/**
 * Filter weights: for each output position the first source position, the number of source positions, and their weights
 * in one array.
 */
export interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** Offset of each output position's weights. */
  readonly offsets: Int32Array;
  readonly weights: Float64Array;
}

export function taps(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(1, scale);
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const offsets = new Int32Array(to);
  const weights = new Float64Array(to * (Math.ceil(2 * support) + 1));
  let end = 0;
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < count; k++)
      sum += weights[end + k] = Math.max(0, 1 - Math.abs((start + k + 0.5 - centre) / support));
    for (let k = 0; k < count; k++) weights[end + k]! /= sum;
    starts[i] = start;
    counts[i] = count;
    offsets[i] = end;
    end += count;
  }
  return { starts, counts, offsets, weights: weights.slice(0, end) };
}

/** Like `values.map`, but many times faster. */
export function mapValues(values: Float32Array, change: (value: number, at: number) => number): Float32Array {
  const changed = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) changed[at] = change(values[at]!, at);
  return changed;
}
