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
import { retention } from './014-retention';
import { oldWriters } from './015-old-writers';
import { type DatabaseKind, type Migration, RELEASES } from './migration';

/** In the order in which they are applied. */
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
  retention,
  oldWriters,
];

/**
 * Migrates the database to this version's schema: all steps or none, in a transaction that holds the migration lock.
 * Resolves to the names of the applied steps.
 * @throws HilumError DATABASE_INVALID when the database belongs to a version with which this one does not work
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
  await sql`create table if not exists schema_step (name text primary key, release integer not null,
    version text not null, applied_at bigint not null)`.execute(transaction);
  const { pending } = await stepsOf(transaction, kind, migrations);
  for (const migration of pending) {
    await migration.up(transaction as unknown as Kysely<unknown>, kind);
    await noteStep(transaction, migration, now());
  }
  return pending.map(({ name }) => name);
}

/** First release whose steps version 0.1 must not see. */
const AFTER_THE_FIRST = 2;

/**
 * Version 0.1 reads `migration` only and refuses unknown names: so the steps of the release that works beside it are
 * not recorded there, and those of later releases are.
 */
async function noteStep(transaction: Transaction<Schema>, { name, release }: Migration, at: number): Promise<void> {
  const version = RELEASES[release - 1] ?? String(release);
  await transaction.insertInto('schema_step').values({ name, release, version, applied_at: at }).execute();
  if (release !== AFTER_THE_FIRST) await transaction.insertInto('migration').values({ name, applied_at: at }).execute();
}

/** State of a database with the table of steps. */
export interface Steps {
  /** Steps that are not applied yet. */
  readonly pending: readonly Migration[];
  /** Later version of Hilum that has applied unknown steps; null where there is none. */
  readonly newer: string | null;
}

/**
 * A version works with its own schema and with that of the next release, which removes only what this one does not use
 * ({@link Migration}).
 * @throws HilumError DATABASE_INVALID for a later release's
 */
export async function stepsOf(
  db: Kysely<Schema>,
  kind: DatabaseKind,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<Steps> {
  const steps = (await hasTable(db, kind, 'schema_step'))
    ? await db.selectFrom('schema_step').select(['name', 'release', 'version']).execute()
    : [];
  const names = (await db.selectFrom('migration').select('name').execute()).map(({ name }) => name);
  const applied = new Set([...names, ...steps.map(({ name }) => name)]);
  const isUnknown = (name: string) => !migrations.some((migration) => migration.name === name);
  // Steps without a release, of a version that was never released.
  const untold = names.filter((name) => isUnknown(name) && !steps.some((step) => step.name === name));
  const later = steps.filter(({ name }) => isUnknown(name)).sort((a, b) => b.release - a.release);
  const own = Math.max(...migrations.map(({ release }) => release));
  const beyond = [...untold, ...later.filter(({ release }) => release > own + 1).map(({ name }) => name)];
  if (beyond.length > 0)
    throw new HilumError(
      'DATABASE_INVALID',
      'permanent',
      `the database was made by ${later[0] === undefined ? 'a later version' : `version ${later[0].version}`} of ` +
        `Hilum (it has ${beyond.join(', ')}), and this one runs on its own schema and that of the next version ` +
        'alone: update Hilum, or use another database',
    );
  return { pending: migrations.filter(({ name }) => !applied.has(name)), newer: later[0]?.version ?? null };
}

export async function hasTable(db: Kysely<Schema>, kind: DatabaseKind, name: string): Promise<boolean> {
  const found =
    kind === 'sqlite'
      ? sql`select 1 from sqlite_schema where type = 'table' and name = ${name}`
      : sql`select 1 where to_regclass(${name}) is not null`;
  return (await found.execute(db)).rows.length > 0;
}
