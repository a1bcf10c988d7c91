import { countPatients, type Interval, type Scored } from './statistics';
import { byFallingScore, once, type WeightedFigure } from './weighted';

export interface Estimate {
  readonly value: number | null;
  /**
   * Percentile bootstrap by patient, 95 %. Null where it would say more than is known: fewer than {@link
   * LEAST_FOR_INTERVAL} patients of a class, or all draws alike.
   */
  readonly interval: Interval;
}

export interface BootstrapOptions {
  readonly rounds: number;
  readonly seed: number;
}

/**
 * Patients of each class that a bootstrap needs: the few of a smaller group are drawn again and again, and the interval
 * is too narrow or a point.
 */
export const LEAST_FOR_INTERVAL = 10;

/**
 * Patients are drawn with replacement, each with all films, so that many films of one patient do not narrow the
 * interval. The same seed gives the same interval.
 */
export function estimate(
  films: readonly Scored[],
  figure: WeightedFigure,
  { rounds, seed }: BootstrapOptions,
): Estimate {
  const sorted = byFallingScore(films);
  const value = figure(sorted, once(sorted));
  const patients = countPatients(sorted);
  if (value === null || Math.min(patients.positive, patients.negative) < LEAST_FOR_INTERVAL)
    return { value, interval: null };
  const names = [...new Set(films.map(({ patient }) => patient))];
  const place = new Map(names.map((name, index) => [name, index]));
  const patientOf = sorted.map(({ patient }) => place.get(patient)!);
  const random = mulberry32(seed);
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const drawn = new Uint32Array(names.length);
    for (let i = 0; i < names.length; i++) drawn[Math.floor(random() * names.length)]!++;
    const one = figure(
      sorted,
      patientOf.map((patient) => drawn[patient]!),
    );
    if (one !== null) found.push(one);
  }
  found.sort((a, b) => a - b);
  // Classes that do not overlap give an area of 1 in every draw: that is no certainty.
  return { value, interval: found.at(0) === found.at(-1) ? null : [quantile(found, 0.025), quantile(found, 0.975)] };
}

/** Of sorted values, linear between neighbours (the default of numpy and R). */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}

/** A small generator of known quality (Tommy Ettinger, public domain): values in [0, 1), the same on every machine. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
