import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './folder';

/** File mode of files with patient data: readable by the owner alone, whatever the umask. */
export const PRIVATE_MODE = 0o600;

type Content = string | Uint8Array;

/** Temporary name of the new file: in the same folder, as a rename needs. */
const besideOf = (path: string) => `${path}.${randomBytes(4).toString('hex')}.new`;

/**
 * Writes a file whole or not at all: beside the old one, flushed, renamed, and the folder flushed, so that after a kill
 * or a power cut there is the old file or the new one.
 * @param make writes the new file at the path it is given, where nothing is yet; when it throws, the old file stays.
 * @returns what `make` resolves to
 */
export async function placeAtomically<T>(path: string, make: (beside: string) => Promise<T>): Promise<T> {
  const beside = besideOf(path);
  let made: T;
  try {
    made = await make(beside);
    await flush(beside);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await flush(dirname(path));
  return made;
}

/**
 * {@link placeAtomically}, of what is in memory. The folder is made where it is missing.
 * @param check called with the path of the new file before it takes the old one's place; when it throws, the old one
 * stays
 */
export async function writeAtomically(
  path: string,
  content: Content,
  { mode, check }: { readonly mode?: number; readonly check?: (beside: string) => void } = {},
): Promise<void> {
  makeFolder(dirname(path));
  await placeAtomically(path, async (beside) => {
    await writeFile(beside, content, { flag: 'wx', mode });
    check?.(beside);
  });
}

/**
 * As {@link writeAtomically}, synchronously.
 * @param flush false where a power cut, unlike a kill, may lose the file: a flush can take long
 */
export function writeAtomicallySync(
  path: string,
  content: Content,
  { mode, flush = true }: { readonly mode?: number; readonly flush?: boolean } = {},
): void {
  const [folder, beside] = [dirname(path), besideOf(path)];
  makeFolder(folder);
  try {
    writeFileSync(beside, content, { flag: 'wx', mode });
    if (flush) flushSync(beside);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  if (flush) flushSync(folder);
}

/** fsync: for a file, flushes its content; for a folder, flushes renames in it. */
export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function flushSync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
