import { readFile } from 'node:fs/promises';
import { type ErrorCode, HilumError } from '../base/errors';

/** Files that commands take, with the error code of one that can't be read. */
const GIVEN = { labels: 'LABELS_INVALID', protocol: 'PROTOCOL_INVALID' } as const satisfies Record<string, ErrorCode>;

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this account may not read it',
};

/** Reads such a file. @throws HilumError LABELS_INVALID, PROTOCOL_INVALID in a sentence */
export async function readGiven(what: keyof typeof GIVEN, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code = 'no code' } = error as NodeJS.ErrnoException;
    const why = WHY[code] ?? `the system refuses it (${code})`;
    throw new HilumError(GIVEN[what], 'permanent', `the ${what} file ${path} can't be read: ${why}`);
  }
}
