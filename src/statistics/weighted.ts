import { isAtOrAbove } from '../finding/operating-point';
import type { Scored } from './statistics';

/**
 * Figures in which each film counts `weights[i]` times, possibly 0: a bootstrap draws patients, and one drawn twice has
 * weight 2. Films are sorted by descending score ({@link byFallingScore}), so that each figure takes one pass.
 */
export type WeightedFigure = (films: readonly Scored[], weights: ArrayLike<number>) => number | null;

export function byFallingScore(films: readonly Scored[]): Scored[] {
  return [...films].sort((a, b) => b.score - a.score);
}

export const once = (films: readonly Scored[]): Uint8Array => new Uint8Array(films.length).fill(1);

interface Step {
  readonly positives: number;
  readonly negatives: number;
}

/** Numbers of positives and negatives at each distinct score, the highest first. */
function* steps(films: readonly Scored[], weights: ArrayLike<number>): Generator<Step> {
  for (let at = 0; at < films.length;) {
    const { score } = films[at]!;
    let [positives, negatives] = [0, 0];
    for (; at < films.length && films[at]!.score === score; at++) {
      if (films[at]!.positive) positives += weights[at]!;
      else negatives += weights[at]!;
    }
    yield { positives, negatives };
  }
}

/**
 * Area under the ROC curve: share of pairs of a positive and a negative in which the positive has the higher score,
 * ties counted half.
 */
export const weightedAuc: WeightedFigure = (films, weights) => {
  let [above, total, area] = [0, 0, 0];
  for (const { positives, negatives } of steps(films, weights)) {
    area += negatives * (above + positives / 2);
    above += positives;
    total += negatives;
  }
  return above === 0 || total === 0 ? null : area / (above * total);
};

/** Average precision: precision at each distinct score, weighted by the added recall, without interpolation. */
export const weightedAveragePrecision: WeightedFigure = (films, weights) => {
  let [hits, called, sum] = [0, 0, 0];
  for (const { positives, negatives } of steps(films, weights)) {
    hits += positives;
    called += positives + negatives;
    if (positives > 0) sum += (positives * hits) / called;
  }
  return hits === 0 ? null : sum / hits;
};

/** F1 at a threshold. */
export function weightedF1(threshold: number): WeightedFigure {
  return (films, weights) => {
    let [tp, wrong] = [0, 0];
    films.forEach(({ positive, score }, i) => {
      const called = isAtOrAbove(score, threshold);
      if (positive && called) tp += weights[i]!;
      else if (positive !== called) wrong += weights[i]!;
    });
    return 2 * tp + wrong === 0 ? null : (2 * tp) / (2 * tp + wrong);
  };
}

/** Share of the films of a class that are called at a threshold. */
function weightedShare(threshold: number, of: (film: Scored) => boolean, called: boolean): WeightedFigure {
  return (films, weights) => {
    let [hits, all] = [0, 0];
    films.forEach((film, i) => {
      if (!of(film)) return;
      all += weights[i]!;
      if (isAtOrAbove(film.score, threshold) === called) hits += weights[i]!;
    });
    return all === 0 ? null : hits / all;
  };
}

export const weightedSensitivity = (threshold: number): WeightedFigure =>
  weightedShare(threshold, ({ positive }) => positive, true);

export const weightedSpecificity = (threshold: number): WeightedFigure =>
  weightedShare(threshold, ({ positive }) => !positive, false);

/** Share of all films that are called. */
export const weightedFlagged = (threshold: number): WeightedFigure => weightedShare(threshold, () => true, true);
