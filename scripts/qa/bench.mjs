/**
 * npm run bench -- [--peer FILE [--peer-python PYTHON]] [--kinds KIND,...] [--rounds N] [--json]: how fast Hilum is on
 * drawn films of a hospital's size (2500 x 3000 pixels, 12 bit) in each transfer syntax, and on the real films of
 * HILUM_DATA_DIR, in one run and in turns:
 *   limit       the parts that nobody can leave out, by native means: npm run setup -- bench brings them
 *   start-up    `hilum serve` until it is ready, and `hilum analyze` of one film
 *   in process  Hilum's line by stage, without archive and broker
 *   service     `hilum serve` in one process, with concurrency 1 and auto, and in two, with a RabbitMQ and an Orthanc
 *   peer        another consumer, such as a script in Python, in a process for each core, with Hilum's networks
 * npm run bench -- --soak [N] [--json]: the memory of one process over N studies (1000).
 * npm run bench -- --catch-up [N] [--json]: what a start asks the archive about N studies that have results (1000).
 * npm run bench -- --check [--json]: ends with 1 where raw films cost far more than the networks alone.
 * npm run bench -- --half-resolution [--json]: what decoding JPEG 2000 at half resolution changes.
 * npm run bench -- --list [--rows N] [--json]: the reading list with 100,000 studies, without any film.
 * Kinds: mix, raw, rle, jpegLossless, jpegLs, jpeg2000, real. With --json the last line is all figures as one object.
 * docs/performance.md tells how to read it.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { benchCatchUp } from './bench/catch-up.mjs';
import { benchCheck } from './bench/check.mjs';
import { prepareFilms, SYNTAXES } from './bench/films.mjs';
import { ratiosOf } from './bench/figures.cjs';
import { benchHalfResolution } from './bench/half-resolution.mjs';
import { benchList } from './bench/list.mjs';
import { measure } from './bench/measure.mjs';
import { DEBIAN_PYTHON, missingTools } from './bench/native.mjs';
import { benchSoak } from './bench/soak.mjs';
import { tableOf } from './bench/table.mjs';
import { targetsOf } from './bench/targets.cjs';
import { ensure } from '../dev/setup.mjs';
import { Explained, isMain, ROOT, runMain, say } from '../lib/shell.mjs';
import { stopper } from '../lib/stopper.mjs';

const REAL = 'real';
const KINDS = ['mix', ...Object.keys(SYNTAXES), REAL];
const STUDIES = '1000';
const CHECK_DRAWINGS = 16;
const OPTIONS = /** @type {const} */ ({
  peer: { type: 'string' },
  'peer-python': { type: 'string', default: DEBIAN_PYTHON },
  kinds: { type: 'string', default: KINDS.join() },
  rounds: { type: 'string', default: '3' },
  soak: { type: 'boolean', default: false },
  'catch-up': { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  'half-resolution': { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  rows: { type: 'string', default: '100000' },
  json: { type: 'boolean', default: false },
});

async function main() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.list) return benchList({ rows: wholeNumber('--rows', values.rows), json: values.json === true });
  const run = modeOf(values, positionals);
  await ensure({ servers: true });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-bench-'));
  const parts = stopper();
  try {
    const { result, lines, status = 0 } = await run({ dir, onStarted: parts.add });
    process.stdout.write(`${lines.join('\n')}\n`);
    if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return status;
  } finally {
    await parts.all();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Instead of films of all kinds. */
const MODES = {
  soak: (studies) => async (site) => benchSoak({ ...site, studies, films: await prepareFilms(['mix']) }),
  'catch-up': (studies) => (site) => benchCatchUp({ ...site, studies }),
  'half-resolution':
    () =>
    async ({ dir }) =>
      benchHalfResolution({ films: await prepareFilms(['jpeg2000']), real: await realFilms(dir) }),
  check: () => async (site) => benchCheck({ ...site, films: await prepareFilms(['raw'], { most: CHECK_DRAWINGS }) }),
};

/** Those that take a number of studies. */
const COUNTED = ['soak', 'catch-up'];

/**
 * What is asked for.
 * @param {Record<string, any>} values
 * @param {string[]} positionals
 */
function modeOf(values, [studies, ...more]) {
  const [mode, another] = Object.keys(MODES).filter((name) => values[name]);
  const isCounted = mode !== undefined && COUNTED.includes(mode);
  if (another !== undefined || more.length > 0 || (studies !== undefined && !isCounted))
    throw new Explained('one of --soak [N], --catch-up [N], --check and --half-resolution, or none of them');
  return mode === undefined ? films(values) : MODES[mode](wholeNumber('number of studies', studies ?? STUDIES));
}

/** @param {Record<string, any>} values */
function films({ peer, 'peer-python': python, kinds: kindsText, rounds: roundsText }) {
  const [asked, rounds] = [kindsOf(kindsText), wholeNumber('--rounds', roundsText)];
  return async ({ dir, onStarted }) => {
    const missing = missingTools();
    if (missing.length > 0) say(`no limit: ${missing.join(', ')} missing; get them with: npm run setup -- bench`);
    const real = asked.includes(REAL) ? await realFilms(dir) : [];
    const kinds = asked.filter((kind) => kind !== REAL || real.length > 0);
    /** @type {any} */
    const measured = await measure({
      kinds,
      rounds,
      films: await prepareFilms(kinds, { real }),
      dir,
      native: missing.length === 0,
      ...(peer === undefined ? {} : { peer: { file: path.resolve(peer), python } }),
      onStarted,
    });
    const skipped = asked.filter((kind) => !kinds.includes(kind));
    const figures = { machine: machine(), missing, skipped, ...measured, ratios: ratiosOf(measured) };
    const result = { ...figures, targets: targetsOf(figures) };
    return { result, lines: tableOf(result) };
  };
}

/** In a process of its own, which ends with all that it has loaded. */
async function realFilms(dir) {
  say('looking for real films that are analysed to the end');
  const folder = path.join(dir, REAL);
  fs.mkdirSync(folder);
  const script = path.join(ROOT, 'scripts/qa/bench/real-films.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, folder], { cwd: ROOT });
  return JSON.parse(stdout);
}

function kindsOf(text) {
  const kinds = text.split(',');
  const unknown = kinds.filter((kind) => !KINDS.includes(kind));
  if (unknown.length > 0) throw new Explained(`unknown kinds: ${unknown.join(', ')}; known are ${KINDS.join(', ')}`);
  return kinds;
}

function wholeNumber(name, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Explained(`${name} ${text}: a whole number from 1`);
  return number;
}

function machine() {
  const gibibytes = Math.round(os.totalmem() / 2 ** 30);
  return { cores: os.availableParallelism(), cpu: os.cpus()[0]?.model, memoryGiB: gibibytes, node: process.version };
}

if (isMain(import.meta.url)) await runMain(main);
