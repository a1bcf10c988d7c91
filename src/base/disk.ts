import { randomBytes } from 'node:crypto';
import { access, constants, open, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PRIVATE_MODE, writeAtomically } from './atomic-file';
import { HilumError } from './errors';
import { makeFolder } from './folder';

/**
 * Free space for this user in the file system of a folder (bytes); for a folder that does not exist yet, where it would
 * be.
 */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    return freeBytes(dirname(folder));
  }
}

/** Null when each folder has at least `leastBytes` free, else one plain sentence. */
export async function diskProblem(
  folders: readonly string[],
  leastBytes: number,
  look: (folder: string) => Promise<number> = freeBytes,
): Promise<string | null> {
  const problems = await Promise.all(
    folders.map(async (folder) => {
      const free = await look(folder).catch(() => null);
      if (free === null) return `the folder ${folder} can't be looked at`;
      return free < leastBytes
        ? `${Math.floor(free / 1e6)} MB free in ${folder}, less than ${Math.floor(leastBytes / 1e6)} MB`
        : null;
    }),
  );
  return problems.find((problem) => problem !== null) ?? null;
}

/**
 * Null when a folder can be written, else one plain sentence. A block is written and removed again, which finds missing
 * rights, a full or read-only disk, and quotas. A folder that does not exist is not made: its parent is tried.
 * @param appended an existing file of the folder that is appended to
 */
export async function writeProblem(folder: string, appended?: string): Promise<string | null> {
  try {
    if (await isFolder(folder)) {
      await tryWriting(folder);
      if (appended !== undefined) await tryOpening(join(folder, appended));
    } else await access(await nearestFolder(folder), constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return writeSentence(`the folder ${folder}`, error);
  }
}

/** Why something can't be written, in one plain sentence. */
function writeSentence(what: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'no code';
  return `${what} can't be written to: ${WRITE_PROBLEMS[code] ?? 'the system refuses it'} (${code})`;
}

/** The error for a file that could not be written: the disk is at fault, not the content. */
export function outputFailed(what: string, error: unknown): HilumError {
  return new HilumError('OUTPUT_FAILED', 'transient', writeSentence(what, error));
}

/** Writes a requested output file whole or not at all, readable by its owner alone. @throws HilumError OUTPUT_FAILED */
export async function writeOutput(path: string, content: string): Promise<void> {
  await writeAtomically(path, content, { mode: PRIVATE_MODE }).catch((error: unknown) => {
    throw outputFailed(path, error);
  });
}

/**
 * Makes a folder if it is missing and checks that it can be written, so that long work fails before it begins.
 * @throws HilumError OUTPUT_FAILED
 */
export async function requireWritable(folder: string): Promise<void> {
  try {
    makeFolder(folder);
    await tryWriting(folder);
  } catch (error) {
    throw outputFailed(`the folder ${folder}`, error);
  }
}

const WRITE_PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'this account has no right to',
  EPERM: 'this account has no right to',
  EROFS: 'its disk is read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: "the account's quota is used up",
  ENOTDIR: 'it is no folder',
  ENOENT: 'no folder can be made there',
};

const BLOCK_BYTES = 4096;

async function tryWriting(folder: string): Promise<void> {
  const path = join(folder, `.write-test-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(path, Buffer.alloc(BLOCK_BYTES), { flag: 'wx', mode: PRIVATE_MODE });
  } finally {
    await rm(path, { force: true });
  }
}

/** Opens the file for appending, without a change. */
async function tryOpening(path: string): Promise<void> {
  try {
    await (await open(path, constants.O_WRONLY | constants.O_APPEND)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** @throws ErrnoException ENOTDIR where the path is something else than a folder */
async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
}

async function nearestFolder(folder: string): Promise<string> {
  return (await isFolder(folder)) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}
