import { lchownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and its missing parents. Node's recursive `mkdir` is not used: where a parent exists but takes no
 * folder (below `/proc`), it never returns.
 * @throws ErrnoException ENOTDIR where the path is something else; else as `mkdir`
 */
export function makeFolder(path: string, mode?: number): void {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (found !== undefined) {
      requireFolder(at, found);
      break;
    }
    missing.unshift(at);
  }
  for (const folder of missing)
    try {
      mkdirSync(folder, mode);
    } catch (error) {
      ifThere(error, folder);
    }
}

/**
 * Makes a folder that the service's account must be able to write to as well, where root runs a command: it gets the
 * owner of the folder that it is in.
 * @throws ErrnoException as `makeFolder`
 */
export function makeFolderForOwner(path: string, mode: number): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return makeFolder(path, mode);
  const parent = dirname(resolve(path));
  makeFolderForOwner(parent, mode);
  makeFolder(path, mode);
  const { uid, gid } = statSync(parent);
  if (process.geteuid?.() === 0) lchownSync(path, uid, gid);
}

function requireFolder(path: string, found: { isDirectory(): boolean }): void {
  if (!found.isDirectory())
    throw Object.assign(new Error(`ENOTDIR: not a folder: ${path}`), { code: 'ENOTDIR', syscall: 'mkdir', path });
}

/** Another process may have made it meanwhile. */
function ifThere(error: unknown, folder: string): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error;
}
