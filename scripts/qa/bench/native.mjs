/** The parts that nobody can leave out: which of their tools are missing here, and the networks alone. */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { missingPackages, PACKAGES } from '../../dev/setup.mjs';
import { ROOT } from '../../lib/shell.mjs';

const require = createRequire(import.meta.url);
const NETWORK_FILMS = 6;
const THREADS = [1, 2];

export const NATIVE_PARTS = path.join(ROOT, 'scripts/qa/bench/native_parts.py');
/** Debian's own, which has Debian's packages. */
export const DEBIAN_PYTHON = '/usr/bin/python3';

/** Debian packages that the limit needs and that are not installed. */
export function missingTools() {
  const missing = missingPackages(PACKAGES.bench);
  const help = spawnSync(DEBIAN_PYTHON, [NATIVE_PARTS, '--help'], { stdio: 'ignore' });
  return missing.length === 0 && help.status !== 0 ? ["a python3 that imports Debian's packages"] : missing;
}

/** Folders of the networks that Hilum runs by default, in the order in which it asks them. */
export function shippedNetworks() {
  const { modelsSchema, namedModels } = require(path.join(ROOT, 'dist/model/config.js'));
  const { view, gate, lungs, classifiers } = namedModels(modelsSchema.parse({}));
  const folders = [view, lungs, ...classifiers, gate].map((id) => path.join(ROOT, 'models', id));
  // View and first check may be one network, which the service runs once (src/pipeline/infer.ts).
  const digests = folders.map(digestOf);
  return folders.filter((_, at) => digests.indexOf(digests[at]) === at);
}

const digestOf = (folder) => JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json'), 'utf8')).sha256;

/** @returns {Promise<{threads: number, cpuSecondsPerFilm: number}[]>} for each thread setting */
export async function measureNetworks() {
  const rows = [];
  for (const threads of THREADS) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [path.join(ROOT, 'scripts/qa/bench/networks.mjs'), String(threads), String(NETWORK_FILMS), ...shippedNetworks()],
      { cwd: ROOT, env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } },
    );
    rows.push({ threads, cpuSecondsPerFilm: Number(stdout) });
  }
  return rows;
}
