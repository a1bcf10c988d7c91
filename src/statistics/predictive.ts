import type { Share } from './statistics';
import { type Interval, Z95 } from './wilson';

interface PredictiveValue {
  readonly value: number | null;
  readonly interval: Interval;
}

/** What a call, and its absence, would mean at a share of patients with the finding that is stated, not measured. */
export interface PredictiveValues {
  readonly prevalence: number;
  /** Share of the called films that would have the finding. */
  readonly positive: PredictiveValue;
  /** Share of the films that are not called that would not have it. */
  readonly negative: PredictiveValue;
  /** Share of all films that would be called; null where sensitivity or specificity is not known. */
  readonly flagged: number | null;
}

/**
 * Bayes' theorem on sensitivity and specificity, with the interval of Mercaldo, Lau and Zhou 2007 (Statistics in
 * Medicine 26:2170): 95 %, on the logit by the delta method, film by film. Where a count is 0, half of 1.96 squared is
 * added to it and to its counterpart (Agresti and Coull 1998), as they advise, and the interval goes as far as the
 * value.
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

/** Of all that is counted, the part that is right; null where nothing is. */
const quotient = (right: number, wrong: number) => (right + wrong === 0 ? null : right / (right + wrong));

/** A share that is neither 0 nor 1. */
function steadied({ hits, n }: Share): { readonly share: number; readonly n: number } {
  const more = hits === 0 || hits === n ? (Z95 * Z95) / 2 : 0;
  return { share: (hits + more) / (n + 2 * more), n: n + 2 * more };
}

function within(value: number | null, logit: number, variance: number): Interval {
  if (value === null) return null;
  const at = (distance: number) => 1 / (1 + Math.exp(-(logit + distance * Math.sqrt(variance))));
  return [Math.min(at(-Z95), value), Math.max(at(Z95), value)];
}
