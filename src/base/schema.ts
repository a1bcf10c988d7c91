import { resolve } from 'node:path';
import { z } from 'zod';

/** Setting types that several rooms use. Each has its unit or kind in its description. */

/** A time in milliseconds; `rest` follows the unit in the description. */
export const millis = (byDefault: number, text: string, rest = '') =>
  z.number().int().positive().default(byDefault).describe(`${text} (milliseconds)${rest}`);

/** Folder that relative paths start from while a configuration is parsed; otherwise the working directory. */
let folder = '';

/** Parses with relative paths starting from `base`, the folder of the configuration file. */
export function resolvedFrom<T>(base: string, parse: () => T): T {
  const outer = folder;
  folder = base;
  try {
    return parse();
  } finally {
    folder = outer;
  }
}

/** `path` relative to the folder of the configuration that is being parsed. */
export function fromConfigFolder(path: string): string {
  return resolve(folder, path);
}

/**
 * A path, absolute once it is parsed. A default is given by prefault(): default() would pass it by unresolved.
 * @param rest follows in the description
 */
export const path = (text: string, rest = '') =>
  z.string().min(1).overwrite(fromConfigFolder).describe(`${text} (path, relative to the configuration file)${rest}`);
