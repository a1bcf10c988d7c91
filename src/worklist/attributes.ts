import type { CorrectedPart } from '../events/closed-lists';
import type { StudyAttributes, StudyRecord } from '../sinks/record';
import { clean, type SUMMARY_COLUMNS, type SummaryColumns, type StudySummary } from './record-columns';

type Texts = Readonly<Record<string, string | undefined>>;

/** Attributes of a study in the archive, from one of two sources. */
export type FoundAttributes =
  /** From a film's header: all attributes of a result. */
  | { readonly of: 'film'; readonly attributes: StudyAttributes }
  /** From a search: those that a row without a result shows. */
  | { readonly of: 'study'; readonly summary: StudySummary };

/** Whether a record's attributes come from a film's header; else from a report, or there are none. */
export function isReadFromFilm({ films }: Pick<StudyRecord, 'films'>): boolean {
  return films.some(({ modality }) => modality !== '');
}

/** Attributes by which a result names its patient and its order; changes of others are not announced. */
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

/** Keywords of the attributes with another value. */
export function changedAttributes(before: StudyAttributes, after: StudyAttributes): string[] {
  return changedTexts(
    { ...before.patient, ...before.study, ...before.order },
    { ...after.patient, ...after.study, ...after.order },
  );
}

/** As {@link changedAttributes}, for the attributes that a row shows. */
export function changedSummary(before: StudySummary, after: StudySummary): (keyof StudySummary)[] {
  const keywords = Object.keys(before) as (keyof StudySummary)[];
  return keywords.filter((keyword) => !sameValue(before[keyword], after[keyword]));
}

/** Parts of a message about the study that are wrong with these attributes. */
export function correctedParts(keywords: readonly string[]): CorrectedPart[] {
  return [...new Set(keywords.flatMap((keyword) => NAMED_BY[keyword] ?? []))];
}

/** Whether a search result differs from the list; a missing optional attribute does not count. */
export function differsFromList(known: StudySummary, listed: StudySummary): boolean {
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

/** Whether two values are equal apart from padding. */
export function sameValue(one: string | undefined, other: string | undefined): boolean {
  return significant(one) === significant(other);
}

/**
 * A value without padding (PS3.5 section 6.2) and without empty components at the end of a name (section 6.2.1).
 * Records of version 0.1 lack some attributes.
 */
function significant(value = ''): string {
  return clean(value, value.length)
    .replace(/[\^=\s]+$/, '')
    .trimStart();
}
