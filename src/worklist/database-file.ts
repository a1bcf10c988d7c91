import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { PRIVATE_MODE } from '../base/atomic-file';
import { makeFolder } from '../base/folder';

/** Codes of our own beside SQLite's: `databaseError` has their sentences. */
type FileProblem = 'DATABASE_FILE_LOST' | 'DATABASE_FILE_MISSING';

class FileError extends Error {
  constructor(readonly code: FileProblem) {
    super(code);
  }
}

/** What tells a file from another one of the same name; null where there is none. */
export function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

/** Nobody else may read it, whatever the umask: SQLite gives its log the rights of the file. One that is there, too. */
export function makeFile(path: string): void {
  makeFolder(dirname(path), 0o700);
  closeSync(openSync(path, 'a', PRIVATE_MODE));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) restrict(file);
}

/** As far as the file is ours. */
function restrict(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  const isOurs = found?.uid === process.geteuid?.();
  if (found !== undefined && isOurs && (found.mode & 0o077) !== 0) chmodSync(file, PRIVATE_MODE);
}

/**
 * A database file that is deleted or replaced while a connection has it open takes every further write with it: SQLite
 * goes on with the file that has no name any more. So it is looked at before each statement, some microseconds, and so
 * is its write-ahead log, which SQLite does not remove while anybody has the file open.
 */
export class FileKeeper {
  private log: string | null = null;

  /** @param identity of the file that alone may be it; null: the one that is there at first */
  constructor(
    private readonly path: string,
    private identity: string | null,
  ) {}

  /** @throws FileError */
  require(): void {
    const [identity, log] = [identityOf(this.path), identityOf(`${this.path}-wal`)];
    if (identity === null && this.identity === null) throw new FileError('DATABASE_FILE_MISSING');
    if (identity !== (this.identity ?? identity) || (this.log !== null && log !== this.log))
      throw new FileError('DATABASE_FILE_LOST');
    [this.identity, this.log] = [identity, log];
  }
}
