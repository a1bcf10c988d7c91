import type { CorrectedPart } from '../events/closed-lists';
import type { StudyAttributes, StudyRecord } from '../sinks/record';
import { clean, type SUMMARY_COLUMNS, type SummaryColumns, type StudySummary } from './record-columns';

type Texts = Readonly<Record<string, string | undefined>>;

/** What an archive says of a study, in one of the two ways that it is asked. */
export type FoundAttributes =
  /** By the header of a film: all that a result says. */
  | { readonly of: 'film'; readonly attributes: StudyAttributes }
  /** By a search: what a row without a result shows. */
  | { readonly of: 'study'; readonly summary: StudySummary };

/** Whether a record's attributes are those of a film; else they are what a report had, or nothing. */
export function isReadFromFilm({ films }: Pick<StudyRecord, 'films'>): boolean {
  return films.some(({ modality }) => modality !== '');
}

/** A result names its patient and its order by these; what changed in others is told to nobody. */
const NAMED_BY: Readonly<Record<string, CorrectedPart>> = {
  PatientID: 'patient',
  IssuerOfPatientID: 'patient',
  PatientName: 'patient',
  PatientBirthDate: 'patient',
  PatientSex: 'patient',
  AccessionNumber: 'order',
  AccessionNumberIssuer: 'order',
  PlacerOrderNumberImagingServiceRequest: 'order',
  FillerOrderNumberImagingServiceRequest: 'order',
};

/** Attributes that a search need not return (PS3.18 table 10.6.3-3). */
const OPTIONAL: ReadonlySet<string> = new Set(['StudyDescription'] satisfies (keyof StudySummary)[]);

/** Keywords of the attributes that have another value now. */
export function changedAttributes(before: StudyAttributes, after: StudyAttributes): string[] {
  return changedTexts(
    { ...before.patient, ...before.study, ...before.order },
    { ...after.patient, ...after.study, ...after.order },
  );
}

/** As {@link changedAttributes}, of what a row shows. */
export function changedSummary(before: StudySummary, after: StudySummary): (keyof StudySummary)[] {
  const keywords = Object.keys(before) as (keyof StudySummary)[];
  return keywords.filter((keyword) => !sameValue(before[keyword], after[keyword]));
}

/** Which parts of a message about the study are wrong where these attributes were. */
export function correctedParts(keywords: readonly string[]): CorrectedPart[] {
  return [...new Set(keywords.flatMap((keyword) => NAMED_BY[keyword] ?? []))];
}

/** Whether a row of a search says something else than the list; an optional attribute without a value says nothing. */
export function isNews(known: StudySummary, listed: StudySummary): boolean {
  return changedSummary(known, listed).some((keyword) => listed[keyword] !== '' || !OPTIONAL.has(keyword));
}

export function summaryOf({ patient, study, order }: StudyAttributes): StudySummary {
  const { PatientID, PatientName, PatientBirthDate, PatientSex } = patient;
  const { StudyDate, StudyTime, StudyDescription } = study;
  const { AccessionNumber } = order;
  return {
    PatientID,
    PatientName,
    PatientBirthDate,
    PatientSex,
    AccessionNumber,
    StudyDate,
    StudyTime,
    StudyDescription,
  };
}

type SummaryRow = Pick<SummaryColumns, (typeof SUMMARY_COLUMNS)[number]>;

export function summaryOfRow(row: SummaryRow): StudySummary {
  return {
    PatientID: row.patient_id,
    PatientName: row.patient_name,
    PatientBirthDate: row.patient_birth_date,
    PatientSex: row.patient_sex,
    AccessionNumber: row.accession_number,
    StudyDate: row.study_date,
    StudyTime: row.study_time,
    StudyDescription: row.study_description,
  };
}

function changedTexts(before: Texts, after: Texts): string[] {
  return Object.keys(after).filter((keyword) => !sameValue(before[keyword], after[keyword]));
}

/** Whether two values are one, but for what is no part of them. */
export function sameValue(one: string | undefined, other: string | undefined): boolean {
  return significant(one) === significant(other);
}

/**
 * Without what is no part of a value: padding (PS3.5 section 6.2), and components of a name that are left out at its
 * end (section 6.2.1). Records of version 0.1 lack some attributes.
 */
function significant(value = ''): string {
  return clean(value, value.length)
    .replace(/[\^=\s]+$/, '')
    .trimStart();
}
