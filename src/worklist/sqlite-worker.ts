import LibsqlDatabase from 'libsql';
import { parentPort, workerData } from 'node:worker_threads';
import { isLocked } from './database-error';
import { FileKeeper, makeFile } from './database-file';

export interface Setup {
  readonly path: string;
  /**
   * A read-only connection never waits for a writer and never creates the file. A writing one creates it if missing.
   */
  readonly access: 'read' | 'write';
  /** Identity of the file that this process had open before, the only one accepted; null at first. */
  readonly identity: string | null;
}

/** A statement; null closes the file. */
export type Request = { readonly sql: string; readonly parameters: readonly unknown[] } | null;

export interface Answer {
  readonly rows: readonly unknown[];
  /** For a statement without rows. */
  readonly changes?: number;
  readonly lastId?: number | bigint;
}

/** Errors lose their code between threads. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
}

export type Reply = { readonly kind: 'done'; readonly answer: Answer } | { readonly kind: 'failed'; failure: Failure };

/** Longest wait for another writing process (milliseconds). Writes are short. */
const BUSY_TIMEOUT_MS = 5_000;
const BUSY_PAUSE_MS = 10;
/**
 * FULL syncs the log at every commit, so that a commit survives a kill and a power cut. The busy timeout comes first,
 * as two processes may open the file at once.
 */
const PRAGMAS = {
  write: [`busy_timeout = ${BUSY_TIMEOUT_MS}`, 'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'],
  read: [`busy_timeout = ${BUSY_TIMEOUT_MS}`, 'synchronous = FULL', 'foreign_keys = ON', 'query_only = ON'],
};

type Libsql = InstanceType<typeof LibsqlDatabase>;

const port = parentPort;
if (port === null) throw new Error('sqlite-worker.ts is started as a thread only');
const setup = workerData as Setup;
const file = new FileKeeper(setup.path, setup.identity);
let database: Libsql | undefined;

port.on('message', (request: Request) => {
  try {
    port.postMessage({ kind: 'done', answer: request === null ? close() : run(request) } satisfies Reply);
  } catch (error) {
    port.postMessage({ kind: 'failed', failure: failureOf(error) } satisfies Reply);
  }
});

function run({ sql, parameters }: NonNullable<Request>): Answer {
  database ??= openFile(setup);
  // A rollback is allowed without the file, so that the transaction ends.
  if (sql !== 'rollback') file.require();
  const statement = database.prepare(sql);
  if (statement.reader) return { rows: statement.all(parameters) };
  const { changes, lastInsertRowid } = statement.run(parameters);
  return { rows: [], changes, lastId: lastInsertRowid };
}

function close(): Answer {
  database?.close();
  database = undefined;
  return { rows: [] };
}

function openFile({ path, access, identity }: Setup): Libsql {
  if (access === 'write' && identity === null) makeFile(path);
  file.requireFile();
  const opened = new LibsqlDatabase(path);
  try {
    for (const pragma of PRAGMAS[access]) whenFree(() => opened.pragma(pragma));
  } catch (error) {
    opened.close();
    throw error;
  }
  return opened;
}

/**
 * SQLite doesn't wait, but refuses at once, where another process writes into a new file that isn't yet in write-ahead
 * mode: a wait could lock both for good.
 */
function whenFree(work: () => void): void {
  const until = Date.now() + BUSY_TIMEOUT_MS;
  for (;;)
    try {
      return work();
    } catch (error) {
      if (!isLocked(error) || Date.now() >= until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
    }
}

function failureOf(error: unknown): Failure {
  const { name, message, code } = error as Partial<Failure>;
  return { name: name ?? 'Error', message: message ?? String(error), code };
}
