import { type Code, CODES, HILUM_SCHEME } from '../objects/codes';
import { percentages } from '../objects/structured-report';
import type { FilmRecord } from './record';

/** Concepts that messages have and the report does not. */
export const DELIVERY_CODES = {
  positiveClass: { value: 'positive-class', scheme: HILUM_SCHEME, meaning: 'What the probability is of' },
  operatingPoint: { value: 'operating-point', scheme: HILUM_SCHEME, meaning: 'Operating point, 0 to 1' },
  film: { value: 'film', scheme: HILUM_SCHEME, meaning: 'SOP Instance UID of the film' },
  report: { value: 'report', scheme: HILUM_SCHEME, meaning: 'SOP Instance UID of the report' },
  studyUid: { value: '110180', scheme: 'DCM', meaning: 'Study Instance UID' },
} as const satisfies Record<string, Code>;

/** LOINC for a chest film, as IHE and most systems file it. */
export const CHEST_FILM: Code = { value: '36554-4', scheme: 'LN', meaning: 'XR Chest Single view' };

export const VIEW_CODES = { frontal: CODES.frontal, lateral: CODES.lateral } as const;

/**
 * The result of one film in one sentence, as in its report. It never says that something is absent: below the operating
 * point nothing is known.
 */
export function filmStatement({ outcome, probability, threshold, finding, reasonText }: FilmRecord): string {
  if (outcome !== 'analysed' || probability === null)
    return `Not analysed${reasonText === null ? '.' : ` because ${reasonText}`}`;
  const what = finding?.meaning ?? 'the positive class';
  if (threshold === null)
    return `Probability of ${what} ${percentages(probability, probability)[0]} %, operating point not known: no statement about presence or absence.`;
  const [share, point] = percentages(probability, threshold);
  const relation =
    probability >= threshold
      ? `at or above the operating point (${point} %).`
      : `below the operating point (${point} %): no statement about absence.`;
  return `Probability of ${what} ${share} %, ${relation}`;
}

/** The film's report: the last object that was stored for it (docs/events.md). */
export function reportOf({ outcome, outputs }: FilmRecord): FilmRecord['outputs'][number] | undefined {
  return outcome === 'rejected' ? undefined : outputs.at(-1);
}
