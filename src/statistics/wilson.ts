/** A 95 % interval; null where there is nothing to measure. */
export type Interval = readonly [low: number, high: number] | null;

export const Z95 = 1.959964;

/** 95 % score interval of a share (Wilson 1927). */
export function wilson(hits: number, n: number): Interval {
  if (n === 0) return null;
  const [p, f] = [hits / n, (Z95 * Z95) / n];
  const [centre, half] = [p + f / 2, Z95 * Math.sqrt((p * (1 - p)) / n + f / (4 * n))];
  return [Math.max(0, (centre - half) / (1 + f)), Math.min(1, (centre + half) / (1 + f))];
}
