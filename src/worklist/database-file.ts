import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { PRIVATE_MODE } from '../base/atomic-file';
import { makeFolder } from '../base/folder';

/** Codes of our own beside SQLite's; `databaseError` has their sentences. */
type FileProblem = 'DATABASE_FILE_LOST' | 'DATABASE_FILE_MISSING';

class FileError extends Error {
  constructor(readonly code: FileProblem) {
    super(code);
  }
}

/** Identifies a file among others of the same name; null where there is none. */
export function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

/**
 * Creates the file so that nobody else can read it, whatever the umask; also restricts an existing one. SQLite gives
 * its log the same mode.
 */
export function makeFile(path: string): void {
  makeFolder(dirname(path), 0o700);
  closeSync(openSync(path, 'a', PRIVATE_MODE));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) restrict(file);
}

/** Only if the file is ours. */
function restrict(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  const isOurs = found?.uid === process.geteuid?.();
  if (found !== undefined && isOurs && (found.mode & 0o077) !== 0) chmodSync(file, PRIVATE_MODE);
}

/**
 * Notices that the database file was deleted or replaced: SQLite would go on writing into the file that has no name any
 * more. File and write-ahead log, which SQLite does not remove while anybody has the file open, are checked before each
 * statement; it takes microseconds.
 */
export class FileKeeper {
  private log: string | null = null;

  /** @param identity the only file accepted; null: the one that exists at first */
  constructor(
    private readonly path: string,
    private identity: string | null,
  ) {}

  /** File and log. @throws FileError */
  require(): void {
    this.requireFile();
    const log = identityOf(`${this.path}-wal`);
    if (this.log !== null && log !== this.log) throw new FileError('DATABASE_FILE_LOST');
    this.log = log;
  }

  /** The file only: before it is open, another process may end and take the log with it. @throws FileError */
  requireFile(): void {
    const identity = identityOf(this.path);
    if (identity === null && this.identity === null) throw new FileError('DATABASE_FILE_MISSING');
    if (identity !== (this.identity ?? identity)) throw new FileError('DATABASE_FILE_LOST');
    this.identity = identity;
  }
}
