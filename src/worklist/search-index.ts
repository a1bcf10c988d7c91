import { sql, type Transaction } from 'kysely';
import type { Log } from '../base/log';
import { databaseError } from './database-error';
import type { Schema } from './schema';

const INDEXES = [
  `create index list_entry_search_study on list_entry using gin (search_study gin_trgm_ops) with (fastupdate = off)`,
  `create index list_entry_search_patient on list_entry using gin (search_patient gin_trgm_ops)
    with (fastupdate = off)`,
];

/**
 * Indexes of PostgreSQL for searches. They need the extension pg_trgm, which the database's owner may create where the
 * server has it installed. Without them a search reads all rows of `list_entry`: slower, with the same result. A
 * failure is logged, and tried again at the next start.
 */
export async function ensureSearchIndex(transaction: Transaction<Schema>, log: Log): Promise<void> {
  const { rows } = await sql<{ isWanted: boolean }>`
    select to_regclass('list_entry') is not null and to_regclass('list_entry_search_patient') is null as "isWanted"
  `.execute(transaction);
  if (rows[0]?.isWanted !== true) return;
  await sql`savepoint search_index`.execute(transaction);
  try {
    await sql`create extension if not exists pg_trgm`.execute(transaction);
    for (const statement of INDEXES) await sql.raw(statement).execute(transaction);
    await sql`release savepoint search_index`.execute(transaction);
  } catch (error) {
    await sql`rollback to savepoint search_index`.execute(transaction);
    const reason = databaseError(error).message;
    log.warn(
      { event: 'list.search-unindexed', error: reason },
      'the extension pg_trgm could not be created: a search of the list reads all rows',
    );
  }
}
