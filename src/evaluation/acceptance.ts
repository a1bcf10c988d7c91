import type { Calibration } from '../statistics/curves';
import type { Estimate } from '../statistics/bootstrap';
import type { PredictiveValues } from '../statistics/predictive';
import type { PatientCount, Share } from '../statistics/statistics';
import { CRITERIA, type CriterionName, type Protocol } from './protocol';

/** Figures that the criteria are compared with. */
export interface Judged {
  readonly auc: Estimate;
  readonly sensitivity: Share;
  readonly specificity: Share;
  /** Null where no prevalence is stated. */
  readonly predictive: PredictiveValues | null;
  readonly calibration: Calibration;
  readonly flagged: Share;
  readonly notAnalysed: Share;
  readonly patients: PatientCount;
}

export interface Criterion {
  readonly name: CriterionName;
  readonly kind: 'atLeast' | 'atMost';
  readonly limit: number;
  /** `bound`: the unfavourable end of the 95 % interval is compared, not the value itself. */
  readonly by: 'value' | 'bound';
  /** Null where it can't be measured; then the criterion is not met. */
  readonly value: number | null;
  readonly interval: Estimate['interval'];
  readonly isMet: boolean;
}

export interface Acceptance {
  /** Threshold of sensitivity, specificity, predictive values and flagged films. */
  readonly threshold: number;
  readonly criteria: readonly Criterion[];
  /** All criteria are met. */
  readonly isAccepted: boolean;
}

/** Null where the protocol has no criteria. */
export function judge(protocol: Protocol | null, threshold: number, figures: Judged): Acceptance | null {
  const asked = protocol?.criteria ?? {};
  const criteria = CRITERIA.flatMap((name): Criterion[] => {
    const one = asked[name];
    if (one === undefined) return [];
    const { value, interval } = figureOf(name, figures);
    const [kind, limit] =
      one.atLeast === undefined ? (['atMost', one.atMost!] as const) : (['atLeast', one.atLeast] as const);
    const by = one.by ?? 'value';
    const held = by === 'value' ? value : (interval?.[kind === 'atLeast' ? 0 : 1] ?? null);
    const isMet = held !== null && (kind === 'atLeast' ? held >= limit : held <= limit);
    return [{ name, kind, limit, by, value, interval, isMet }];
  });
  if (criteria.length === 0) return null;
  return { threshold, criteria, isAccepted: criteria.every(({ isMet }) => isMet) };
}

function figureOf(name: CriterionName, figures: Judged): Pick<Criterion, 'value' | 'interval'> {
  const plain = (value: number | null) => ({ value, interval: null });
  switch (name) {
    case 'auc':
    case 'sensitivity':
    case 'specificity':
    case 'flagged':
    case 'notAnalysed':
      return figures[name];
    case 'positivePredictiveValue':
      return figures.predictive?.positive ?? plain(null);
    case 'negativePredictiveValue':
      return figures.predictive?.negative ?? plain(null);
    case 'calibrationError':
      return plain(figures.calibration.expectedCalibrationError);
    case 'patientsWith':
      return plain(figures.patients.positive);
    case 'patientsWithout':
      return plain(figures.patients.negative);
  }
}
