import { resolve } from 'node:path';
import { z } from 'zod';

/** Types of settings that several rooms have. Each carries its unit or its kind in its description. */

/** A time in milliseconds; `rest` follows the unit in the description. */
export const millis = (byDefault: number, text: string, rest = '') =>
  z.number().int().positive().default(byDefault).describe(`${text} (milliseconds)${rest}`);

/** Where relative paths start while a configuration is parsed; the working directory otherwise. */
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

/** `path` as seen from the folder of the configuration that is being parsed. */
export function fromConfigFolder(path: string): string {
  return resolve(folder, path);
}

/**
 * A path, absolute once it is parsed. A default is given by prefault(): default() would pass it by unresolved.
 * @param rest follows in the description
 */
export const path = (text: string, rest = '') =>
  z.string().min(1).overwrite(fromConfigFolder).describe(`${text} (path, relative to the configuration file)${rest}`);
