import { type Kysely, sql, type Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { Priority } from '../events/priority';
import type { Step } from '../events/progress-event';
import type { StudyRecord } from '../sinks/record';
import { isWithdrawn } from '../sinks/statements';
import { standingOf } from '../sinks/supersession';
import type { Author } from './author';
import { changedAttributes, type FoundAttributes, isReadFromFilm, summaryOf } from './attributes';
import { isFindingWithdrawn, nextChange, NO_RESULT, note, URGENCY_COLUMNS, urgencyColumns } from './change';
import {
  clearPending,
  correctionOf,
  findKnown,
  findPending,
  moveVerdictsToPatient,
  type KnownStudy,
  type PendingCorrection,
  writeAttributes,
} from './corrections';
import type { Database } from './database';
import { countSelected, findPage, type Page, type PageRequest, type SelectedCount, type Selection } from './page-query';
import { deleteOpen, type OpenPage, writeOpen } from './open-studies';
import { findPriors, type Prior } from './priors';
import { recordColumns, withoutSummary } from './record-columns';
import { applyStoredOrder } from './ris-orders';
import { columnsWithRis } from './ris-patient';
import { deleteView, findViews, type SavedView, writeView } from './saved-views';
import type { Schema, StudyColumns } from './schema';
import { type HistoryKind, SHOWN_STATES, type ShownState } from './states';
import { needsListing, type StudyListing, writeStep } from './steps';
import { readStoredRecord } from './stored-findings';
import { ROW_COLUMNS, rowOf, type StudyRow } from './study-row';
import { type Turnaround, turnaroundOf, type TurnaroundRequest } from './turnaround';
import {
  type Agreement,
  agreementOf,
  exportVerdicts,
  type GivenVerdict,
  type KeptVerdict,
  verdictsOf,
  writeVerdict,
} from './verdicts';
import { findWorkers, type ListedWorker, noteWorker } from './workers';
import {
  type ClaimOutcome,
  type ClaimRequest,
  countWork,
  type Reading,
  type WorkCounts,
  workAfter,
  writeClaim,
  writeRead,
  writeRelease,
  writeUnread,
} from './work-state';

export interface HistoryEntry {
  readonly at: number;
  readonly kind: HistoryKind;
  /** Codes, counts and times. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface StudyDetail {
  readonly row: StudyRow;
  /** Null while there is no result. */
  readonly record: StudyRecord | null;
  /** The latest first. */
  readonly history: readonly HistoryEntry[];
  readonly verdicts: readonly KeptVerdict[];
}

export interface Counts {
  readonly states: Readonly<Record<ShownState, number>>;
  /** Urgent rows (without hidden ones), and those among them without a verdict. */
  readonly urgent: number;
  readonly urgentUnjudged: number;
}

/** Studies that are not on the list, or hidden, by the reason's code. */
export interface LeftOut {
  readonly reason: string;
  readonly studies: number;
}

/** Changed rows, including those that are no longer shown (`left-alone`), and the change number to continue from. */
export interface Changes {
  readonly rows: readonly StudyRow[];
  readonly change: number;
}

const MAX_HISTORY = 200;

/** The reading list in its database. Every method throws HilumError of the database. */
export class Worklist {
  constructor(
    private readonly database: Database,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Writes a step of a study. `at` in milliseconds since 1970; `listing` where the archive was asked; `worker` that
   * reports it.
   */
  advance(
    study: Uid,
    step: Step,
    at = this.now(),
    listing: StudyListing | null = null,
    worker: string | null = null,
  ): Promise<void> {
    return this.database.write(async (transaction) => {
      await writeStep(transaction, study, step, at, listing);
      if (worker !== null) await noteWorker(transaction, study, step, worker, at);
    });
  }

  /** Workers that reported progress within the last day, by name. */
  workers(): Promise<ListedWorker[]> {
    return this.database.read((db) => findWorkers(db, this.now()));
  }

  /** Whether the archive should be asked for this study's summary. */
  needsListing(study: Uid): Promise<boolean> {
    return this.database.read((db) => needsListing(db, study));
  }

  /** Whether the list has a result of this study. */
  async hasResult(study: Uid): Promise<boolean> {
    const stored = await this.database.read((db) =>
      db.selectFrom('study').select('record_key').where('study_uid', '=', study).executeTakeFirst(),
    );
    return stored !== undefined && stored.record_key !== null;
  }

  /** Attributes and films to compare with the archive; null where there is nothing to compare. */
  known(study: Uid): Promise<KnownStudy | null> {
    return this.database.read((db) => findKnown(db, study));
  }

  /**
   * Updates a study's patient and study attributes from the archive. Resolves to the changed keywords. Where patient or
   * order of its result have changed, a correction becomes pending (`pendingCorrections`).
   * @param onChange called before a change; where it throws, nothing changes
   */
  correct(
    study: Uid,
    found: FoundAttributes,
    onChange: () => Promise<void> = () => Promise.resolve(),
  ): Promise<readonly string[]> {
    return this.database.write(async (transaction) => {
      const keywords = await writeAttributes(transaction, study, found, this.now());
      if (keywords.length > 0) await onChange();
      return keywords;
    });
  }

  /** At most `limit` corrections that have to be announced. */
  pendingCorrections(limit = 50): Promise<PendingCorrection[]> {
    return this.database.read((db) => findPending(db, limit));
  }

  /** Marks a correction as announced, once the broker has it. */
  announced(pending: PendingCorrection): Promise<void> {
    return this.database.write((transaction) => clearPending(transaction, pending));
  }

  /**
   * Stores a study's result. A repeated result, or an older one than the present, changes only patient and study
   * attributes, which are the archive's present ones. Resolves to whether it changed anything.
   * @param onOlder called where the present result is newer
   */
  record(record: StudyRecord, onOlder: () => void = () => {}): Promise<boolean> {
    return this.database.write((transaction) => writeRecord(transaction, record, onOlder, this.now()));
  }

  /**
   * Sets a user's priority of a study; null takes it back. False where there is no such study. The row shows the
   * highest of all priorities.
   */
  setPriority(study: Uid, priority: Priority | null, by: Author): Promise<boolean> {
    return this.database.write((transaction) => writePriority(transaction, study, priority, by, this.now()));
  }

  /** Claims a study, or renews the claim. Null for a study that is not on the list. */
  claim(study: Uid, request: ClaimRequest): Promise<ClaimOutcome | null> {
    return this.database.write((transaction) => writeClaim(transaction, study, request, this.now()));
  }

  /** Releases one's own claim. False where there is none. */
  release(study: Uid, by: Author): Promise<boolean> {
    return this.database.write((transaction) => writeRelease(transaction, study, by, this.now()));
  }

  /**
   * Marks a study as read; repeated, or for a study that was read before, it changes nothing. False where there is no
   * such study, or another result than the one that was read.
   */
  markRead(study: Uid, reading: Reading): Promise<boolean> {
    return this.database.write((transaction) => writeRead(transaction, study, reading, this.now()));
  }

  /** Marks a study as unread. False where there is no such study, or it is not read. */
  markUnread(study: Uid, by: Author): Promise<boolean> {
    return this.database.write((transaction) => writeUnread(transaction, study, by, this.now()));
  }

  /**
   * Records that a page shows a study, for `forMs` milliseconds. Resolves to the users who have it open on other pages,
   * each once, this user included.
   */
  keepOpen(study: Uid, page: OpenPage & { readonly forMs: number }): Promise<Author[]> {
    return this.database.write((transaction) => writeOpen(transaction, study, page, this.now()));
  }

  /** Removes the entry of a page that no longer shows the study. */
  close(study: Uid, page: OpenPage): Promise<void> {
    return this.database.write((transaction) => deleteOpen(transaction, study, page));
  }

  /** Saved views of a user, by name. */
  views(user: string): Promise<SavedView[]> {
    return this.database.read((db) => findViews(db, user));
  }

  /** Saves a view, replacing one of the same name. False where the user has too many. */
  saveView(user: string, view: Omit<SavedView, 'id'>): Promise<boolean> {
    return this.database.write((transaction) => writeView(transaction, user, view));
  }

  /** False where the user has no such view. */
  removeView(user: string, id: string): Promise<boolean> {
    return this.database.write((transaction) => deleteView(transaction, user, id));
  }

  /** Numbers of studies by reading state. @param from start of the day (milliseconds since 1970) */
  work(by: string, from: number): Promise<WorkCounts> {
    return this.database.read((db) => countWork(db, by, from, this.now()));
  }

  /** False where there is no such study, or it has no result to judge, or another one than the verdict is on. */
  verdict(study: Uid, given: GivenVerdict): Promise<boolean> {
    return this.database.write((transaction) => writeVerdict(transaction, study, given, this.now()));
  }

  /** @throws RangeError for an invalid cursor */
  page(request: PageRequest): Promise<Page> {
    return this.database.read((db) => findPage(db, this.database.kind, request));
  }

  /** Number of studies in a selection. */
  count(selection: Selection): Promise<SelectedCount> {
    return this.database.read((db) => countSelected(db, this.database.kind, selection));
  }

  /** Null where there is no such study. */
  study(study: Uid): Promise<StudyDetail | null> {
    return this.database.read((db) => findStudy(db, study));
  }

  /** At most `limit` prior studies of a study's patient, the newest first. */
  priors(study: Uid, limit: number): Promise<Prior[]> {
    return this.database.read((db) => findPriors(db, study, limit));
  }

  agreement(): Promise<Agreement> {
    return this.database.read(agreementOf);
  }

  /** CSV for `hilum evaluate`, line by line. */
  verdictsCsv(): AsyncGenerator<string> {
    return exportVerdicts(this.database);
  }

  counts(): Promise<Counts> {
    return this.database.read(countRows);
  }

  leftOut(): Promise<LeftOut[]> {
    return this.database.read((db) =>
      db.selectFrom('left_out_count').selectAll().where('studies', '>', 0).orderBy('reason').execute(),
    );
  }

  /** Numbers of studies by full hour whose result arrived since `from` (both in milliseconds since 1970). */
  completedPerHour(from: number): Promise<Map<number, number>> {
    return this.database.read((db) => countPerHour(db, from));
  }

  /** Takes seconds: cache the result (`TurnaroundCache`). */
  turnaround(request: TurnaroundRequest): Promise<Turnaround> {
    return this.database.readAside((db) => turnaroundOf(db, request));
  }

  /** Number of the last change, where live updates start. */
  lastChange(): Promise<number> {
    return this.database.read(readCounter);
  }

  /** At most `limit` rows, in the order of their changes. */
  changesSince(change: number, limit = 500): Promise<Changes> {
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('study')
        .select(ROW_COLUMNS)
        .where('change', '>', change)
        .orderBy('change')
        .limit(limit)
        .execute();
      return { rows: rows.map(rowOf), change: rows.at(-1)?.change ?? change };
    });
  }
}

async function countPerHour(db: Kysely<Schema>, from: number): Promise<Map<number, number>> {
  // Integer division in both databases.
  const hour = sql<number>`completed_at / 3600000`;
  const rows = await db
    .selectFrom('study')
    .select([hour.as('hour'), (eb) => eb.fn.countAll<number>().as('count')])
    .where('completed_at', '>=', from)
    .groupBy(hour)
    .execute();
  return new Map(rows.map(({ hour: number, count }) => [number * 3_600_000, count]));
}

async function readCounter(db: Kysely<Schema>): Promise<number> {
  return (await db.selectFrom('counter').select('value').where('name', '=', 'change').executeTakeFirstOrThrow()).value;
}

const RECORD_COLUMNS = [
  ...URGENCY_COLUMNS,
  'state',
  'record',
  'correction',
  'read_at',
  'unread_since',
  'first_result_at',
  'ris_patient',
] as const satisfies readonly (keyof StudyColumns)[];

async function writeRecord(
  transaction: Transaction<Schema>,
  record: StudyRecord,
  onOlder: () => void,
  now: number,
): Promise<boolean> {
  const change = await nextChange(transaction);
  const study = record.studyInstanceUid;
  const stored = await transaction
    .selectFrom('study')
    .select(RECORD_COLUMNS)
    .where('study_uid', '=', study)
    .executeTakeFirst();
  const columns = { ...recordColumns(record), change };
  if (stored === undefined) {
    await insertRecord(transaction, record, columns);
    await noteResult(transaction, change, record);
    await applyStoredOrder(transaction, study, now);
    return true;
  }
  const isRepeated = stored.record_key === record.key && stored.state === columns.state;
  if (isRepeated || isOlder(record, stored.record)) {
    if (!isRepeated) onOlder();
    if (!isReadFromFilm(record)) return false;
    return (await writeAttributes(transaction, study, { of: 'film', attributes: record }, now)).length > 0;
  }
  const corrected = stored.record === null ? [] : correctedBy(record, stored.record);
  const work = workAfter(stored, record);
  await transaction
    .updateTable('study')
    .set({
      ...(namesNobody(record)
        ? withoutSummary(columns)
        : { ...columns, ...columnsWithRis(study, summaryOf(record), stored.ris_patient) }),
      ...work,
      first_result_at: stored.first_result_at ?? columns.completed_at,
      ...urgencyColumns({ ...stored, finding_priority: record.priority, record_key: record.key }, now),
      correction: correctionOf(record, corrected, stored.correction, now),
    })
    .where('study_uid', '=', study)
    .execute();
  await noteResult(transaction, change, record, {
    ...(stored.read_at !== null && 'read_at' in work ? { isUnreadAgain: true } : {}),
    ...(isFindingWithdrawn(stored) && stored.record_key !== record.key && record.priority === 'urgent'
      ? { finding: 'restored' }
      : {}),
  });
  if (corrected.length > 0) {
    await moveVerdictsToPatient(transaction, study);
    await note(transaction, await nextChange(transaction), study, now, 'attributes-corrected', {
      attributes: corrected,
    });
  }
  await applyStoredOrder(transaction, study, now);
  return true;
}

/** Neither film nor report could be read, so that the archive's summary stays. */
function namesNobody(record: StudyRecord): boolean {
  const { PatientID, PatientName } = record.patient;
  return !isReadFromFilm(record) && PatientID === '' && PatientName === '';
}

async function insertRecord(
  transaction: Transaction<Schema>,
  record: StudyRecord,
  columns: ReturnType<typeof recordColumns> & { readonly change: number },
): Promise<void> {
  const priorities = { triage_priority: null, person_priority: null, finding_priority: record.priority };
  await transaction
    .insertInto('study')
    .values({
      ...columns,
      ...priorities,
      study_uid: record.studyInstanceUid,
      arrived_at: columns.completed_at,
      first_result_at: columns.completed_at,
      ...workAfter({ record: null, read_at: null, finding_priority: null, unread_since: null }, record),
      ...urgencyColumns({ ...NO_RESULT, ...priorities }, columns.completed_at),
    })
    .execute();
}

function noteResult(
  transaction: Transaction<Schema>,
  change: number,
  record: StudyRecord,
  effects: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  return note(transaction, change, record.studyInstanceUid, Date.parse(record.completedAt), 'result', {
    key: record.key,
    priority: record.priority,
    films: record.films.length,
    completedAt: record.completedAt,
    supersedes: record.films.flatMap(({ supersedes = [] }) => supersedes),
    ...withdrawnBy(record),
    ...effects,
  });
}

/** Keywords of attributes that differ from those of the result before. */
function correctedBy(record: StudyRecord, stored: string): string[] {
  return isReadFromFilm(record) ? changedAttributes(readStoredRecord(stored), record) : [];
}

/** Reasons of withdrawn films, each once. */
function withdrawnBy({ films }: StudyRecord): { readonly withdrawn?: readonly string[] } {
  const reasons = films.filter(isWithdrawn).map(({ reason }) => reason ?? '');
  return reasons.length === 0 ? {} : { withdrawn: [...new Set(reasons)] };
}

function isOlder({ films }: StudyRecord, stored: string | null): boolean {
  return stored !== null && standingOf(films, readStoredRecord(stored).films) === 'older';
}

async function writePriority(
  transaction: Transaction<Schema>,
  study: Uid,
  priority: Priority | null,
  by: Author,
  at: number,
): Promise<boolean> {
  const change = await nextChange(transaction);
  const stored = await transaction
    .selectFrom('study')
    .select(URGENCY_COLUMNS)
    .where('study_uid', '=', study)
    .executeTakeFirst();
  if (stored === undefined) return false;
  await transaction
    .updateTable('study')
    .set({ person_priority: priority, ...urgencyColumns({ ...stored, person_priority: priority }, at), change })
    .where('study_uid', '=', study)
    .execute();
  await note(transaction, change, study, at, 'priority', { priority, by: by.name, byId: by.id });
  return true;
}

async function findStudy(db: Kysely<Schema>, study: Uid): Promise<StudyDetail | null> {
  const stored = await db
    .selectFrom('study')
    .select([...ROW_COLUMNS, 'record'])
    .where('study_uid', '=', study)
    .executeTakeFirst();
  if (stored === undefined) return null;
  const history = await db
    .selectFrom('history')
    .select(['at', 'kind', 'detail'])
    .where('study_uid', '=', study)
    .orderBy('at', 'desc')
    .orderBy('change', 'desc')
    .limit(MAX_HISTORY)
    .execute();
  return {
    row: rowOf(stored),
    record: stored.record === null ? null : readStoredRecord(stored.record),
    history: history.map(({ at, kind, detail }) => ({
      at,
      kind: kind as HistoryKind,
      detail: JSON.parse(detail) as HistoryEntry['detail'],
    })),
    verdicts: await verdictsOf(db, study),
  };
}

/** From the counts that triggers keep (`list_count`). */
async function countRows(db: Kysely<Schema>): Promise<Counts> {
  const rows = await db.selectFrom('list_count').selectAll().where('hidden', '=', 0).execute();
  const sum = (list: typeof rows) => list.reduce((total, { studies }) => total + studies, 0);
  const urgent = rows.filter(({ urgency }) => urgency === 0);
  return {
    states: Object.fromEntries(
      SHOWN_STATES.map((state) => [state, sum(rows.filter((row) => row.state === state))]),
    ) as Record<ShownState, number>,
    urgent: sum(urgent),
    urgentUnjudged: sum(urgent.filter(({ judged }) => judged === 0)),
  };
}
