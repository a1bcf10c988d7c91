import { HilumError } from '../base/errors';

/** Codes of SQLite for a file that is none, or is damaged (sqlite.org/rescode.html). */
const BROKEN_FILE = new Set(['SQLITE_NOTADB', 'SQLITE_CORRUPT']);
/**
 * Classes of SQLSTATE that are about what was asked, not about the server's state (PostgreSQL, appendix A): trying
 * again cannot help.
 */
const REFUSED_CLASSES = new Set(['22', '23', '42']);

/**
 * What a database threw, told by code; a defect of our own is given back as it is. Nothing of the driver's own text is
 * kept: it may quote a value. What is not known counts as transient: a database that is away, full, locked or still
 * refuses the sign-in is put right by somebody, and nothing must be thrown away meanwhile.
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
  const isBroken = BROKEN_FILE.has(code) || code.startsWith('SQLITE_CORRUPT');
  if (isBroken || isRefusal(code))
    return new HilumError(
      'DATABASE_INVALID',
      'permanent',
      isBroken ? `the file is no database, or a damaged one (${code})` : `the database refuses the statement (${code})`,
    );
  return new HilumError('DATABASE_UNREACHABLE', 'transient', `the database does not answer (${code || 'no code'})`);
}

function isRefusal(code: string): boolean {
  if (code.startsWith('SQLITE_')) return /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG)/.test(code);
  return code.length === 5 && REFUSED_CLASSES.has(code.slice(0, 2));
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : '';
}
