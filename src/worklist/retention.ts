import { type Kysely, sql, type Transaction } from 'kysely';
import { nextChange } from './change';
import type { Database } from './database';
import { type Lease, takeLease } from './lease';
import type { Schema } from './schema';

/** What is kept no longer: of before these times (milliseconds since 1970); null where all is kept. */
export interface KeptFrom {
  /** Rows of the list, with their history. */
  readonly studies: number | null;
  /** Verdicts on studies that are not on the list any more. */
  readonly verdicts: number | null;
  /** What the RIS said of studies that the list does not have, and messages that are known as taken. */
  readonly orders: number;
}
export const PRUNED = ['studies', 'verdicts', 'orders'] as const satisfies readonly (keyof KeptFrom)[];
type Pruned = (typeof PRUNED)[number];
export type PrunedCounts = Readonly<Record<Pruned, number>>;

/** Rows of one transaction: writers and pages wait for one at most. */
const BATCH = 100;

/** By the last thing that happened to it: arrival, result, reading, verdict, or that it was to be read anew. */
const dueStudies = (before: number) =>
  sql<boolean>`arrived_at < ${before} and coalesce(completed_at, 0) < ${before} and coalesce(read_at, 0) < ${before}
    and coalesce(verdict_at, 0) < ${before} and coalesce(unread_since, 0) < ${before}`;

/** What a row shows of a verdict goes with the row; so what it shows is kept as long. */
const dueVerdicts = (before: number) =>
  sql<boolean>`at < ${before} and not exists (select 1 from study where study.study_uid = verdict.study_uid)`;

/** How much is due now; of verdicts those alone whose rows are gone already. */
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
 * Removes one batch of what is due, in one transaction. Resolves to what went, all 0 when nothing is left; null where
 * another process does this.
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
    // One writer at a time: what is due now has not just been written to.
    await nextChange(transaction);
    return {
      studies: from.studies === null ? 0 : await pruneStudies(transaction, dueStudies(from.studies), batch),
      verdicts: from.verdicts === null ? 0 : await pruneVerdicts(transaction, dueVerdicts(from.verdicts), batch),
      orders: await pruneOrders(transaction, from.orders, batch),
    };
  });
}

/** Their histories go with them, and triggers follow in the tables that are kept of them. */
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
