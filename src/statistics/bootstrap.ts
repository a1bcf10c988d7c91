import { countPatients, type Interval, type Scored } from './statistics';
import { byFallingScore, once, type WeightedFigure } from './weighted';

export interface Estimate {
  readonly value: number | null;
  /**
   * 95 % percentile bootstrap by patient. Null with fewer than {@link MIN_FOR_INTERVAL} patients of a class, or where
   * all draws are equal.
   */
  readonly interval: Interval;
}

export interface BootstrapOptions {
  readonly rounds: number;
  readonly seed: number;
}

/** Fewest patients of each class for a bootstrap: with fewer, the interval is too narrow or a point. */
export const MIN_FOR_INTERVAL = 10;

/**
 * Patients are drawn with replacement, each with all films, so that many films of one patient do not narrow the
 * interval. The same seed gives the same interval.
 */
export function estimate(films: readonly Scored[], figure: WeightedFigure, options: BootstrapOptions): Estimate {
  const sorted = byFallingScore(films);
  const value = figure(sorted, once(sorted));
  if (value === null || areTooFew(films)) return { value, interval: null };
  const patientOf = placesOf(films, sorted);
  const found: number[] = [];
  for (const drawn of draws(films, options)) {
    const one = figure(
      sorted,
      patientOf.map((patient) => drawn[patient]!),
    );
    if (one !== null) found.push(one);
  }
  return { value, interval: intervalOf(found) };
}

/** A figure of two sets of scores on the same films, and the difference (second minus first). */
export interface PairedEstimate {
  readonly first: number | null;
  readonly second: number | null;
  /** Interval of the difference itself, as each draw of patients gives both figures. -1 to 1. */
  readonly difference: Estimate;
}

/**
 * As {@link estimate}, for a difference: patients are drawn once for both sets, so that films that are easy or hard for
 * both do not widen the interval.
 * @param first scores of the films, and `second` of the same films in the same order
 */
export function pairedEstimate(
  [first, second]: readonly [readonly Scored[], readonly Scored[]],
  [figure, other]: readonly [WeightedFigure, WeightedFigure],
  options: BootstrapOptions,
): PairedEstimate {
  const [one, two] = [byFallingScore(first), byFallingScore(second)];
  const [before, after] = [figure(one, once(one)), other(two, once(two))];
  const value = before === null || after === null ? null : after - before;
  if (value === null || areTooFew(first))
    return { first: before, second: after, difference: { value, interval: null } };
  const [places, otherPlaces] = [placesOf(first, one), placesOf(first, two)];
  const found: number[] = [];
  for (const drawn of draws(first, options)) {
    const [a, b] = [
      figure(
        one,
        places.map((patient) => drawn[patient]!),
      ),
      other(
        two,
        otherPlaces.map((patient) => drawn[patient]!),
      ),
    ];
    if (a !== null && b !== null) found.push(b - a);
  }
  return { first: before, second: after, difference: { value, interval: intervalOf(found) } };
}

function areTooFew(films: readonly Scored[]): boolean {
  const { positive, negative } = countPatients(films);
  return Math.min(positive, negative) < MIN_FOR_INTERVAL;
}

const patientsIn = (films: readonly Scored[]) => [...new Set(films.map(({ patient }) => patient))];

/** Index of the patient of each of the sorted films. */
function placesOf(films: readonly Scored[], sorted: readonly Scored[]): number[] {
  const place = new Map(patientsIn(films).map((name, index) => [name, index]));
  return sorted.map(({ patient }) => place.get(patient)!);
}

/** Number of times that each patient is drawn, for each round. */
function* draws(films: readonly Scored[], { rounds, seed }: BootstrapOptions): Generator<Uint32Array> {
  const patients = patientsIn(films).length;
  const random = mulberry32(seed);
  for (let round = 0; round < rounds; round++) {
    const drawn = new Uint32Array(patients);
    for (let i = 0; i < patients; i++) drawn[Math.floor(random() * patients)]!++;
    yield drawn;
  }
}

/**
 * Null where all draws are equal: for example, separated classes give an area of 1 in every draw, which is no
 * certainty.
 */
function intervalOf(found: number[]): Interval {
  found.sort((a, b) => a - b);
  return found.at(0) === found.at(-1) ? null : [quantile(found, 0.025), quantile(found, 0.975)];
}

/** Quantile of sorted values, linear between neighbours (the default of numpy and R). */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}

/**
 * Random numbers in [0, 1) by a well-tested small generator (Tommy Ettinger, public domain), the same on every machine.
 */
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
