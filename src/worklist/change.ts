import { sql, type Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { Schema, StudyColumns } from './schema';
import type { HistoryKind } from './states';

/**
 * Takes the next change number. The counter's row stays locked until the transaction ends: numbers become visible in
 * order, and writers exclude each other.
 */
export async function nextChange(transaction: Transaction<Schema>): Promise<number> {
  const { value } = await transaction
    .updateTable('counter')
    .set({ value: sql<number>`value + 1` })
    .where('name', '=', 'change')
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

/** Adds a step to a study's history. `detail` holds codes, counts and times. */
export async function note(
  transaction: Transaction<Schema>,
  change: number,
  study: Uid,
  at: number,
  kind: HistoryKind,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await transaction
    .insertInto('history')
    .values({ change, study_uid: study, at, kind, detail: JSON.stringify(detail) })
    .execute();
}

type Withdrawing = Pick<StudyColumns, 'verdict' | 'verdict_key' | 'record_key'>;

/**
 * Whether the finding no longer counts for the priority, because the latest verdict, on this result, disagrees with it.
 */
export function isFindingWithdrawn({ verdict, verdict_key, record_key }: Withdrawing): boolean {
  return verdict === 'disagree' && record_key !== null && verdict_key === record_key;
}

/** Columns that {@link urgencyColumns} reads. */
export const URGENCY_COLUMNS = [
  'urgency',
  'urgent_since',
  'triage_priority',
  'finding_priority',
  'person_priority',
  'ris_priority',
  'verdict',
  'verdict_key',
  'record_key',
] as const satisfies readonly (keyof StudyColumns)[];
export type UrgencyColumns = Pick<StudyColumns, (typeof URGENCY_COLUMNS)[number]>;

/**
 * The priority that the list is sorted by: the highest of all, so that none lowers another. A verdict can remove only
 * the finding's priority. A study that was urgent before stays urgent since then.
 * @param row with the previous `urgency` and `urgent_since`
 */
export function urgencyColumns(row: UrgencyColumns, now: number): Pick<StudyColumns, 'urgency' | 'urgent_since'> {
  const finding = isFindingWithdrawn(row) ? null : row.finding_priority;
  const isUrgent = [row.triage_priority, row.ris_priority, finding, row.person_priority].includes('urgent');
  if (!isUrgent) return { urgency: 1, urgent_since: null };
  return { urgency: 0, urgent_since: row.urgency === 0 ? row.urgent_since : now };
}

/** Columns of a study without a result, a verdict or a priority of the RIS. */
export const NO_RESULT = {
  urgency: 1,
  urgent_since: null,
  finding_priority: null,
  ris_priority: null,
  verdict: null,
  verdict_key: null,
  record_key: null,
} as const;
