import LibsqlDatabase from 'libsql';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

export interface Setup {
  readonly path: string;
  /** A connection that only reads never waits for one that writes. */
  readonly access: 'read' | 'write';
}

/** One statement; null closes the file. */
export type Request = { readonly sql: string; readonly parameters: readonly unknown[] } | null;

export interface Answer {
  readonly rows: readonly unknown[];
  /** Of a statement that gives no rows. */
  readonly changes?: number;
  readonly lastId?: number | bigint;
}

/** An error does not keep its code on the way between threads. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
}

export type Reply = { readonly kind: 'done'; readonly answer: Answer } | { readonly kind: 'failed'; failure: Failure };

/** How long a writer waits for another process (milliseconds). Writes are short. */
const BUSY_TIMEOUT_MS = 5_000;
/**
 * FULL syncs the log at every commit: what was confirmed outlives a kill and a power cut. The waiting time comes first:
 * two processes may open the file at once.
 */
const PRAGMAS = [`busy_timeout = ${BUSY_TIMEOUT_MS}`, 'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'];

type Libsql = InstanceType<typeof LibsqlDatabase>;

const port = parentPort;
if (port === null) throw new Error('sqlite-worker.ts is started as a thread only');
const setup = workerData as Setup;
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

function openFile({ path, access }: Setup): Libsql {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const opened = new LibsqlDatabase(path);
  try {
    for (const pragma of [...PRAGMAS, ...(access === 'read' ? ['query_only = ON'] : [])]) opened.pragma(pragma);
  } catch (error) {
    opened.close();
    throw error;
  }
  return opened;
}

function failureOf(error: unknown): Failure {
  const { name, message, code } = error as Partial<Failure>;
  return { name: name ?? 'Error', message: message ?? String(error), code };
}
