import { type Kysely, sql, type Transaction } from 'kysely';
import { nextChange } from './change';
import type { Database } from './database';
import { type Lease, takeLease } from './lease';
import type { Schema } from './schema';

/** Records older than these times are removed (milliseconds since 1970); null: none. */
export interface KeptFrom {
  /** Rows of the list, with their history. */
  readonly studies: number | null;
  /** Verdicts on studies that are no longer on the list. */
  readonly verdicts: number | null;
  /** Orders of the RIS without a study on the list, and digests of received messages. */
  readonly orders: number;
}
export const PRUNED = ['studies', 'verdicts', 'orders'] as const satisfies readonly (keyof KeptFrom)[];
type Pruned = (typeof PRUNED)[number];
export type PrunedCounts = Readonly<Record<Pruned, number>>;

/** Rows per transaction, so that writers and pages wait for one batch at most. */
const BATCH = 100;

/** Age of a row: since its last arrival, result, reading, verdict, or request to read it again. */
const dueStudies = (before: number) =>
  sql<boolean>`arrived_at < ${before} and coalesce(completed_at, 0) < ${before} and coalesce(read_at, 0) < ${before}
    and coalesce(verdict_at, 0) < ${before} and coalesce(unread_since, 0) < ${before}`;

/** A verdict is kept as long as its row, which shows it. */
const dueVerdicts = (before: number) =>
  sql<boolean>`at < ${before} and not exists (select 1 from study where study.study_uid = verdict.study_uid)`;

/** Number of records to remove now; of verdicts only those whose rows are gone already. */
export function countDue(database: Pick<Database, 'read'>, from: KeptFrom): Promise<PrunedCounts> {
  const { studies, verdicts } = from;
  return database.read(async (db) => ({
    studies: studies === null ? 0 : await countOf(db, 'study', dueStudies(studies)),
    verdicts: verdicts === null ? 0 : await countOf(db, 'verdict', dueVerdicts(verdicts)),
    orders:
      (await countOf(db, 'ris_order', sql<boolean>`received_at < ${from.orders}`)) +
      (await countOf(db, 'ris_message', sql<boolean>`received_at < ${from.orders}`)),
  }));
}

async function countOf(
  db: Kysely<Schema>,
  table: 'study' | 'verdict' | 'ris_order' | 'ris_message',
  due: ReturnType<typeof dueStudies>,
): Promise<number> {
  const found = db.selectFrom(table).where(due);
  return (await found.select((eb) => eb.fn.countAll<number>().as('rows')).executeTakeFirstOrThrow()).rows;
}

/**
 * Removes one batch in one transaction. Resolves to the numbers removed, all 0 when nothing is left; null where another
 * process does this.
 */
export function pruneBatch(
  database: Pick<Database, 'write'>,
  from: KeptFrom,
  lease: Lease,
  now: number,
  batch = BATCH,
): Promise<PrunedCounts | null> {
  return database.write(async (transaction) => {
    if (!(await takeLease(transaction, lease, now))) return null;
    // Excludes other writers, so that the selected rows have not just been changed.
    await nextChange(transaction);
    return {
      studies: from.studies === null ? 0 : await pruneStudies(transaction, dueStudies(from.studies), batch),
      verdicts: from.verdicts === null ? 0 : await pruneVerdicts(transaction, dueVerdicts(from.verdicts), batch),
      orders: await pruneOrders(transaction, from.orders, batch),
    };
  });
}

/** Histories are removed with their studies, and triggers update the derived tables. */
async function pruneStudies(
  transaction: Transaction<Schema>,
  due: ReturnType<typeof dueStudies>,
  batch: number,
): Promise<number> {
  const oldest = transaction.selectFrom('study').select('study_uid').where(due).orderBy('arrived_at').limit(batch);
  return rowsOf(await transaction.deleteFrom('study').where('study_uid', 'in', oldest).executeTakeFirst());
}

async function pruneVerdicts(
  transaction: Transaction<Schema>,
  due: ReturnType<typeof dueVerdicts>,
  batch: number,
): Promise<number> {
  const oldest = transaction.selectFrom('verdict').select('change').where(due).orderBy('at').limit(batch);
  return rowsOf(await transaction.deleteFrom('verdict').where('change', 'in', oldest).executeTakeFirst());
}

async function pruneOrders(transaction: Transaction<Schema>, before: number, batch: number): Promise<number> {
  const messages = transaction
    .selectFrom('ris_message')
    .select('digest')
    .where('received_at', '<', before)
    .orderBy('received_at')
    .limit(batch);
  const orders = await transaction
    .selectFrom('ris_order')
    .select(['accession_number', 'patient'])
    .where('received_at', '<', before)
    .orderBy('received_at')
    .limit(batch)
    .execute();
  for (const { accession_number, patient } of orders)
    await transaction
      .deleteFrom('ris_order')
      .where('accession_number', '=', accession_number)
      .where('patient', '=', patient)
      .execute();
  const gone = await transaction.deleteFrom('ris_message').where('digest', 'in', messages).executeTakeFirst();
  return orders.length + rowsOf(gone);
}

const rowsOf = ({ numDeletedRows }: { readonly numDeletedRows: bigint }) => Number(numDeletedRows);
