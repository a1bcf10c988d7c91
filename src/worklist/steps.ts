import type { Kysely, Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { Step } from '../events/progress-event';
import { nextChange, NO_RESULT, note, URGENCY_COLUMNS, urgencyColumns } from './change';
import { summaryColumns, type StudySummary } from './record-columns';
import { applyStoredOrder } from './ris-orders';
import { columnsWithRis } from './ris-patient';
import type { Schema, StudyColumns } from './schema';
import type { LeftOutReason, StudyState } from './states';

/** Summary of a study in the archive, and whether it may have films. */
export interface StudyListing {
  readonly summary: StudySummary;
  /** False where the study is known to have no film: it is not shown. */
  readonly mayHaveFilms: boolean;
}

const STORED = [
  'state',
  'record_key',
  'arrived_at',
  'completed_at',
  ...URGENCY_COLUMNS,
  'patient_id',
  'accession_number',
  'ris_patient',
] as const;
type Stored = Pick<StudyColumns, (typeof STORED)[number]>;

/**
 * Writes a step. A study with a result keeps showing it, because our own results make a study stable again, which must
 * not look like waiting; only a failure is shown. Steps of several processes may arrive out of order, and each changes
 * only what it states.
 */
export async function writeStep(
  transaction: Transaction<Schema>,
  study: Uid,
  step: Step,
  at: number,
  listing: StudyListing | null,
): Promise<void> {
  const change = await nextChange(transaction);
  const stored = await transaction.selectFrom('study').select(STORED).where('study_uid', '=', study).executeTakeFirst();
  const { kind, ...detail } = step;
  if (stored === undefined) {
    if (kind === 'nothing-new') return;
    await transaction
      .insertInto('study')
      .values({ ...fresh(study, step, at, listing), change })
      .execute();
    await note(transaction, change, study, at, kind, detail);
    return listing === null ? undefined : applyStoredOrder(transaction, study, at);
  }
  const isLate = kind !== 'nothing-new' && stored.completed_at !== null && at < stored.completed_at;
  const update = {
    ...changesBy(study, step, stored, at, listing),
    ...(isLate ? startOf(step, stored, at) : stateOf(step, stored, at, listing)),
  };
  if (Object.keys(update).length === 0) return;
  await transaction
    .updateTable('study')
    .set({ ...update, change })
    .where('study_uid', '=', study)
    .execute();
  if (isLate || ('state' in update && update.state !== stored.state))
    await note(transaction, change, study, at, kind, detail);
  if (listing !== null) await applyStoredOrder(transaction, study, at);
}

/**
 * Whether the archive should be asked for the study's summary: nothing is known of the study, or it is not shown so
 * far.
 */
export async function needsListing(db: Kysely<Schema>, study: Uid): Promise<boolean> {
  const stored = await db.selectFrom('study').select(STORED).where('study_uid', '=', study).executeTakeFirst();
  return stored === undefined || stored.state === 'left-alone' || isUnseen(stored);
}

function isUnseen({ record_key, patient_id, accession_number }: Stored): boolean {
  return record_key === null && patient_id === '' && accession_number === '';
}

function fresh(study: Uid, step: Step, at: number, listing: StudyListing | null) {
  const priority = step.kind === 'waiting' ? step.priority : null;
  const priorities = { triage_priority: priority, finding_priority: null, person_priority: null };
  return {
    study_uid: study,
    arrived_at: at,
    ...priorities,
    ...urgencyColumns({ ...NO_RESULT, ...priorities }, at),
    ...summaryOf(study, listing),
    ...(listing?.mayHaveFilms === false ? leftOut('modality') : stateBy(step, at)),
  };
}

function summaryOf(study: Uid, listing: StudyListing | null) {
  return listing === null ? { search_study: study } : summaryColumns(study, listing.summary);
}

type StepColumns = { readonly state: StudyState; readonly started_at?: number; readonly hidden?: number } & Pick<
  StudyColumns,
  'reason' | 'retry_at'
>;

function stateBy(step: Step, at: number): StepColumns {
  switch (step.kind) {
    case 'waiting':
    case 'returned':
      return { state: 'waiting', reason: null, retry_at: null };
    case 'analysing':
      return { state: 'analysing', started_at: at, reason: null, retry_at: null };
    case 'retry':
      return { state: 'waiting', reason: step.reason, retry_at: step.retryAt };
    case 'failed':
      return { state: 'failed', reason: step.reason, retry_at: null, hidden: 0 };
    case 'nothing-new':
      return leftOut('nothing-new');
  }
}

function leftOut(reason: LeftOutReason) {
  return { state: 'left-alone' as const, reason, retry_at: null };
}

/** A later priority of triage may raise, never lower; the archive's summary holds until there is a result. */
function changesBy(
  study: Uid,
  step: Step,
  stored: Stored,
  at: number,
  listing: StudyListing | null,
): Partial<StudyColumns> {
  const isHigher = step.kind === 'waiting' && step.priority === 'urgent' && stored.triage_priority !== 'urgent';
  const raised = isHigher
    ? { triage_priority: 'urgent' as const, ...urgencyColumns({ ...stored, triage_priority: 'urgent' }, at) }
    : {};
  const seen =
    listing !== null && stored.record_key === null ? columnsWithRis(study, listing.summary, stored.ris_patient) : {};
  return { ...raised, ...seen };
}

/** A study without a result that is known to have no film is not shown, whatever the step. */
function stateOf(step: Step, stored: Stored, at: number, listing: StudyListing | null): Partial<StudyColumns> {
  if (listing?.mayHaveFilms === false && stored.record_key === null)
    return stored.state === 'left-alone' ? {} : leftOut('modality');
  return isTold(step, stored, listing) ? stateBy(step, at) : {};
}

/** For a step that arrives after the study's result: it sets arrival and start of the analysis, and no state. */
function startOf(step: Step, stored: Stored, at: number): Partial<StudyColumns> {
  return { arrived_at: Math.min(stored.arrived_at, at), ...(step.kind === 'analysing' ? { started_at: at } : {}) };
}

function isTold(step: Step, { state, record_key }: Stored, listing: StudyListing | null): boolean {
  const hasResult = record_key !== null;
  switch (step.kind) {
    case 'waiting':
      // Does not replace `analysing`, which the worker that has the study may have reported before.
      return state === 'left-alone' ? listing === null || listing.mayHaveFilms : state === 'failed' && !hasResult;
    case 'analysing':
    case 'returned':
    case 'retry':
      return !hasResult && state !== 'left-alone';
    case 'failed':
      return true;
    case 'nothing-new':
      return !hasResult && state !== 'left-alone';
  }
}
