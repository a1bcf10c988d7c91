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

/** What the list is sorted by: the highest of all priorities, so that none lowers another. */
export function urgencyOf(row: Pick<StudyColumns, 'triage_priority' | 'finding_priority' | 'person_priority'>): number {
  return [row.triage_priority, row.finding_priority, row.person_priority].includes('urgent') ? 0 : 1;
}
