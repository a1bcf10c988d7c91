import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool, types } from 'pg';
import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { databaseError, isDamage } from './database-error';
import { identityOf } from './database-file';
import { hasTable, migrate, MIGRATIONS, stepsOf } from './migrations/index';
import type { DatabaseKind, Migration } from './migrations/migration';
import type { Schema } from './schema';
import { ensureSearchIndex } from './search-index';
import { sqliteDialect } from './sqlite';
import { SQLITE_WORKER_FILE } from './sqlite-worker-file';

/**
 * The list's database. Nothing is opened before its first use, so that a database that is away does not delay the
 * start; the first use migrates the schema. Each method throws HilumError DATABASE_UNREACHABLE (transient) or
 * DATABASE_INVALID or DATABASE_REFUSED (permanent), and HilumErrors of `work`.
 */
export interface Database {
  readonly kind: DatabaseKind;
  /** Reads committed data; in an embedded database over a read-only connection. */
  read<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  /**
   * As `read`, for slow queries: an embedded database uses a separate connection in its own thread, so that no page
   * waits for it.
   */
  readAside<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  /** One transaction. */
  write<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  /**
   * Check of a running service: the database answers, accepts writes, is the file that was opened, undamaged as far as
   * known, and of this version. The first call starts a check of the whole file in the background.
   */
  check(): Promise<void>;
  /**
   * Examines without creating or migrating anything; a file is read whole. `absent`: tables are created at the first
   * use; `older`: they are migrated then; `newer`: of the next version, with which this one works.
   */
  examine(): Promise<Standing>;
  /** The database server's clock; for an embedded one, this machine's. */
  clock(): Promise<Date>;
  /** Opens and migrates now instead of at the first use. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** State of the tables relative to this version. */
type Standing = 'absent' | 'older' | 'current' | 'newer';

/** PostgreSQL's advisory lock of a migrating process; an arbitrary number. */
const MIGRATION_LOCK = 4_711_031_415;
type TypeId = Parameters<typeof types.getTypeParser>[0];

/**
 * `file:PATH` (embedded, one machine; several processes may share it) or `postgres://...`.
 * @throws HilumError CONFIG_INVALID for any other URL
 */
export function openDatabase(
  url: string,
  log: Log,
  migrations: readonly Migration[] = MIGRATIONS,
  workerFile = SQLITE_WORKER_FILE,
): Database {
  const kind = kindOf(url);
  const { db, reader, opened, isThere, aside, verify } =
    kind === 'sqlite' ? connectFile(pathOf(url), workerFile) : connectServer(url);
  let opening: Promise<void> | null = null;
  let damage: Error | null = null;
  let verifying: Promise<void> | null = null;
  // Without migrating: for `hilum doctor`.
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const told = databaseError(error);
      if (opening !== null && isDamage(error)) damage ??= told;
      throw told;
    }
  };
  const ready = async (): Promise<void> => {
    opening ??= prepare(db, kind, migrations, log).then(opened);
    try {
      await opening;
    } catch (error) {
      opening = null;
      throw databaseError(error);
    }
  };
  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    await ready();
    return asked(work);
  };
  return {
    kind,
    ready,
    read: (work) => translated(() => work(reader)),
    readAside: (work) => translated(() => aside(work)),
    write: (work) => translated(() => db.transaction().execute(work)),
    check: async () => {
      await translated(() => stepsOf(reader, kind, migrations));
      await translated(() => db.transaction().execute(() => Promise.resolve()));
      // In the background, as it takes seconds for a large file.
      verifying ??= verify().catch((error: unknown) => {
        if (error instanceof HilumError || isDamage(error)) damage ??= databaseError(error);
      });
      if (damage !== null) throw damage;
    },
    examine: () => asked(async () => (isThere() ? examine(reader, kind, migrations) : 'absent')),
    clock: () => asked(async () => (kind === 'sqlite' ? new Date() : readClock(db))),
    close: async () => {
      await verifying;
      if (reader !== db) await reader.destroy();
      await db.destroy();
    },
  };
}

/** Connections for writing and for reading. */
interface Connected {
  readonly db: Kysely<Schema>;
  readonly reader: Kysely<Schema>;
  /** From now on only this file is accepted. */
  readonly opened: () => void;
  /** Whether the database exists. */
  readonly isThere: () => boolean;
  /** For a file, over a connection opened for this purpose. */
  readonly aside: <T>(work: (db: Kysely<Schema>) => Promise<T>) => Promise<T>;
  /** Reads all pages of a file in the background. @throws HilumError DATABASE_INVALID */
  readonly verify: () => Promise<void>;
}

/** One connection writes, as SQLite has one writer; another one reads at the same time. */
function connectFile(path: string, workerFile: string): Connected {
  let identity: string | null = null;
  const connect = (access: 'read' | 'write') =>
    new Kysely<Schema>({ dialect: sqliteDialect(() => ({ path, access, identity }), workerFile) });
  const aside: Connected['aside'] = async (work) => {
    const own = connect('read');
    return work(own).finally(() => own.destroy());
  };
  return {
    db: connect('write'),
    reader: connect('read'),
    opened: () => void (identity = identityOf(path)),
    isThere: () => identityOf(path) !== null,
    aside,
    verify: () => aside(requireWhole),
  };
}

function connectServer(url: string): Connected {
  const db = new Kysely<Schema>({ dialect: postgresDialect(url) });
  return {
    db,
    reader: db,
    opened: () => {},
    isThere: () => true,
    aside: (work) => work(db),
    verify: () => Promise.resolve(),
  };
}

async function examine(db: Kysely<Schema>, kind: DatabaseKind, migrations: readonly Migration[]): Promise<Standing> {
  if (kind === 'sqlite') await requireWhole(db);
  if (!(await hasTable(db, kind, 'migration'))) return 'absent';
  const { pending, newer } = await stepsOf(db, kind, migrations);
  if (newer !== null) return 'newer';
  return pending.length === 0 ? 'current' : 'older';
}

/** Reads all pages. @throws HilumError DATABASE_INVALID */
async function requireWhole(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(db);
  if (rows[0]?.quick_check !== 'ok')
    throw new HilumError('DATABASE_INVALID', 'permanent', 'the database file is damaged');
}

/** As a number of milliseconds, independent of the session's time zone. */
async function readClock(db: Kysely<Schema>): Promise<Date> {
  const now = sql<number>`extract(epoch from clock_timestamp())::double precision * 1000`;
  const { rows } = await sql<{ now: number }>`select ${now} as now`.execute(db);
  return new Date(rows[0]!.now);
}

function kindOf(url: string): DatabaseKind {
  if (url.startsWith('file:')) return 'sqlite';
  if (/^postgres(ql)?:\/\//.test(url)) return 'postgres';
  throw new HilumError('CONFIG_INVALID', 'permanent', 'list.database must be file:PATH or postgres://...');
}

/** File of an embedded database; null for a server. @throws HilumError CONFIG_INVALID */
export function databaseFileOf(url: string): string | null {
  return kindOf(url) === 'sqlite' ? pathOf(url) : null;
}

/** `file:/a/b`, `file:///a/b` or `file:a/b`. */
function pathOf(url: string): string {
  if (url.startsWith('file://')) return fileURLToPath(url);
  const path = url.slice('file:'.length);
  return isAbsolute(path) ? path : resolve(path);
}

function postgresDialect(url: string): PostgresDialect {
  const pool = new Pool({
    connectionString: url,
    max: 5,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    application_name: 'hilum',
    // Numbers, as times and counts are far below 2^53; pg returns 64-bit integers as text otherwise.
    types: {
      getTypeParser: (oid: TypeId, format?: 'text' | 'binary') =>
        oid === types.builtins.INT8 ? Number : (types.getTypeParser(oid, format) as unknown),
    } as unknown as typeof types,
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  return new PostgresDialect({ pool });
}

/** Migrates under a lock, as several processes may start at once; in SQLite the transaction is one. */
async function prepare(
  db: Kysely<Schema>,
  kind: DatabaseKind,
  migrations: readonly Migration[],
  log: Log,
): Promise<void> {
  const { applied, newer } = await db.transaction().execute(async (transaction) => {
    if (kind === 'postgres') await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    const steps = await migrate(transaction, kind, migrations);
    if (kind === 'postgres') await ensureSearchIndex(transaction, log);
    return { applied: steps, newer: (await stepsOf(transaction, kind, migrations)).newer };
  });
  if (newer !== null)
    log.warn(
      { event: 'list.database-newer', version: newer },
      `the database of the reading list is of version ${newer}, on which this one runs: update this one`,
    );
  log.info({ event: 'list.database-ready', kind, applied }, 'the database of the reading list is ready');
}
