import { type Kysely, sql, type Transaction } from 'kysely';
import { HilumError } from '../../base/errors';
import type { Schema } from '../schema';
import { studies } from './001-studies';
import { access } from './002-access';
import { findings } from './003-findings';
import { corrections } from './004-corrections';
import { listEntries } from './005-list-entries';
import { searchByRole } from './006-search-by-role';
import { verdictAuthors } from './007-verdict-authors';
import { signIns } from './008-sign-ins';
import { workState } from './009-work-state';
import { ris } from './010-ris';
import { patients } from './011-patients';
import { turnaround } from './012-turnaround';
import { habits } from './013-habits';
import type { DatabaseKind, Migration } from './migration';

/** In this order. */
export const MIGRATIONS: readonly Migration[] = [
  studies,
  access,
  findings,
  corrections,
  listEntries,
  searchByRole,
  verdictAuthors,
  signIns,
  workState,
  ris,
  patients,
  turnaround,
  habits,
];

/**
 * Brings the database to this version's schema: all steps or none, inside a transaction that holds the migration lock.
 * Resolves to the names applied now.
 * @throws HilumError DATABASE_INVALID when the database has steps that this version does not know.
 */
export async function migrate(
  transaction: Transaction<Schema>,
  kind: DatabaseKind,
  migrations: readonly Migration[] = MIGRATIONS,
  now: () => number = Date.now,
): Promise<string[]> {
  await sql`create table if not exists migration (name text primary key, applied_at bigint not null)`.execute(
    transaction,
  );
  const pending = await pendingOf(transaction, migrations);
  for (const migration of pending) {
    await migration.up(transaction as unknown as Kysely<unknown>, kind);
    await transaction.insertInto('migration').values({ name: migration.name, applied_at: now() }).execute();
  }
  return pending.map(({ name }) => name);
}

/**
 * The steps that a database with the table of them has yet to take.
 * @throws HilumError DATABASE_INVALID when it has steps that this version does not know.
 */
export async function pendingOf(db: Kysely<Schema>, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const applied = new Set((await db.selectFrom('migration').select('name').execute()).map(({ name }) => name));
  const unknown = [...applied].filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0)
    throw new HilumError(
      'DATABASE_INVALID',
      'permanent',
      `the database was made by a newer version of Hilum (it has ${unknown.join(', ')}): update Hilum, or use ` +
        'another database',
    );
  return migrations.filter(({ name }) => !applied.has(name));
}
