import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { HilumError } from '../base/errors';

/**
 * Writes the operating point into a configuration file and changes nothing else in it: comments stay. Whole or not at all.
 * @param check called with the path of the new file before it takes the old one's place; it throws when the file is no valid configuration
 * @throws HilumError CONFIG_INVALID when the file is no YAML
 */
export async function applyThreshold(config: string, threshold: number, check: (path: string) => void): Promise<void> {
  // Behind a link lies the file that is meant: a rename would replace the link.
  const path = await realpath(config);
  const document = parseDocument(await readFile(path, 'utf8'));
  if (document.errors.length > 0) throw new HilumError('CONFIG_INVALID', 'permanent', `${config} can't be read as YAML`, { cause: document.errors[0] });
  document.setIn(['classification', 'threshold'], threshold);
  const beside = `${path}.new`;
  try {
    await writeFile(beside, document.toString({ lineWidth: 0 }), { mode: (await stat(path)).mode & 0o7777 });
    check(beside);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
