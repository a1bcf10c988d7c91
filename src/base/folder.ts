import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those that it lies in, where they are missing. Not by Node's recursive `mkdir`: where a parent is
 * there but takes no folder (below `/proc`), that one tries for ever.
 * @throws ErrnoException ENOTDIR where something else has the name; else as `mkdir`
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

function requireFolder(path: string, found: { isDirectory(): boolean }): void {
  if (!found.isDirectory())
    throw Object.assign(new Error(`ENOTDIR: not a folder: ${path}`), { code: 'ENOTDIR', syscall: 'mkdir', path });
}

/** Another process may have made it meanwhile. */
function ifThere(error: unknown, folder: string): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error;
}
