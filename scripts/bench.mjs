/**
 * npm run bench -- [--peer FILE [--peer-python PYTHON]] [--kinds KIND,...] [--rounds N] [--json]: how fast Hilum is on
 * drawn films of a hospital's size (2500 x 3000 pixels, 12 bit) in each transfer syntax, in one run and in turns:
 *   limit       the parts that nobody can leave out, by native means: scripts/install.mjs bench brings them
 *   in process  Hilum's line by stage, without archive and broker
 *   service     `hilum serve` in one and in two processes, with a RabbitMQ and an Orthanc
 *   peer        another consumer, such as a script in Python, in two processes, with Hilum's networks
 * npm run bench -- --list [--rows N] [--json]: the reading list with 100,000 studies, without any film.
 * Kinds: mix, raw, rle, jpegLossless, jpegLs, jpeg2000. With --json the last line is all figures as one object.
 * docs/performance.md tells how to read it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { prepareFilms, SYNTAXES } from './bench/films.mjs';
import { ratiosOf } from './bench/figures.cjs';
import { benchList } from './bench/list.mjs';
import { measure } from './bench/measure.mjs';
import { DEBIAN_PYTHON, missingTools } from './bench/native.mjs';
import { tableOf } from './bench/table.mjs';
import { ensure } from './install.mjs';
import { Explained, isMain, runMain, say } from './lib/shell.mjs';
import { stopper } from './lib/stopper.mjs';

const KINDS = ['mix', ...Object.keys(SYNTAXES)];
const OPTIONS = {
  peer: { type: 'string' },
  'peer-python': { type: 'string', default: DEBIAN_PYTHON },
  kinds: { type: 'string', default: KINDS.join() },
  rounds: { type: 'string', default: '3' },
  list: { type: 'boolean', default: false },
  rows: { type: 'string', default: '100000' },
  json: { type: 'boolean', default: false },
};

async function main() {
  const { peer, 'peer-python': python, kinds, rounds, list, rows, json } = parseArgs({ options: OPTIONS }).values;
  if (list) return benchList({ rows: wholeNumber('rows', rows), json });
  const asked = { kinds: kindsOf(kinds), rounds: wholeNumber('rounds', rounds) };
  await ensure({ servers: true });
  const missing = missingTools();
  if (missing.length > 0) say(`no limit: ${missing.join(', ')} missing; get them with: node scripts/install.mjs bench`);
  const films = await prepareFilms(asked.kinds);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-bench-'));
  const parts = stopper();
  try {
    const measured = await measure({
      ...asked,
      films,
      dir,
      native: missing.length === 0,
      ...(peer === undefined ? {} : { peer: { file: path.resolve(peer), python } }),
      onStarted: parts.add,
    });
    const result = { machine: machine(), missing, ...measured, ratios: ratiosOf(measured) };
    process.stdout.write(`${tableOf(result).join('\n')}\n`);
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return 0;
  } finally {
    await parts.all();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function kindsOf(text) {
  const kinds = text.split(',');
  const unknown = kinds.filter((kind) => !KINDS.includes(kind));
  if (unknown.length > 0) throw new Explained(`unknown kinds: ${unknown.join(', ')}; known are ${KINDS.join(', ')}`);
  return kinds;
}

function wholeNumber(name, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Explained(`--${name} ${text}: a whole number from 1`);
  return number;
}

function machine() {
  const gibibytes = Math.round(os.totalmem() / 2 ** 30);
  return { cores: os.availableParallelism(), cpu: os.cpus()[0].model, memoryGiB: gibibytes, node: process.version };
}

if (isMain(import.meta.url)) await runMain(main);
