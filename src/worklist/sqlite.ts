import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type Ask, SqliteThread } from './sqlite-thread';
import type { Setup } from './sqlite-worker';

/** Kysely dialect for SQLite, by libsql in a thread of its own: one connection. */
export function sqliteDialect(setup: () => Setup, workerFile: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createDriver: () => new ThreadDriver(new SqliteThread(setup, workerFile)),
  };
}

/** The connection is held by one at a time, in the order of requests. */
class ThreadDriver implements Driver {
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly thread: SqliteThread) {}

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<ThreadConnection> {
    const before = this.last;
    let release = () => {};
    this.last = new Promise((resolve) => (release = resolve));
    await before;
    return new ThreadConnection(this.thread.session(), release);
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof ThreadConnection) connection.release();
    return Promise.resolve();
  }

  /** Begins as a writer: a transaction that starts writing later can't wait for another process and would fail. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  destroy(): Promise<void> {
    return this.thread.close();
  }
}

class ThreadConnection implements DatabaseConnection {
  constructor(
    private readonly ask: Ask,
    readonly release: () => void,
  ) {}

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, lastId } = await this.ask({ sql, parameters });
    return {
      rows: rows as R[],
      ...(changes === undefined ? {} : { numAffectedRows: BigInt(changes) }),
      ...(lastId === undefined ? {} : { insertId: BigInt(lastId) }),
    };
  }

  // eslint-disable-next-line require-yield -- the interface wants a generator
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TypeError('the embedded database answers whole');
  }
}
