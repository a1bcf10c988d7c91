/**
 * Drawn films of a hospital's size in each transfer syntax, kept in a folder under the system's temporary one, so that
 * a later run need not draw them again.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { ROOT, say } from '../../lib/shell.mjs';

const require = createRequire(import.meta.url);

/** Kind of film: Transfer Syntax UID (PS3.6 table A-1). */
export const SYNTAXES = {
  raw: '1.2.840.10008.1.2.1',
  rle: '1.2.840.10008.1.2.5',
  jpegLossless: '1.2.840.10008.1.2.4.70',
  jpegLs: '1.2.840.10008.1.2.4.80',
  jpeg2000: '1.2.840.10008.1.2.4.90',
};

/**
 * Of eight films of the mix: four raw, two JPEG Lossless, one JPEG-LS, one JPEG 2000. The one that takes longest is not
 * the last one of a block, where the other processes would have nothing left to do.
 */
const MIX = ['raw', 'jpegLossless', 'jpeg2000', 'raw', 'jpegLs', 'raw', 'jpegLossless', 'raw'];

const SIZE = { rows: 3000, columns: 2500 };
const DRAWINGS = 64;
const RLE_DRAWINGS = 8;
const FIRST_SEED = 1;
/** The UIDs of the film stand before this (bytes). */
const HEADER_BYTES = 65_536;

/** Every drawing in the syntax that it has in the mix, and some in RLE, which the mix has not. */
function drawings() {
  const mixed = Array.from({ length: DRAWINGS }, (_, i) => ({ kind: MIX[i % MIX.length] ?? '', seed: FIRST_SEED + i }));
  const rle = mixed.slice(0, RLE_DRAWINGS).map(({ seed }) => ({ kind: 'rle', seed }));
  return [...mixed, ...rle].map(({ kind, seed }) => ({
    kind,
    syntax: SYNTAXES[kind],
    name: `${kind}-${seed}.dcm`,
    film: { seed, view: seed % 2 ? 'PA' : 'AP', ...SIZE },
  }));
}

const DRAWN_BY = [
  'src/imaging/synthetic-drawing.ts',
  'src/objects/synthetic-film.ts',
  'scripts/qa/bench/transcode.mjs',
];

/** Named by what the drawing depends on: another drawing gets another folder. */
function cacheFolder() {
  const digest = createHash('sha256').update(JSON.stringify(drawings()));
  for (const name of DRAWN_BY) digest.update(fs.readFileSync(path.join(ROOT, name)));
  const user = process.getuid?.() ?? 0;
  return path.join(os.tmpdir(), `hilum-bench-films-${user}-${digest.digest('hex').slice(0, 12)}`);
}

/**
 * Draws the films of these kinds that are not there yet.
 * @param {readonly string[]} kinds
 * @param {{real?: {file: string, uids: Record<string, string>}[], most?: number}} options
 * `real`: films of the kind `real`; `most`: drawings of the mix, and as many seeds
 * @returns {Promise<Films>}
 */
export async function prepareFilms(kinds, { real = [], most = DRAWINGS } = {}) {
  const folder = cacheFolder();
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const wanted = drawings().filter(
    ({ kind, film }) =>
      film.seed < FIRST_SEED + most && (kinds.includes(kind) || (kinds.includes('mix') && kind !== 'rle')),
  );
  const all = wanted.map((drawing) => ({ ...drawing, file: path.join(folder, drawing.name) }));
  const missing = all.filter(({ file }) => !fs.existsSync(file));
  if (missing.length > 0) {
    say(`drawing ${missing.length} films of ${SIZE.columns} x ${SIZE.rows} in ${folder}, once`);
    await Promise.all(dealt(missing, os.availableParallelism()).map(draw));
  }
  return new Films([...all.map(withUids), ...real.map((film) => ({ kind: 'real', ...film }))]);
}

function withUids(drawing) {
  const { syntheticUids } = require(path.join(ROOT, 'dist/objects/synthetic-film.js'));
  return { ...drawing, uids: syntheticUids(drawing.film) };
}

const dealt = (items, hands) =>
  Array.from({ length: hands }, (_, hand) => items.filter((_, i) => i % hands === hand)).filter((of) => of.length > 0);

/** @returns {Promise<void>} */
function draw(jobs) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('draw-worker.mjs', import.meta.url), { workerData: jobs });
    worker.once('error', reject);
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`drawing ended with ${code}`))));
  });
}

/** Hands out films; each is a study that no contender has seen. */
export class Films {
  #serial = 0;
  #next = new Map();
  #drawings;

  constructor(all) {
    this.#drawings = all;
  }

  /** How many different ones there are. */
  number(kind) {
    return this.#of(kind).length;
  }

  /** Files of one drawn kind, in turns. */
  files(kind, count) {
    return this.#take(kind, count).map(({ file }) => file);
  }

  /** @returns {{kind: string, studyInstanceUid: string, bytes: Buffer}[]} */
  studies(kind, count) {
    return this.#take(kind, count).map(({ kind: own, file, uids }) => {
      const serial = ++this.#serial;
      const bytes = asNewStudy(fs.readFileSync(file), uids, serial);
      return { kind: own, studyInstanceUid: numbered(uids.studyInstanceUid, serial), bytes };
    });
  }

  #take(kind, count) {
    const of = kind === 'mix' ? this.#drawings.filter((one) => MIX.includes(one.kind)) : this.#of(kind);
    const first = this.#next.get(kind) ?? 0;
    this.#next.set(kind, first + count);
    return Array.from({ length: count }, (_, i) => of[(first + i) % of.length]);
  }

  #of(kind) {
    return this.#drawings.filter((one) => one.kind === kind);
  }
}

/**
 * The same film under UIDs of its own, in place; they keep their length, so that nothing else changes.
 * @param {Record<string, string>} uids of study, series and instance
 */
export function asNewStudy(bytes, uids, serial) {
  const header = bytes.subarray(0, HEADER_BYTES);
  // One may begin with another.
  for (const uid of Object.values(uids).sort((a, b) => b.length - a.length)) {
    const text = numbered(uid, serial);
    for (let at = header.indexOf(uid); at >= 0; at = header.indexOf(uid, at + 1)) header.write(text, at, 'latin1');
  }
  return bytes;
}

/** Another UID of the same length, its own for each serial number (PS3.5 section B.2). */
function numbered(uid, serial) {
  const digest = createHash('sha256').update(`${uid} ${serial}`).digest('hex');
  const digits = BigInt(`0x1${digest}`).toString();
  return `2.25.${digits.slice(0, uid.length - '2.25.'.length)}`;
}
