import { isAtOrAbove } from '../finding/operating-point';
import { type Interval, wilson } from './wilson';

export { type Interval, wilson };

/** One film with its label: input of all figures. */
export interface Scored {
  readonly positive: boolean;
  /** Probability of the positive class, 0..1. */
  readonly score: number;
  /** Films of one patient are not independent. */
  readonly patient: string;
}

export interface PatientCount {
  readonly positive: number;
  readonly negative: number;
}

/** Patients with a positive film, and patients with a negative one; some may be both. */
export function countPatients(films: readonly Scored[]): PatientCount {
  const count = (wanted: boolean) =>
    new Set(films.filter(({ positive }) => positive === wanted).map(({ patient }) => patient)).size;
  return { positive: count(true), negative: count(false) };
}

/** A share of `n` cases; value and interval are null where n is 0. */
export interface Share {
  readonly value: number | null;
  readonly hits: number;
  readonly n: number;
  readonly interval: Interval;
}

export function share(hits: number, n: number): Share {
  return { value: n === 0 ? null : hits / n, hits, n, interval: wilson(hits, n) };
}

export interface Confusion {
  readonly truePositive: number;
  readonly falseNegative: number;
  readonly falsePositive: number;
  readonly trueNegative: number;
}

/** A film is called positive at a score of `threshold` or more, as the service does. */
export function confusion(films: readonly Scored[], threshold: number): Confusion {
  const count = (positive: boolean, called: boolean) =>
    films.filter((film) => film.positive === positive && isAtOrAbove(film.score, threshold) === called).length;
  return {
    truePositive: count(true, true),
    falseNegative: count(true, false),
    falsePositive: count(false, true),
    trueNegative: count(false, false),
  };
}

export interface ThresholdFigures {
  readonly threshold: number;
  readonly confusion: Confusion;
  readonly sensitivity: Share;
  readonly specificity: Share;
  readonly accuracy: Share;
  /** Positive predictive value at the prevalence of these films. */
  readonly precision: Share;
  /** 2 TP / (2 TP + FP + FN); null when no film is positive or called positive. */
  readonly f1: number | null;
}

export function thresholdFigures(films: readonly Scored[], threshold: number): ThresholdFigures {
  const counted = confusion(films, threshold);
  const { truePositive: tp, falseNegative: fn, falsePositive: fp, trueNegative: tn } = counted;
  return {
    threshold,
    confusion: counted,
    sensitivity: share(tp, tp + fn),
    specificity: share(tn, tn + fp),
    accuracy: share(tp + tn, films.length),
    precision: share(tp, tp + fp),
    f1: 2 * tp + fp + fn === 0 ? null : (2 * tp) / (2 * tp + fp + fn),
  };
}
