import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import LibsqlDatabase from 'libsql';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * How long a writer waits for another process (milliseconds). Writes are short; the whole process stands still
 * meanwhile, as the library is synchronous.
 */
const BUSY_TIMEOUT_MS = 5_000;
/**
 * FULL syncs the log at every commit: what was confirmed outlives a kill and a power cut. The waiting time comes first:
 * two processes may open the file at once.
 */
const PRAGMAS = [`busy_timeout = ${BUSY_TIMEOUT_MS}`, 'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'];

/** Kysely's SQLite, on libsql's binding, which has the interface of better-sqlite3. */
export function sqliteDialect(path: string): Dialect {
  const config = { database: () => Promise.resolve(openFile(path)) };
  const dialect = new SqliteDialect(config);
  return {
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createDriver: () => new ImmediateDriver(config),
  };
}

/**
 * A transaction that only later begins to write can't wait for another process's: it fails. So each is a writer from
 * its start.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

function openFile(path: string): SqliteDatabase {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new LibsqlDatabase(path);
  try {
    for (const pragma of PRAGMAS) database.pragma(pragma);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}
