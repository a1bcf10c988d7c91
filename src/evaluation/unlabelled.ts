import { lstat, readdir } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
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
  const paths = (await readdir(folder, { recursive: true })).map((name) => resolve(folder, name));
  const isExcepted = (path: string) =>
    except.some((other) => path === resolve(other) || path.startsWith(`${resolve(other)}${sep}`));
  const unlabelled: string[] = [];
  for (const path of paths.sort())
    if (!named.has(path) && !isExcepted(path) && !(await lstat(path)).isDirectory())
      unlabelled.push(relative(folder, path).replaceAll(sep, '/'));
  return unlabelled;
}
