import type { Generated, Selectable } from 'kysely';
import type { Priority } from '../events/priority';
import type { AccessSchema } from './access-schema';
import type { ReadHow, StudyState } from './states';

/**
 * The tables, as both databases have them: times are integers (milliseconds since 1970), JSON is text, yes and no are 1
 * and 0. What makes each is in `migrations/`.
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

/** Steps of the schema that were taken; those of 0.1 are in `migration` alone where it took them. */
interface SchemaStepTable {
  name: string;
  /** Of the version that has it first: its place in `RELEASES`. */
  release: number;
  /** As that version is called, for one that does not know it. */
  version: string;
  applied_at: number;
}

/**
 * One row, `change`: the number of the last change. Whoever writes takes the next one first, so that numbers become
 * visible in their order.
 */
interface CounterTable {
  name: string;
  value: number;
}

interface StudyTable {
  study_uid: string;
  state: StudyState;
  /** Code of why it was not analysed, failed, is tried again, or is not on the list. */
  reason: string | null;
  /** Not used since 0.2: the sentence follows from the code. */
  reason_text: string | null;
  /** 0 urgent, 1 not: the highest of the three that follow and of `ris_priority`. */
  urgency: number;
  /** Null while it is not urgent, and where it is so since a version that did not keep this. */
  urgent_since: number | null;
  /** By the event or the rules. */
  triage_priority: Priority | null;
  /** By what was found. */
  finding_priority: Priority | null;
  /** By a person, on the list. */
  person_priority: Priority | null;
  arrived_at: number;
  started_at: number | null;
  completed_at: number | null;
  /** When its first result came; `completed_at` is that of the result shown. */
  first_result_at: number | null;
  /** Which worker began it last; null where none said its name. */
  worker: string | null;
  retry_at: number | null;
  /** StudyRecord.key of the result shown. */
  record_key: string | null;
  /** The StudyRecord as JSON. */
  record: string | null;
  /** The correction that is to be announced, as JSON; null where there is none. */
  correction: string | null;
  /** Highest of the films, 0..1, and its operating point. */
  probability: number | null;
  threshold: number | null;
  /** Findings of the leading film, as JSON; null in a row of version 0.1. */
  findings: string | null;
  /** Views of the films, divided by a comma. */
  views: Generated<string>;
  films: Generated<number>;
  /** The film that is shown for the study, as JSON: {@link LeadFilm}. */
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
   * Folded text that a search looks into: `search_study` is what a row shows to everybody, `search_patient` what it
   * shows to those alone who may see patients (accession number and description of the study too).
   */
  search_patient: Generated<string>;
  search_study: Generated<string>;
  /** The latest verdict. */
  verdict: string | null;
  verdict_at: number | null;
  verdict_by: string | null;
  verdict_note: string | null;
  /** `record_key` of the result that it is about. */
  verdict_key: string | null;
  /** Who reads it, and until when that holds unless it is renewed. */
  claimed_by_id: string | null;
  claimed_by: string | null;
  claimed_until: number | null;
  /** When a radiologist opened it first, unread. */
  first_opened_at: number | null;
  /** Null while nobody has read it. `read_by` is null where the RIS told. */
  read_at: number | null;
  read_by_id: string | null;
  read_by: string | null;
  read_how: ReadHow | null;
  /** When it was read first, unless that reading was taken back. */
  first_read_at: number | null;
  /** When it was to be read anew; a report of before has not seen why. */
  unread_since: number | null;
  /** 1 where all films are radiographs of something else than the chest. */
  hidden: Generated<number>;
  /** What the RIS said of the order's priority, and when it sent that; null where it said nothing, or took it back. */
  ris_priority: Priority | null;
  ris_priority_at: number | null;
  /** When the final report was sent that the row has taken over. */
  ris_report_at: number | null;
  /** What the RIS has corrected of the patient, as JSON; null where nothing. */
  ris_patient: string | null;
  /** Number of the row's last change. */
  change: number;
}

/** A row as it is read. */
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
  /** Name and id of who gave it; the id is null in one of version 0.1. */
  by_user: string;
  by_id: string | null;
  at: number;
  /** Of the result that it is about. */
  priority: Priority | null;
  probability: number | null;
  threshold: number | null;
  film_uid: string | null;
  view: string | null;
  /** {@link patientDigest} */
  patient_key: string | null;
}

/** A study that is shown: what the list is filtered, sorted and searched by. Triggers keep it as `study` has it. */
interface ListEntryTable {
  id: Generated<number>;
  study_uid: string;
  state: StudyState;
  urgency: number;
  arrived_at: number;
  /** `-arrived_at`: ascending, the newest come first. */
  newest_key: number;
  verdict: string | null;
  /** 1 where a film has this view. */
  frontal_view: number;
  lateral_view: number;
  /** As in `study`, with two spaces before each word. */
  search_study: string;
  search_patient: string;
  read_at: number | null;
  /** 1 while nobody has read it. */
  unread: Generated<number>;
  hidden: Generated<number>;
}

/** How many studies are shown; kept by triggers, as the next. */
interface ListCountTable {
  state: StudyState;
  urgency: number;
  /** 1 where somebody has judged them. */
  judged: number;
  hidden: number;
  /** 1 where nobody has read them. */
  unread: number;
  studies: number;
}

/** How many studies have this as their latest verdict. */
interface VerdictCountTable {
  verdict: string;
  studies: number;
}

/** How many studies are not on the list, or hidden, by the code of the reason. */
interface LeftOutCountTable {
  reason: string;
  studies: number;
}

/** Messages of the RIS that were taken: one that is sent again changes nothing. */
interface RisMessageTable {
  digest: string;
  received_at: number;
}

/** What the RIS said last of an order; its study may come later. */
interface RisOrderTable {
  accession_number: string;
  /** Identifiers of its patient, as JSON: {@link PatientIdentifier}[]. */
  patient: string;
  /** Null where it is taken back, or `priority_at` is null: nothing was said. */
  priority: Priority | null;
  priority_at: number | null;
  /** Of the final report; null where there is none. */
  read_at: number | null;
  /** The same on the site's clock: YYYYMMDDhhmmss. */
  read_on_wall_clock: string | null;
  report_at: number | null;
  received_at: number;
}

/** A view of the list that a user keeps; the name once for each user. */
interface SavedViewTable {
  id: string;
  user_id: string;
  name: string;
  /** JSON: filters, order, search and columns, as the API takes them. */
  content: string;
}

/** A page that shows a study, until it is closed or does not say so any more. */
interface OpenStudyTable {
  user_id: string;
  /** Named by the page. */
  page: string;
  user_name: string;
  study_uid: string;
  until: number;
}

/** Workers that told of a study; those that were not heard for a day go. */
interface WorkerTable {
  name: string;
  heard_at: number;
}

/** Work that one process does at a time. */
interface LeaseTable {
  name: string;
  holder: string;
  /** Until then nobody else begins it. */
  until: number;
}
