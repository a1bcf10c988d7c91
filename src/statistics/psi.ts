/**
 * Empty counts of values between edges: `counts[i]` is for edges[i-1] <= x < edges[i], the first for all below, the
 * last for all from the last edge on.
 */
export function emptyCounts(edges: readonly number[]): number[] {
  return new Array<number>(edges.length + 1).fill(0);
}

/** Bin of a value among ascending `edges`. */
export function binOf(value: number, edges: readonly number[]): number {
  const at = edges.findIndex((edge) => value < edge);
  return at === -1 ? edges.length : at;
}

/** Half a film is added to every bin, so that an empty one gives no infinite index. */
const SMOOTHING = 0.5;

/**
 * Population stability index of two lists of counts over the same bins: sum of (p - q) ln(p / q), with p and q the
 * bins' shares, each with half a case added (Siddiqi 2006; the half after Jeffreys). 0 where both are equal; null where
 * one has no case.
 */
export function populationStabilityIndex(reference: readonly number[], seen: readonly number[]): number | null {
  const [all, now] = [sum(reference), sum(seen)];
  if (all === 0 || now === 0 || reference.length !== seen.length) return null;
  const share = (counts: readonly number[], total: number, i: number) =>
    (counts[i]! + SMOOTHING) / (total + SMOOTHING * counts.length);
  return reference.reduce((index, _count, i) => {
    const [p, q] = [share(seen, now, i), share(reference, all, i)];
    return index + (p - q) * Math.log(p / q);
  }, 0);
}

/**
 * Index by chance alone: approximately (B - 1)(1/n + 1/m) times a chi-square over its degrees of freedom (Yurdakul
 * 2018), with B bins and n and m cases.
 * @returns its 95th percentile, by Wilson and Hilferty's approximation of the chi-square
 */
export function chanceOfIndex(bins: number, n: number, m: number): number {
  const freedom = bins - 1;
  const a = 2 / (9 * freedom);
  const chiSquare = freedom * (1 - a + 1.644854 * Math.sqrt(a)) ** 3;
  return chiSquare * (1 / n + 1 / m);
}

const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);

export type DriftLevel = 'stable' | 'shifted' | 'changed' | 'too few films';

/**
 * Below 0.1 stable, to 0.25 shifted, above it changed (Siddiqi 2006). An index of 0.1 and more that chance alone
 * reaches in one of twenty cases is not judged.
 */
export function levelOf(index: number | null, chance: number): DriftLevel {
  if (index === null) return 'too few films';
  if (index < 0.1) return 'stable';
  if (index <= chance) return 'too few films';
  return index <= 0.25 ? 'shifted' : 'changed';
}
