import type { Uid } from '../dicom/uid';
import type { Finding } from '../events/finding';
import { mostUrgent, type Priority } from '../events/priority';
import { reasonTextOf } from '../finding/wording';
import { isFindingWithdrawn } from './change';
import type { StudyColumns } from './schema';
import type { ReadHow, StudyState, Verdict } from './states';
import { findingOfVersion01 } from './stored-findings';

/** UIDs of a film in the archive. */
interface FilmPath {
  readonly seriesInstanceUid: Uid | null;
  readonly sopInstanceUid: Uid;
}

/** The film that represents its study: see `leadOf` in `record-columns`. */
export interface LeadFilm extends FilmPath {
  /** The heat map as a picture, where one was stored. */
  readonly heatMap: FilmPath | null;
}

/** A row of the reading list. Never log it. */
export interface StudyRow {
  readonly studyInstanceUid: Uid;
  readonly state: StudyState;
  /**
   * Why it was not analysed (docs/events.md), failed, or is retried (docs/errors.md): a code, and for the first a
   * sentence.
   */
  readonly reason: string | null;
  readonly reasonText: string | null;
  /** Priority that the list is sorted by: the highest of those that follow. */
  readonly priority: Priority;
  readonly priorities: {
    readonly triage: Priority | null;
    readonly finding: Priority | null;
    readonly person: Priority | null;
  };
  /** Null while it is not urgent, or where it is unknown. Milliseconds since 1970, as all times here. */
  readonly urgentSince: number | null;
  readonly arrivedAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  /** When a study that could not be analysed is retried. */
  readonly retryAt: number | null;
  /** Findings of the film that represents the study, in the classifiers' order; empty where no film was analysed. */
  readonly findings: readonly Finding[];
  readonly views: readonly string[];
  readonly films: number;
  readonly lead: LeadFilm | null;
  readonly patient: {
    readonly PatientID: string;
    readonly PatientName: string;
    readonly PatientBirthDate: string;
    readonly PatientSex: string;
  };
  readonly accessionNumber: string;
  /** DA and TM. */
  readonly studyDate: string;
  readonly studyTime: string;
  readonly studyDescription: string;
  readonly verdict: RowVerdict | null;
  /** Whether a verdict on this result has removed the finding's priority. */
  readonly isFindingWithdrawn: boolean;
  /** The present claim. An expired one counts as none, but stays in the row until the next write. */
  readonly claim: RowClaim | null;
  readonly firstOpenedAt: number | null;
  /** Null while unread. */
  readonly read: RowRead | null;
  /** All films are radiographs of other body parts. */
  readonly isHidden: boolean;
  /** Number of the row's last change: grows with each change of any row. */
  readonly change: number;
}

export interface RowClaim {
  readonly by: { readonly id: string; readonly name: string };
  readonly until: number;
}

export interface RowRead {
  readonly at: number;
  readonly how: ReadHow;
  /** Null where the RIS reported it; the id is null in one of version 0.1. */
  readonly by: { readonly id: string | null; readonly name: string } | null;
}

interface RowVerdict {
  readonly verdict: Verdict;
  readonly note: string;
  readonly by: string;
  readonly at: number;
  /** False where the result has changed since. */
  readonly ofThisResult: boolean;
}

/** Columns that `rowOf` reads: all but the whole record, which is long. */
export const ROW_COLUMNS = [
  'study_uid',
  'state',
  'reason',
  'urgency',
  'urgent_since',
  'triage_priority',
  'finding_priority',
  'person_priority',
  'ris_priority',
  'arrived_at',
  'started_at',
  'completed_at',
  'retry_at',
  'record_key',
  'probability',
  'threshold',
  'findings',
  'views',
  'films',
  'lead_film',
  'patient_id',
  'patient_name',
  'patient_birth_date',
  'patient_sex',
  'accession_number',
  'study_date',
  'study_time',
  'study_description',
  'verdict',
  'verdict_at',
  'verdict_by',
  'verdict_note',
  'verdict_key',
  'claimed_by_id',
  'claimed_by',
  'claimed_until',
  'first_opened_at',
  'read_at',
  'read_by_id',
  'read_by',
  'read_how',
  'hidden',
  'change',
] as const satisfies readonly (keyof StudyColumns)[];

export type StoredRow = Pick<StudyColumns, (typeof ROW_COLUMNS)[number]>;

export function rowOf(stored: StoredRow): StudyRow {
  return {
    studyInstanceUid: stored.study_uid as Uid,
    state: stored.state,
    reason: stored.reason,
    reasonText: reasonTextOf(stored.reason),
    priority: stored.urgency === 0 ? 'urgent' : 'routine',
    priorities: {
      triage: mostUrgent([stored.triage_priority, stored.ris_priority]),
      finding: stored.finding_priority,
      person: stored.person_priority,
    },
    urgentSince: stored.urgent_since,
    arrivedAt: stored.arrived_at,
    startedAt: stored.started_at,
    completedAt: stored.completed_at,
    retryAt: stored.retry_at,
    findings: findingsOf(stored),
    views: stored.views === '' ? [] : stored.views.split(','),
    films: stored.films,
    lead: stored.lead_film === null ? null : (JSON.parse(stored.lead_film) as LeadFilm),
    patient: {
      PatientID: stored.patient_id,
      PatientName: stored.patient_name,
      PatientBirthDate: stored.patient_birth_date,
      PatientSex: stored.patient_sex,
    },
    accessionNumber: stored.accession_number,
    studyDate: stored.study_date,
    studyTime: stored.study_time,
    studyDescription: stored.study_description,
    verdict: verdictOf(stored),
    isFindingWithdrawn: isFindingWithdrawn(stored),
    claim: claimOf(stored),
    firstOpenedAt: stored.first_opened_at,
    read: readOf(stored),
    isHidden: stored.hidden === 1,
    change: stored.change,
  };
}

export function claimOf({
  claimed_by_id,
  claimed_by,
  claimed_until,
}: Pick<StoredRow, 'claimed_by_id' | 'claimed_by' | 'claimed_until'>): RowClaim | null {
  if (claimed_by_id === null || claimed_until === null) return null;
  return { by: { id: claimed_by_id, name: claimed_by ?? '' }, until: claimed_until };
}

export function readOf({
  read_at,
  read_how,
  read_by,
  read_by_id,
}: Pick<StoredRow, 'read_at' | 'read_how' | 'read_by' | 'read_by_id'>): RowRead | null {
  if (read_at === null || read_how === null) return null;
  return { at: read_at, how: read_how, by: read_by === null ? null : { id: read_by_id, name: read_by } };
}

function findingsOf({ findings, probability, threshold }: StoredRow): Finding[] {
  return findings === null ? findingOfVersion01(probability, threshold, null) : (JSON.parse(findings) as Finding[]);
}

function verdictOf({
  verdict,
  verdict_note,
  verdict_by,
  verdict_at,
  verdict_key,
  record_key,
}: StoredRow): RowVerdict | null {
  if (verdict === null) return null;
  return {
    verdict: verdict as Verdict,
    note: verdict_note ?? '',
    by: verdict_by ?? '',
    at: verdict_at ?? 0,
    ofThisResult: verdict_key === record_key,
  };
}
