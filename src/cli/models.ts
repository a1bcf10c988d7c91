import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SHIPPED_MODELS } from '../app/installed';
import { describeError } from '../base/errors';
import { readModelFolder } from '../model/manifest';

/** The installed models and whether each network is the one its manifest names. Resolves to 1 when any is not. */
export function models(options: { dir?: string | undefined; json: boolean }): number {
  const dir = options.dir ?? SHIPPED_MODELS;
  const folders = readdirSync(dir).filter((name) =>
    statSync(join(dir, name), { throwIfNoEntry: false })?.isDirectory(),
  );
  const rows = folders.map((name) => inspect(dir, name));
  for (const row of rows) process.stdout.write(options.json ? `${JSON.stringify(row)}\n` : describe(row));
  if (rows.length === 0) process.stderr.write(`hilum: there is no model folder in ${dir}\n`);
  return rows.length > 0 && rows.every(({ problem }) => problem === null) ? 0 : 1;
}

function inspect(dir: string, name: string) {
  try {
    const { manifest, network, shards } = readModelFolder(join(dir, name));
    const bytes = [network, ...shards.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const { id, version, task, title, architecture, sha256, licence, intendedUse, limitations, operatingPoint } =
      manifest;
    return {
      id,
      version,
      task,
      title,
      architecture,
      bytes,
      sha256,
      operatingPoint,
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

function describe(row: ReturnType<typeof inspect>): string {
  if (row.problem !== null) return `${row.id}: PROBLEM: ${row.problem}\n\n`;
  const lines = [
    `${row.id} ${row.version} (${row.task}): ${row.title}`,
    `  ${row.architecture}`,
    `  ${(row.bytes / 1e6).toFixed(1)} MB, SHA-256 ${row.sha256}: matches the manifest`,
    `  operating point ${row.operatingPoint.threshold}: ${row.operatingPoint.meaning}`,
    `  ${row.intendedUse}`,
    ...row.limitations.map((limitation) => `  - ${limitation}`),
    `  licence: ${row.licence}`,
    `  card: ${row.card}`,
  ];
  return `${lines.join('\n')}\n\n`;
}
