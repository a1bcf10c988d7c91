import { type Kysely, sql, type Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import { type Correction, type FilmResult, filmResultSchema, type ResultEvent } from '../events/result-event';
import type { FilmRecord, StudyRecord } from '../sinks/record';
import { isWithdrawal } from '../sinks/statements';
import {
  changedAttributes,
  changedSummary,
  correctedParts,
  type FoundAttributes,
  summaryOf,
  summaryOfRow,
} from './attributes';
import { nextChange, note } from './change';
import { SUMMARY_COLUMNS, type StudySummary } from './record-columns';
import { applyStoredOrder } from './ris-orders';
import { columnsWithRis, patientWithRis, summaryWithoutRis } from './ris-patient';
import type { Schema, StudyColumns } from './schema';
import { readStoredRecord } from './stored-findings';
import { patientDigest } from './patient-digest';

/** A film of a study, whose header in the archive is compared. */
export interface KnownFilm {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** Attributes and films of a study on the list. */
export interface KnownStudy {
  readonly summary: StudySummary;
  /** Films of its result; empty without a result, and where no film of it was in the archive. */
  readonly films: readonly KnownFilm[];
  readonly hasResult: boolean;
}

/** A correction that has to be announced, with its result. */
export interface PendingCorrection {
  readonly study: Uid;
  readonly event: ResultEvent & { readonly correction: Correction };
}

const COLUMNS = [
  'state',
  'record',
  'correction',
  ...SUMMARY_COLUMNS,
  'ris_patient',
] as const satisfies readonly (keyof StudyColumns)[];
type Stored = Pick<StudyColumns, (typeof COLUMNS)[number]>;

/** Number of films that are tried in turn, as the first ones may have been deleted. */
const FILMS = 3;

/** Null for a study that the list does not have or does not show. */
export async function findKnown(db: Kysely<Schema>, study: Uid): Promise<KnownStudy | null> {
  const stored = await readStored(db, study);
  if (stored === undefined) return null;
  if (stored.record === null)
    return stored.state === 'left-alone'
      ? null
      : { summary: summaryWithoutRis(summaryOfRow(stored), stored.ris_patient), films: [], hasResult: false };
  const record = readStoredRecord(stored.record);
  const films = record.films.flatMap(({ seriesInstanceUid, sopInstanceUid }) =>
    seriesInstanceUid === null ? [] : [{ studyInstanceUid: study, seriesInstanceUid, sopInstanceUid }],
  );
  return { summary: summaryOf(record), films: films.slice(0, FILMS), hasResult: true };
}

/**
 * Updates the row of a study from the archive; result, verdicts and priorities stay. Resolves to the changed keywords;
 * empty where nothing has changed.
 */
export async function writeAttributes(
  transaction: Transaction<Schema>,
  study: Uid,
  found: FoundAttributes,
  at: number,
): Promise<readonly string[]> {
  const change = await nextChange(transaction);
  const stored = await readStored(transaction, study);
  if (stored === undefined) return [];
  const { keywords, update } =
    stored.record === null
      ? summaryUpdate(study, stored, found)
      : recordUpdate(study, stored, stored.record, found, at);
  if (keywords.length === 0) return [];
  await transaction
    .updateTable('study')
    .set({ ...update, change })
    .where('study_uid', '=', study)
    .execute();
  if (found.of === 'film') await moveVerdictsToPatient(transaction, study);
  await note(transaction, change, study, at, 'attributes-corrected', { attributes: keywords });
  await applyStoredOrder(transaction, study, at);
  return keywords;
}

interface Update {
  readonly keywords: readonly string[];
  readonly update: Partial<StudyColumns>;
}
const NOTHING: Update = { keywords: [], update: {} };

function summaryUpdate(study: Uid, stored: Stored, found: FoundAttributes): Update {
  if (found.of !== 'study') return NOTHING;
  const update = columnsWithRis(study, found.summary, stored.ris_patient);
  // A correction by the RIS is no change in the archive.
  const [before, after] = [
    summaryWithoutRis(summaryOfRow(stored), stored.ris_patient),
    summaryWithoutRis(summaryOfRow(update), update.ris_patient),
  ];
  return { keywords: changedSummary(before, after), update };
}

function recordUpdate(study: Uid, stored: Stored, text: string, found: FoundAttributes, at: number): Update {
  // A result has arrived meanwhile.
  if (found.of !== 'film') return NOTHING;
  const { patient, study: facts, order } = found.attributes;
  const record = JSON.parse(text) as StudyRecord;
  const keywords = changedAttributes(record, found.attributes);
  return {
    keywords,
    update: {
      ...columnsWithRis(study, summaryOf(found.attributes), stored.ris_patient),
      record: JSON.stringify({ ...record, patient, study: facts, order }),
      correction: correctionOf(record, keywords, stored.correction, at),
    },
  };
}

/**
 * The correction to announce after these attributes changed, as it is stored: together with an earlier one that was not
 * announced yet. It is stored with the row, so that a crash does not lose it. None for a withdrawn result, of which
 * nothing valid was sent for the right patient.
 */
export function correctionOf(
  record: Pick<StudyRecord, 'films'>,
  keywords: readonly string[],
  pending: string | null,
  at: number,
): string | null {
  if (isWithdrawal(record)) return null;
  const parts = correctedParts(keywords);
  if (parts.length === 0) return pending;
  const before = pending === null ? [] : (JSON.parse(pending) as Correction).corrects;
  const correction: Correction = {
    corrects: [...new Set([...before, ...parts])].sort(),
    correctedAt: new Date(at).toISOString(),
  };
  return JSON.stringify(correction);
}

/** Verdicts are counted by patient (`hilum evaluate`), so that they follow their study to another patient. */
export async function moveVerdictsToPatient(transaction: Transaction<Schema>, study: Uid): Promise<void> {
  const stored = await readStored(transaction, study);
  if (stored === undefined || stored.record === null) return;
  const { patient } = JSON.parse(stored.record) as StudyRecord;
  await transaction
    .updateTable('verdict')
    .set({ patient_key: await patientDigest(transaction, patientWithRis(patient, stored.ris_patient)) })
    .where('study_uid', '=', study)
    .execute();
}

/** Corrections that were not announced yet, the oldest first. */
export async function findPending(db: Kysely<Schema>, limit: number): Promise<PendingCorrection[]> {
  const rows = await db
    .selectFrom('study')
    .select(['study_uid', 'record', 'correction'])
    .where(sql<boolean>`correction is not null`)
    .orderBy('change')
    .limit(limit)
    .execute();
  return rows.flatMap(({ study_uid, record, correction }) =>
    record === null || correction === null
      ? []
      : [{ study: study_uid as Uid, event: eventOf(readStoredRecord(record), JSON.parse(correction) as Correction) }],
  );
}

/** Clears an announced correction, unless there was another one meanwhile. */
export async function clearPending(transaction: Transaction<Schema>, { study, event }: PendingCorrection) {
  await transaction
    .updateTable('study')
    .set({ correction: null })
    .where('study_uid', '=', study)
    .where('correction', '=', JSON.stringify(event.correction))
    .execute();
}

/** The stored result in the form of its event: without the patient, who is read from the archive again. */
function eventOf(record: StudyRecord, correction: Correction): PendingCorrection['event'] {
  const { studyInstanceUid, priority, films, models, completedAt } = record;
  return {
    schemaVersion: 1,
    type: 'study-result',
    studyInstanceUid,
    priority,
    films: films.map(resultOf),
    skipped: [],
    models,
    completedAt,
    correction,
  };
}

/** Without the fields that only the record has. */
function resultOf(film: FilmRecord): FilmResult {
  return Object.fromEntries(
    Object.entries(film).filter(([key]) => key in filmResultSchema.shape),
  ) as unknown as FilmResult;
}

function readStored(db: Kysely<Schema>, study: Uid): Promise<Stored | undefined> {
  return db.selectFrom('study').select(COLUMNS).where('study_uid', '=', study).executeTakeFirst();
}
