import { isInShadow, liveFindings } from '../finding/finding';
import type { Code } from '../dicom/code';
import { subjectOf } from '../events/chest-film';
import { isRejection } from '../events/closed-lists';
import {
  CORRECTED,
  findingStatement,
  notAnalysedStatement,
  ONLY_IN_SHADOW,
  percentOf,
  relationOf,
  REPLACED,
  WARNING_TEXTS,
  WITHDRAWN,
} from '../finding/wording';
import { CODES, HILUM_SCHEME } from '../objects/codes';
import type { FilmRecord, StudyRecord } from './record';

/** Concepts that are in messages but not in the report. */
export const DELIVERY_CODES = {
  positiveClass: { value: 'positive-class', scheme: HILUM_SCHEME, meaning: 'What the probability is of' },
  operatingPoint: { value: 'operating-point', scheme: HILUM_SCHEME, meaning: 'Operating point, 0 to 1' },
  film: { value: 'film', scheme: HILUM_SCHEME, meaning: 'SOP Instance UID of the film' },
  report: { value: 'report', scheme: HILUM_SCHEME, meaning: 'SOP Instance UID of the report' },
  replaces: {
    value: 'replaces',
    scheme: HILUM_SCHEME,
    meaning: 'SOP Instance UID of a report that this result takes the place of',
  },
  studyUid: { value: '110180', scheme: 'DCM', meaning: 'Study Instance UID' },
} as const satisfies Record<string, Code>;

/** LOINC code of a chest film, by which IHE and most systems file it. */
export const CHEST_FILM: Code = { value: '36554-4', scheme: 'LN', meaning: 'XR Chest Single view' };

export const VIEW_CODES = { frontal: CODES.frontal, lateral: CODES.lateral } as const;

/** Whether a result replaces an earlier one. */
export function isReplacement({ supersedes = [] }: { readonly supersedes?: FilmRecord['supersedes'] }): boolean {
  return supersedes.length > 0;
}

type Told = Pick<FilmRecord, 'outcome' | 'reason' | 'supersedes'>;

/** Whether an earlier result of a film is withdrawn because the film was rejected. */
export function isWithdrawn({ reason, supersedes }: Omit<Told, 'outcome'>): boolean {
  return reason !== null && isRejection(reason) && isReplacement({ supersedes });
}

/** Whether the whole result of a study is withdrawn: every chest film was rejected. */
export function isWithdrawal({ films }: { readonly films: readonly Told[] }): boolean {
  return films.some(isWithdrawn) && films.every((film) => film.outcome === 'rejected' || isWithdrawn(film));
}

/** Status of a result: the first one, one that replaces an earlier one, or a withdrawal. */
export type ResultStatus = 'preliminary' | 'corrected' | 'withdrawn';

/** Status of statements about the whole study; also corrected where patient or order have changed. */
export function studyStatus({ correction }: Pick<StudyRecord, 'correction'>): 'preliminary' | 'corrected' {
  return correction === undefined ? 'preliminary' : 'corrected';
}

export function filmStatus(film: Omit<Told, 'outcome'>, record: Pick<StudyRecord, 'correction'>): ResultStatus {
  if (isWithdrawn(film)) return 'withdrawn';
  return isReplacement(film) ? 'corrected' : studyStatus(record);
}

/** Status of the report on the study: corrected where any part of it is. */
export function reportStatus(record: Pick<StudyRecord, 'correction' | 'films'>): ResultStatus {
  if (isWithdrawal(record)) return 'withdrawn';
  return record.films.some(isReplacement) ? 'corrected' : studyStatus(record);
}

/**
 * Whether a study is sent to other systems: if it has a chest film, or possibly one, or if something was sent that is
 * no longer valid.
 */
export function isForOthers({ films }: { readonly films: readonly Told[] }): boolean {
  return subjectOf(films) === 'chest' || films.some(isReplacement);
}

/** Time of this version of the result: ISO 8601, UTC. */
export function issuedAt({ correction, completedAt }: Pick<StudyRecord, 'correction' | 'completedAt'>): string {
  return correction?.correctedAt ?? completedAt;
}

/** Remarks about the whole study, in sentences. */
export function studyCaveats({ correction }: Pick<StudyRecord, 'correction'>): string[] {
  return correction === undefined ? [] : [CORRECTED];
}

/** Warnings for the reader, in sentences. */
export function caveats(film: Pick<FilmRecord, 'warnings' | 'reason' | 'supersedes'>): string[] {
  return [...(film.warnings ?? []).map((warning) => WARNING_TEXTS[warning]), ...replacementNotes(film)];
}

export function replacementNotes(film: Pick<FilmRecord, 'reason' | 'supersedes'>): string[] {
  if (isWithdrawn(film)) return [WITHDRAWN];
  return isReplacement(film) ? [REPLACED] : [];
}

/** Whether a receiver of urgent results only gets this one: it is urgent, or replaces an urgent one. */
export function concernsUrgency({ priority, supersededPriority }: StudyRecord): boolean {
  return priority === 'urgent' || supersededPriority === 'urgent';
}

/** Result of one film, one sentence for each finding, as in its report. */
export function filmStatement({ outcome, probability, findings, reasonText }: FilmRecord): string {
  if (isInShadow({ outcome, findings })) return ONLY_IN_SHADOW;
  if (outcome !== 'analysed' || probability === null)
    return reasonText === null ? 'Not analysed.' : notAnalysedStatement(reasonText);
  const told = liveFindings(findings);
  if (told.length > 0) return told.map((finding) => findingStatement(finding, finding.code.meaning)).join(' ');
  // A result of version 0.1 without a readable report.
  return `Probability of the positive class ${percentOf(probability)} %, ${relationOf(UNKNOWN)}.`;
}

const UNKNOWN = { probability: 0, operatingPoint: null, atOrAbove: false } as const;
