import { HilumError } from '../base/errors';

/** SQLite's codes for a damaged file, or one that is no database (sqlite.org/rescode.html). */
const BROKEN_FILE = new Set(['SQLITE_NOTADB', 'SQLITE_CORRUPT']);
/** Codes about the statement, not about the server's state (PostgreSQL, appendix A): trying again can't help. */
const REFUSED_STATEMENT = /^(SQLITE_(ERROR|RANGE)|42...$)/;
/** The same, about the values in it: a longer one than an index takes, or one against a rule of its column. */
const REFUSED_VALUE = /^(SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)|(22|23|54)...$)/;

/** Sentences by code: our own codes for a file (database-file.ts), those of SQLite and of the system, and SQLSTATE. */
const SENTENCES: readonly (readonly [codes: RegExp, sentence: string])[] = [
  [
    /^DATABASE_FILE_LOST$/,
    'the database file was deleted or replaced while the service runs: put it back, or restart the service to begin ' +
      'with what is there now',
  ],
  [/^DATABASE_FILE_MISSING$/, 'there is no database file'],
  [/^(SQLITE_READONLY|EACCES|EPERM|EROFS|25006$)/, 'the database may not be written'],
  [/^(SQLITE_FULL|ENOSPC|EDQUOT|53100$)/, 'the database has no room on its disk'],
  [/^28/, 'the database refuses the sign-in: check user and password of list.database'],
  [/^3D000$/, 'the server has no database of this name'],
];

/** Whether the file itself is damaged: it stays so until somebody replaces it. */
export function isDamage(cause: unknown): boolean {
  const code = codeOf(cause);
  return BROKEN_FILE.has(code) || code.startsWith('SQLITE_CORRUPT');
}

/** Whether another process holds the lock. */
export function isLocked(cause: unknown): boolean {
  return codeOf(cause).startsWith('SQLITE_BUSY');
}

/**
 * Converts an error of the database to a HilumError by its code; a defect of ours is returned unchanged. The driver's
 * text is dropped, as it may quote a value. Unknown errors are transient: somebody will fix a database that is away,
 * full, locked or refuses the sign-in, and nothing must be lost meanwhile.
 */
export function databaseError(cause: unknown): Error {
  if (
    cause instanceof HilumError ||
    cause instanceof TypeError ||
    cause instanceof RangeError ||
    cause instanceof SyntaxError
  )
    return cause;
  const code = codeOf(cause);
  const invalid = (text: string) => new HilumError('DATABASE_INVALID', 'permanent', `${text} (${code})`);
  if (isDamage(cause)) return invalid('the file is no database, or a damaged one');
  if (REFUSED_STATEMENT.test(code)) return invalid('the database refuses the statement');
  if (REFUSED_VALUE.test(code))
    return new HilumError('DATABASE_REFUSED', 'permanent', `the database does not take a value (${code})`);
  const sentence = SENTENCES.find(([codes]) => codes.test(code))?.[1] ?? 'the database does not answer';
  return new HilumError('DATABASE_UNREACHABLE', 'transient', `${sentence} (${code || 'no code'})`);
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : '';
}
