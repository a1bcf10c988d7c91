import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { LabelledFilm } from './labels';
import { inside } from './run';

/**
 * Files in the folder of films that no row names, as paths with `/`; those in `except` (the report, the labels file)
 * are left out.
 */
export async function unlabelledFiles(
  folder: string,
  films: readonly Pick<LabelledFilm, 'file'>[],
  except: readonly string[],
): Promise<string[]> {
  const named = new Set(films.map(({ file }) => inside(folder, file)));
  const isExcepted = (path: string) =>
    except.some((other) => path === resolve(other) || path.startsWith(`${resolve(other)}${sep}`));
  return (await filesBelow(resolve(folder)))
    .filter((path) => !named.has(path) && !isExcepted(path))
    .sort()
    .map((path) => relative(folder, path).replaceAll(sep, '/'));
}

/**
 * Links to folders are not followed: they may lead in a circle. A folder that may not be read, such as `lost+found`, is
 * left out.
 */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return [];
    throw error;
  });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) for (const file of await filesBelow(path)) files.push(file);
    else if (!entry.isSymbolicLink() || !(await isFolder(path))) files.push(path);
  }
  return files;
}

const isFolder = async (path: string) => (await stat(path).catch(() => null))?.isDirectory() === true;
