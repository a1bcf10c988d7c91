import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../base/errors';
import { headsOf, readModelFolder } from '../model/manifest';

export type InstalledModel = ReturnType<typeof inspect>;

/** The models in a folder, each with its problem where the network file is not the one that the manifest names. */
export function installedModels(dir: string): InstalledModel[] {
  return modelFolders(dir).map((name) => inspect(dir, name));
}

/** Names of the folders, symbolic links to folders included. */
export function modelFolders(dir: string): string[] {
  return readdirSync(dir).filter((name) => statSync(join(dir, name), { throwIfNoEntry: false })?.isDirectory());
}

function inspect(dir: string, name: string) {
  try {
    const { manifest, network, shards } = readModelFolder(join(dir, name));
    const bytes = [network, ...shards.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const { id, version, task, title, architecture, sha256, licence, intendedUse, limitations } = manifest;
    const heads = headsOf(manifest);
    return {
      id,
      version,
      task,
      title,
      architecture,
      bytes,
      sha256,
      operatingPoint: heads[0]?.operatingPoint ?? null,
      heads,
      licence,
      intendedUse,
      limitations,
      metrics: manifest['metrics'] ?? null,
      card: join(dir, name, 'card.md'),
      problem: null,
    };
  } catch (error) {
    return { id: name, card: join(dir, name, 'card.md'), problem: describeError(error) };
  }
}
