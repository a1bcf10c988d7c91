import type { Generated, Selectable } from 'kysely';
import type { Priority } from '../events/priority';
import type { AccessSchema } from './access-schema';
import type { ReadHow, StudyState } from './states';

/**
 * Tables of both databases: times are integers (milliseconds since 1970), JSON is text, booleans are 1 and 0.
 * `migrations/` creates them.
 */
export interface Schema extends AccessSchema {
  migration: MigrationTable;
  schema_step: SchemaStepTable;
  counter: CounterTable;
  study: StudyTable;
  history: HistoryTable;
  verdict: VerdictTable;
  list_entry: ListEntryTable;
  list_count: ListCountTable;
  verdict_count: VerdictCountTable;
  left_out_count: LeftOutCountTable;
  ris_message: RisMessageTable;
  ris_order: RisOrderTable;
  saved_view: SavedViewTable;
  open_study: OpenStudyTable;
  worker: WorkerTable;
  lease: LeaseTable;
}

/** Steps of the schema that version 0.1 may see; see `noteStep` in `migrations/index`. */
interface MigrationTable {
  name: string;
  applied_at: number;
}

/** Applied steps of the schema; those of 0.1 are in `migration` alone where 0.1 applied them. */
interface SchemaStepTable {
  name: string;
  /** Index in `RELEASES` of the version that introduced it. */
  release: number;
  /** Name of that version, for versions that do not know it. */
  version: string;
  applied_at: number;
}

/**
 * One row, `change`: the number of the last change. Every writer takes the next one first, so that numbers become
 * visible in order.
 */
interface CounterTable {
  name: string;
  value: number;
}

interface StudyTable {
  study_uid: string;
  state: StudyState;
  /** Code of why the study was not analysed, failed, is retried, or is not on the list. */
  reason: string | null;
  /** Unused since 0.2: the sentence follows from the code. */
  reason_text: string | null;
  /** 0 urgent, 1 not: the highest of the next three and of `ris_priority`. */
  urgency: number;
  /** Null while it is not urgent, and where it became urgent under a version without this column. */
  urgent_since: number | null;
  /** By the event or the priority rules. */
  triage_priority: Priority | null;
  /** By the findings. */
  finding_priority: Priority | null;
  /** By a user of the list. */
  person_priority: Priority | null;
  arrived_at: number;
  started_at: number | null;
  completed_at: number | null;
  /** Time of the first result; `completed_at` is that of the present one. */
  first_result_at: number | null;
  /** The worker that began it last; null where none was named. */
  worker: string | null;
  retry_at: number | null;
  /** StudyRecord.key of the present result. */
  record_key: string | null;
  /** The StudyRecord as JSON. */
  record: string | null;
  /** Correction to announce, as JSON; null where there is none. */
  correction: string | null;
  /** The highest of the films, 0..1, and its operating point. */
  probability: number | null;
  threshold: number | null;
  /** Findings of the leading film, as JSON; null in a row of version 0.1. */
  findings: string | null;
  /** Views of the films, separated by commas. */
  views: Generated<string>;
  films: Generated<number>;
  /** The film that represents the study, as JSON: {@link LeadFilm}. */
  lead_film: string | null;
  patient_id: Generated<string>;
  patient_name: Generated<string>;
  patient_birth_date: Generated<string>;
  patient_sex: Generated<string>;
  accession_number: Generated<string>;
  study_date: Generated<string>;
  study_time: Generated<string>;
  study_description: Generated<string>;
  /**
   * Folded text for searches: `search_study` has what a row shows to everybody, `search_patient` what it shows to users
   * who may see patients (also accession number and study description).
   */
  search_patient: Generated<string>;
  search_study: Generated<string>;
  /** The latest verdict. */
  verdict: string | null;
  verdict_at: number | null;
  verdict_by: string | null;
  verdict_note: string | null;
  /** `record_key` of the result that the verdict is on. */
  verdict_key: string | null;
  /** User who has claimed it, and the end of the claim unless it is renewed. */
  claimed_by_id: string | null;
  claimed_by: string | null;
  claimed_until: number | null;
  /** When a radiologist first opened it unread. */
  first_opened_at: number | null;
  /** Null while unread. `read_by` is null where the RIS reported it. */
  read_at: number | null;
  read_by_id: string | null;
  read_by: string | null;
  read_how: ReadHow | null;
  /** When it was first read, unless that was taken back. */
  first_read_at: number | null;
  /** When it became unread again; a report from before that does not count. */
  unread_since: number | null;
  /** 1 where all films are radiographs of other body parts. */
  hidden: Generated<number>;
  /** The order's priority by the RIS, and the time of sending; null where there is none. */
  ris_priority: Priority | null;
  ris_priority_at: number | null;
  /** Time of sending of the last final report that was applied to the row. */
  ris_report_at: number | null;
  /** Corrections of the patient by the RIS, as JSON; null where there are none. */
  ris_patient: string | null;
  /** Number of the row's last change. */
  change: number;
}

/** A row as it is read from the database. */
export type StudyColumns = Selectable<StudyTable>;

interface HistoryTable {
  change: number;
  study_uid: string;
  at: number;
  kind: string;
  /** JSON: codes, counts and times. */
  detail: string;
}

interface VerdictTable {
  change: number;
  study_uid: string;
  record_key: string | null;
  verdict: string;
  note: string;
  /** Name and id of the author; the id is null in a verdict of version 0.1. */
  by_user: string;
  by_id: string | null;
  at: number;
  /** Values of the result that the verdict is on. */
  priority: Priority | null;
  probability: number | null;
  threshold: number | null;
  film_uid: string | null;
  view: string | null;
  /** {@link patientDigest} */
  patient_key: string | null;
}

/** A study that is shown, with the columns for filters, order and search. Kept equal to `study` by triggers. */
interface ListEntryTable {
  id: Generated<number>;
  study_uid: string;
  state: StudyState;
  urgency: number;
  arrived_at: number;
  /** `-arrived_at`: ascending order has the newest first. */
  newest_key: number;
  verdict: string | null;
  /** 1 where a film has this view. */
  frontal_view: number;
  lateral_view: number;
  /** As in `study`, with two spaces before each word. */
  search_study: string;
  search_patient: string;
  read_at: number | null;
  /** 1 while unread. */
  unread: Generated<number>;
  hidden: Generated<number>;
}

/** Number of shown studies; kept by triggers, as is the next table. */
interface ListCountTable {
  state: StudyState;
  urgency: number;
  /** 1 for studies with a verdict. */
  judged: number;
  hidden: number;
  /** 1 for unread studies. */
  unread: number;
  studies: number;
}

/** Number of studies by their latest verdict. */
interface VerdictCountTable {
  verdict: string;
  studies: number;
}

/** Number of studies that are not on the list, or hidden, by the reason's code. */
interface LeftOutCountTable {
  reason: string;
  studies: number;
}

/** Digests of received messages of the RIS, so that a repeated one changes nothing. */
interface RisMessageTable {
  digest: string;
  received_at: number;
}

/** Latest statement of the RIS about an order, whose study may arrive later. */
interface RisOrderTable {
  accession_number: string;
  /** Identifiers of its patient, as JSON: {@link PatientIdentifier}[]. */
  patient: string;
  /** Null where it was taken back, or, if `priority_at` is null too, never given. */
  priority: Priority | null;
  priority_at: number | null;
  /** Time of the final report; null where there is none. */
  read_at: number | null;
  /** The same in the site's time zone: YYYYMMDDhhmmss. */
  read_on_wall_clock: string | null;
  report_at: number | null;
  received_at: number;
}

/** Saved view of a user; names are unique for each user. */
interface SavedViewTable {
  id: string;
  user_id: string;
  name: string;
  /** JSON of filters, order, search and columns, as in the API. */
  content: string;
}

/** A page that shows a study, until it is closed or expires. */
interface OpenStudyTable {
  user_id: string;
  /** Id made by the page. */
  page: string;
  user_name: string;
  study_uid: string;
  until: number;
}

/** Workers that reported progress; removed after a day without any. */
interface WorkerTable {
  name: string;
  heard_at: number;
}

/** Lease for work that one process does at a time. */
interface LeaseTable {
  name: string;
  holder: string;
  /** End of the lease. */
  until: number;
}
