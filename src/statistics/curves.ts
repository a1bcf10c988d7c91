import { type Scored, share, type Share } from './statistics';
import { byFallingScore } from './weighted';

export interface CurvePoint {
  readonly threshold: number;
  /** Also called recall. */
  readonly sensitivity: number;
  readonly falsePositiveRate: number;
  /** Also called positive predictive value. */
  readonly precision: number;
}

/**
 * One point for each distinct score, the highest first; empty where a class is missing. Both ROC and precision-recall
 * curve are drawn from it.
 */
export function curve(films: readonly Scored[]): CurvePoint[] {
  const positives = films.filter(({ positive }) => positive).length;
  const negatives = films.length - positives;
  if (positives === 0 || negatives === 0) return [];
  const points: CurvePoint[] = [];
  let [tp, fp] = [0, 0];
  const sorted = byFallingScore(films);
  sorted.forEach(({ positive, score }, i) => {
    if (positive) tp++;
    else fp++;
    if (sorted[i + 1]?.score !== score)
      points.push({
        threshold: score,
        sensitivity: tp / positives,
        falsePositiveRate: fp / negatives,
        precision: tp / (tp + fp),
      });
  });
  return points;
}

/** At most `most` evenly spaced points, with the first and the last. */
export function thin<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]!);
}

interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  /** Mean predicted probability; null in an empty bin. */
  readonly predicted: number | null;
  /** Observed share of positives. */
  readonly observed: Share;
}

export interface Calibration {
  readonly bins: readonly CalibrationBin[];
  /**
   * Mean distance between predicted and observed, weighted by the films in each bin (Naeini et al. 2015); null without
   * films.
   */
  readonly expectedCalibrationError: number | null;
}

/** Bins of equal width; the last one includes its upper edge. */
export function calibration(films: readonly Scored[], count = 10): Calibration {
  const bins = Array.from({ length: count }, (_, i): CalibrationBin => {
    const inside = films.filter(({ score }) => Math.min(Math.floor(score * count), count - 1) === i);
    const predicted = inside.length === 0 ? null : inside.reduce((sum, { score }) => sum + score, 0) / inside.length;
    return {
      from: i / count,
      to: (i + 1) / count,
      n: inside.length,
      predicted,
      observed: share(inside.filter(({ positive }) => positive).length, inside.length),
    };
  });
  const gap = bins.reduce(
    (sum, { n, predicted, observed }) => sum + n * Math.abs((predicted ?? 0) - (observed.value ?? 0)),
    0,
  );
  return { bins, expectedCalibrationError: films.length === 0 ? null : gap / films.length };
}

export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly positive: number;
  readonly negative: number;
}

/** Numbers of films by probability, for each class, in bins of equal width; the last one includes its upper edge. */
export function histogram(films: readonly Pick<Scored, 'positive' | 'score'>[], count = 20): HistogramBin[] {
  const binOf = (score: number) => Math.min(Math.floor(score * count), count - 1);
  return Array.from({ length: count }, (_, i) => {
    const inside = films.filter(({ score }) => binOf(score) === i);
    const positive = inside.filter((film) => film.positive).length;
    return { from: i / count, to: (i + 1) / count, positive, negative: inside.length - positive };
  });
}
