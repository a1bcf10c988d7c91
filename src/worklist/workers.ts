import { type Kysely, sql, type Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { Step } from '../events/progress-event';
import type { Schema } from './schema';

/** A worker, by the progress that it reports. Times in milliseconds since 1970. */
export interface ListedWorker {
  /** Its host and process. */
  readonly name: string;
  /** Time of its last report: an idle worker reports nothing. */
  readonly heardAt: number;
  /** Number of studies in analysis, without those that have a result already. */
  readonly studies: number;
  /** Start of its longest running study; null where it has none. */
  readonly since: number | null;
}

const FORGOTTEN_AFTER_MS = 86_400_000;

/** Records which worker reported a step. The caller holds the change number, so that writers exclude each other. */
export async function noteWorker(
  transaction: Transaction<Schema>,
  study: Uid,
  step: Step,
  worker: string,
  at: number,
): Promise<void> {
  if (step.kind === 'analysing')
    await transaction
      .updateTable('study')
      .set({ worker })
      .where('study_uid', '=', study)
      .where('state', '=', 'analysing')
      .where('started_at', '=', at)
      .execute();
  await transaction
    .insertInto('worker')
    .values({ name: worker, heard_at: at })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ heard_at: at }).where('worker.heard_at', '<', at))
    .execute();
  await transaction
    .deleteFrom('worker')
    .where('heard_at', '<', at - FORGOTTEN_AFTER_MS)
    .execute();
}

export async function findWorkers(db: Kysely<Schema>, now: number): Promise<ListedWorker[]> {
  const rows = await db
    .selectFrom('worker')
    .leftJoin('study', (join) =>
      join.onRef('study.worker', '=', 'worker.name').on('study.state', '=', sql.lit('analysing')),
    )
    .select((eb) => [
      'worker.name',
      'worker.heard_at as heardAt',
      eb.fn.count<number>('study.study_uid').as('studies'),
      eb.fn.min('study.started_at').as('since'),
    ])
    .where('worker.heard_at', '>=', now - FORGOTTEN_AFTER_MS)
    .groupBy(['worker.name', 'worker.heard_at'])
    .orderBy('worker.name')
    .execute();
  return rows;
}
