import type { Transaction } from 'kysely';
import type { Priority } from '../base/priority';
import type { Uid } from '../dicom/uid';
import { nextChange, note, urgencyOf } from './change';
import { sightColumns, type StudySight } from './record-columns';
import type { Schema, StudyColumns } from './schema';
import type { HistoryKind, StudyState } from './states';

/** What the service tells of a study on its way. */
export type Step =
  /** An event came. `sight` is what the archive lists of it; null where that could not be asked. */
  | { readonly kind: 'waiting'; readonly priority: Priority | null; readonly sight: StudySight | null }
  | { readonly kind: 'analysing'; readonly attempt: number }
  /** To the end of the queue between two films. */
  | { readonly kind: 'returned' }
  /** A try failed with this code; the next is at `retryAt` (milliseconds since 1970). */
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAt: number }
  | { readonly kind: 'failed'; readonly reason: string }
  /** No film, or every film had its result before. */
  | { readonly kind: 'nothing-new' };

type Stored = Pick<StudyColumns, 'state' | 'record_key' | 'triage_priority' | 'finding_priority' | 'person_priority' | 'patient_id' | 'accession_number'>;
const STORED = ['state', 'record_key', 'triage_priority', 'finding_priority', 'person_priority', 'patient_id', 'accession_number'] as const;

/**
 * Writes a step. A study with a result keeps showing it: our own results make a study stable again, which must not look like waiting; only a failure shows.
 * Steps of several processes may arrive out of order, so none is taken for more than it says.
 */
export async function writeStep(transaction: Transaction<Schema>, study: Uid, step: Step, at: number): Promise<void> {
  const change = await nextChange(transaction);
  const stored = await transaction.selectFrom('study').select(STORED).where('study_uid', '=', study).executeTakeFirst();
  const { kind, ...detail } = withoutSight(step);
  if (stored === undefined) {
    if (kind === 'nothing-new') return;
    await transaction.insertInto('study').values({ ...fresh(study, step, at), change }).execute();
    return note(transaction, change, study, at, kind, detail);
  }
  const update = changesBy(study, step, stored, at);
  if (update === null) return;
  await transaction.updateTable('study').set({ ...update, change }).where('study_uid', '=', study).execute();
  if (update.state !== undefined && update.state !== stored.state) await note(transaction, change, study, at, kind, detail);
}

function withoutSight(step: Step): { kind: HistoryKind & Step['kind'] } & Record<string, unknown> {
  if (step.kind !== 'waiting') return { ...step };
  return { kind: step.kind, priority: step.priority };
}

function fresh(study: Uid, step: Step, at: number) {
  const priority = step.kind === 'waiting' ? step.priority : null;
  const priorities = { triage_priority: priority, finding_priority: null, person_priority: null };
  return { study_uid: study, arrived_at: at, ...priorities, urgency: urgencyOf(priorities), ...sightOf(study, step), ...stateBy(step, at) };
}

function sightOf(study: Uid, step: Step) {
  return step.kind === 'waiting' && step.sight !== null ? sightColumns(study, step.sight) : { search_study: study };
}

type StepColumns = { readonly state: StudyState; readonly started_at?: number } & Pick<StudyColumns, 'reason' | 'reason_text' | 'retry_at'>;

function stateBy(step: Step, at: number): StepColumns {
  switch (step.kind) {
    case 'waiting':
    case 'returned':
      return { state: 'waiting', reason: null, reason_text: null, retry_at: null };
    case 'analysing':
      return { state: 'analysing', started_at: at, reason: null, reason_text: null, retry_at: null };
    case 'retry':
      return { state: 'waiting', reason: step.reason, reason_text: null, retry_at: step.retryAt };
    case 'failed':
      return { state: 'failed', reason: step.reason, reason_text: null, retry_at: null };
    case 'nothing-new':
      return { state: 'left-alone', reason: null, reason_text: null, retry_at: null };
  }
}

/** Null where nothing changes. */
function changesBy(study: Uid, step: Step, stored: Stored, at: number): Partial<StudyColumns> | null {
  const raised = step.kind === 'waiting' ? raise(study, step, stored) : null;
  const state = isTold(step, stored) ? stateBy(step, at) : null;
  return raised === null && state === null ? null : { ...raised, ...state };
}

/** A later word of triage may raise, never lower; what the archive lists fills what is empty. */
function raise(study: Uid, step: Extract<Step, { kind: 'waiting' }>, stored: Stored): Partial<StudyColumns> | null {
  const isHigher = step.priority === 'urgent' && stored.triage_priority !== 'urgent';
  const isFirstSight = step.sight !== null && stored.record_key === null && stored.patient_id === '' && stored.accession_number === '';
  if (!isHigher && !isFirstSight) return null;
  return { ...(isHigher ? { triage_priority: 'urgent' as const, urgency: 0 } : {}), ...(isFirstSight ? sightOf(study, step) : {}) };
}

function isTold(step: Step, { state, record_key }: Stored): boolean {
  const hasResult = record_key !== null;
  switch (step.kind) {
    case 'waiting':
      // The worker that has it may have told so before.
      return state === 'left-alone' || (state === 'failed' && !hasResult);
    case 'analysing':
    case 'returned':
    case 'retry':
      return !hasResult;
    case 'failed':
      return true;
    case 'nothing-new':
      return !hasResult && state !== 'left-alone';
  }
}
