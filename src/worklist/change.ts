import { sql, type Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { Schema, StudyColumns } from './schema';
import type { HistoryKind } from './states';

/**
 * The next change's number. The counter's row stays locked until the transaction ends: numbers become visible in their
 * order, and no two writers meet in a study.
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

/** One step more in the history of a study. `detail` holds codes, counts and times. */
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

/** Whether the finding counts no more for the order: the latest verdict, which is on this result, disagrees with it. */
export function isFindingWithdrawn({ verdict, verdict_key, record_key }: Withdrawing): boolean {
  return verdict === 'disagree' && record_key !== null && verdict_key === record_key;
}

/** What {@link urgencyColumns} reads. */
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
 * What the list is sorted by: the highest of all priorities, so that none lowers another. A verdict takes away what the
 * finding says, and nothing else. What was urgent before is so since then.
 * @param row with `urgency` and `urgent_since` of before
 */
export function urgencyColumns(row: UrgencyColumns, now: number): Pick<StudyColumns, 'urgency' | 'urgent_since'> {
  const finding = isFindingWithdrawn(row) ? null : row.finding_priority;
  const isUrgent = [row.triage_priority, row.ris_priority, finding, row.person_priority].includes('urgent');
  if (!isUrgent) return { urgency: 1, urgent_since: null };
  return { urgency: 0, urgent_since: row.urgency === 0 ? row.urgent_since : now };
}

/** Of a study that no result, no verdict and no word of the RIS is there of. */
export const NO_RESULT = {
  urgency: 1,
  urgent_since: null,
  finding_priority: null,
  ris_priority: null,
  verdict: null,
  verdict_key: null,
  record_key: null,
} as const;
