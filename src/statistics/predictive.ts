import type { Share } from './statistics';
import { type Interval, Z95 } from './wilson';

interface PredictiveValue {
  readonly value: number | null;
  readonly interval: Interval;
}

/** Predictive values at a stated, not measured, prevalence. */
export interface PredictiveValues {
  readonly prevalence: number;
  /** Share of the called films that have the finding. */
  readonly positive: PredictiveValue;
  /** Share of the other films that do not have it. */
  readonly negative: PredictiveValue;
  /** Share of all films that are called; null where sensitivity or specificity is unknown. */
  readonly flagged: number | null;
}

/**
 * Bayes' theorem on sensitivity and specificity, with the 95 % interval of Mercaldo, Lau and Zhou 2007 (Statistics in
 * Medicine 26:2170): on the logit by the delta method, film by film. Where a count is 0, half of 1.96 squared is added
 * to it and to its counterpart (Agresti and Coull 1998), as they advise, and the interval is extended to the value.
 * @param prevalence above 0 and below 1
 */
export function predictiveValues(sensitivity: Share, specificity: Share, prevalence: number): PredictiveValues {
  const [p, q] = [prevalence, 1 - prevalence];
  if (sensitivity.value === null || specificity.value === null) {
    const unknown: PredictiveValue = { value: null, interval: null };
    return { prevalence, positive: unknown, negative: unknown, flagged: null };
  }
  const [se, sp] = [sensitivity.value, specificity.value];
  const [a, b] = [steadied(sensitivity), steadied(specificity)];
  return {
    prevalence,
    positive: {
      value: quotient(se * p, (1 - sp) * q),
      interval: within(
        quotient(se * p, (1 - sp) * q),
        Math.log((a.share * p) / ((1 - b.share) * q)),
        (1 - a.share) / a.share / a.n + b.share / (1 - b.share) / b.n,
      ),
    },
    negative: {
      value: quotient(sp * q, (1 - se) * p),
      interval: within(
        quotient(sp * q, (1 - se) * p),
        Math.log((b.share * q) / ((1 - a.share) * p)),
        a.share / (1 - a.share) / a.n + (1 - b.share) / b.share / b.n,
      ),
    },
    flagged: se * p + (1 - sp) * q,
  };
}

/** Share of `right` in all; null where there is nothing. */
const quotient = (right: number, wrong: number) => (right + wrong === 0 ? null : right / (right + wrong));

/** A share adjusted so that it is neither 0 nor 1. */
function steadied({ hits, n }: Share): { readonly share: number; readonly n: number } {
  const more = hits === 0 || hits === n ? (Z95 * Z95) / 2 : 0;
  return { share: (hits + more) / (n + 2 * more), n: n + 2 * more };
}

function within(value: number | null, logit: number, variance: number): Interval {
  if (value === null) return null;
  const at = (distance: number) => 1 / (1 + Math.exp(-(logit + distance * Math.sqrt(variance))));
  return [Math.min(at(-Z95), value), Math.max(at(Z95), value)];
}
