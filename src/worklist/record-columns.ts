import { plainLetters } from '../base/plain-letters';
import { subjectOf, subjectOfFilm } from '../events/chest-film';
import { FILM_MODALITIES } from '../events/closed-lists';
import { leadingFinding, priorityOf } from '../finding/finding';
import { SOP_CLASSES } from '../objects/sop-classes';
import type { FilmRecord, StudyRecord } from '../sinks/record';
import type { StudyColumns } from './schema';
import type { LeftOutReason } from './states';
import type { LeadFilm } from './study-row';

/** Study summary: patient and study attributes as QIDO-RS returns them, shown before there is a result. */
export interface StudySummary {
  readonly PatientID: string;
  readonly PatientName: string;
  readonly PatientBirthDate: string;
  readonly PatientSex: string;
  readonly AccessionNumber: string;
  readonly StudyDate: string;
  readonly StudyTime: string;
  readonly StudyDescription: string;
}

/** Columns for patient and study. */
export const SUMMARY_COLUMNS = [
  'patient_id',
  'patient_name',
  'patient_birth_date',
  'patient_sex',
  'accession_number',
  'study_date',
  'study_time',
  'study_description',
] as const satisfies readonly (keyof StudyColumns)[];
const SEARCH_COLUMNS = ['search_patient', 'search_study'] as const satisfies readonly (keyof StudyColumns)[];

export type SummaryColumns = Pick<StudyColumns, (typeof SUMMARY_COLUMNS)[number] | (typeof SEARCH_COLUMNS)[number]>;

const OF_SUMMARY: ReadonlySet<string> = new Set([...SUMMARY_COLUMNS, ...SEARCH_COLUMNS]);

export function summaryColumns(study: string, summary: StudySummary): SummaryColumns {
  return {
    patient_id: identifier(summary.PatientID),
    patient_name: clean(summary.PatientName),
    patient_birth_date: clean(summary.PatientBirthDate),
    patient_sex: clean(summary.PatientSex),
    accession_number: identifier(summary.AccessionNumber),
    study_date: clean(summary.StudyDate),
    study_time: clean(summary.StudyTime),
    study_description: clean(summary.StudyDescription),
    search_patient: wordsOf(summary.PatientName, summary.PatientID, summary.AccessionNumber, summary.StudyDescription),
    search_study: study,
  };
}

/** The columns without those for patient and study. */
export function withoutSummary<Columns extends SummaryColumns>(columns: Columns): Omit<Columns, keyof SummaryColumns> {
  return Object.fromEntries(Object.entries(columns).filter(([name]) => !OF_SUMMARY.has(name))) as Omit<
    Columns,
    keyof SummaryColumns
  >;
}

const wordsOf = (...texts: readonly string[]): string =>
  texts
    .map(fold)
    .filter((text) => text !== '')
    .join(' ');

/** Columns that a result sets. */
export function recordColumns(record: StudyRecord) {
  const { films } = record;
  const analysed = films.filter(({ outcome }) => outcome === 'analysed');
  const lead = leadOf(films);
  return {
    ...summaryColumns(record.studyInstanceUid, {
      ...record.patient,
      ...record.study,
      AccessionNumber: record.order.AccessionNumber,
    }),
    ...(analysed.length > 0 ? { state: 'done' as const, reason: null, hidden: 0 } : withoutResult(record)),
    finding_priority: record.priority,
    completed_at: Date.parse(record.completedAt),
    retry_at: null,
    record_key: record.key,
    record: JSON.stringify(record),
    probability: lead?.probability ?? null,
    threshold: lead === undefined ? null : (leadingFinding(lead)?.operatingPoint ?? null),
    findings: JSON.stringify(lead?.findings ?? []),
    views: [...new Set(films.flatMap(({ view }) => view ?? []))].join(','),
    films: films.length,
    lead_film:
      lead === undefined
        ? null
        : JSON.stringify({
            seriesInstanceUid: lead.seriesInstanceUid,
            sopInstanceUid: lead.sopInstanceUid,
            heatMap: heatMapOf(lead),
          } satisfies LeadFilm),
  };
}

/** Why there is no result: a chest film's reason first, as somebody has to read that film. */
function withoutResult({ films, skipped = [] }: StudyRecord) {
  const subject = subjectOf(films);
  const reason = films.find((film) => subjectOfFilm(film) === subject && film.reason !== null)?.reason ?? null;
  if (subject !== 'no-film') return { state: 'not-analysed' as const, reason, hidden: subject === 'other' ? 1 : 0 };
  const isNoImage = reason === 'no-image' || skipped.some((modality) => FILM_MODALITIES.has(modality));
  const leftOut: LeftOutReason = isNoImage ? 'no-image' : 'modality';
  return { state: 'left-alone' as const, reason: leftOut, hidden: 0 };
}

/**
 * The film that represents the study: an urgent one, else one at or above its operating point (films may have different
 * ones), else any; of several the one with the highest probability; undefined where there is none. In a study with a
 * chest film, one of those.
 */
export function leadOf(films: readonly FilmRecord[]): FilmRecord | undefined {
  // An analysed film has no probability where its findings are all in shadow.
  const probabilityOf = ({ outcome, probability }: FilmRecord) => probability ?? (outcome === 'analysed' ? -1 : -2);
  const isUrgent = ({ findings }: FilmRecord) => Number(priorityOf(findings) === 'urgent');
  const isAtOrAbove = (film: FilmRecord) => Number(leadingFinding(film)?.atOrAbove ?? false);
  const subject = subjectOf(films);
  const [first] = films
    .filter((film) => subjectOfFilm(film) === subject)
    .sort(
      (a, b) => isUrgent(b) - isUrgent(a) || isAtOrAbove(b) - isAtOrAbove(a) || probabilityOf(b) - probabilityOf(a),
    );
  return first;
}

function heatMapOf({ outputs }: FilmRecord): LeadFilm['heatMap'] {
  const found = outputs.find(({ sopClassUid }) => sopClassUid === SOP_CLASSES.heatMap);
  return found === undefined
    ? null
    : { seriesInstanceUid: found.seriesInstanceUid, sopInstanceUid: found.sopInstanceUid };
}

/** Text in the form that is searched: plain letters, the parts of a name as words. */
export function fold(text: string): string {
  return plainLetters(clean(text, 1_000).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase())
    .replace(/[\^=\s]+/g, ' ')
    .trim();
}

/** The whole identifier without NUL. */
function identifier(text: string): string {
  return clean(text, text.length);
}

/** Text without NUL, which PostgreSQL can't store, cut to `max` characters. */
export function clean(text: string, max = 256): string {
  return text.replaceAll('\0', '').slice(0, max);
}
