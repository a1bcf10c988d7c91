/**
 * npm run fuzz [-- --files 10000] [--seed 1] [--json]: damaged DICOM files through what the service does with a film,
 * the networks left out: open, header checks, decoding in the decoder thread, preprocessing. (A film that the header
 * checks refuse is decoded all the same.) Each has to end as a film or with one of the closed list of reasons. Begins
 * from generated films of every transfer syntax and bit depth, films that break the encoding rules and, where there are any, the small files of
 * HILUM_DATA_DIR/dicom; a damaged file that ends in a way not seen before joins them. Exit status 0 only without crash,
 * hang and unclear end. What ends so is kept in a folder that is printed.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ensure } from './install.mjs';
import { ROOT, runMain, say } from './lib/shell.mjs';
import { mutate, randomFrom } from './lib/mutations.mjs';

const require = createRequire(import.meta.url);
const dist = (name) => require(path.join(ROOT, 'dist', name));

const LARGEST_SEED_BYTES = 200_000;
const TIMEOUT_MS = 10_000;
/** Of the whole process, decoder thread included. */
const MEMORY_LIMIT_BYTES = 3 * 2 ** 30;

async function main() {
  const { values } = parseArgs({
    options: {
      files: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const [files, seed] = [Number(values.files), Number(values.seed)];
  if (!Number.isInteger(files) || files < 1 || !Number.isInteger(seed))
    throw new RangeError('--files and --seed are whole numbers');
  await ensure({});
  const found = await fuzz(files, seed);
  if (values.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else tell(found);
  return found.crashes + found.hangs + found.unclear === 0 ? 0 : 1;
}

async function fuzz(files, seed) {
  const started = Date.now();
  const random = randomFrom(seed);
  const pool = await seeds();
  const result = {
    seed,
    files,
    seeds: pool.length,
    outcomes: {},
    crashes: 0,
    hangs: 0,
    unclear: 0,
    kept: [],
    newEnds: 0,
    largestMemoryMb: 0,
    seconds: 0,
  };
  const seen = new Set();
  const subject = await openSubject();
  for (let index = 0; index < files; index++) {
    const parent = random.one(pool);
    const { bytes, how } = mutate(parent.bytes, random);
    const end = await subject.run(bytes);
    count(result, end, { bytes, index, seed, name: `${parent.name} ${how}` });
    if (!seen.has(end.signature)) {
      seen.add(end.signature);
      if (bytes.length <= LARGEST_SEED_BYTES) pool.push({ name: parent.name, bytes });
    }
    if ((index + 1) % 500 === 0) say(`${index + 1} of ${files}, ${seen.size} different ends`);
  }
  await subject.close();
  return { ...result, newEnds: seen.size, seconds: Math.round((Date.now() - started) / 1000) };
}

async function seeds() {
  require('./lib/typescript.cjs');
  const generated = [
    ...(await require('../test/support/films/generated-films.ts').generatedFilms()),
    ...require('../test/support/films/odd-films.ts').oddFilms(),
  ];
  const folder = path.join(process.env.HILUM_DATA_DIR ?? path.join(ROOT, '../shared/data'), 'dicom');
  const names = fs.existsSync(folder)
    ? fs
        .readdirSync(folder)
        .sort()
        .filter((name) => name.endsWith('.dcm') && fs.statSync(path.join(folder, name)).size <= LARGEST_SEED_BYTES)
    : [];
  return [
    ...generated.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) })),
    ...names.map((name) => ({ name, bytes: fs.readFileSync(path.join(folder, name)) })),
  ];
}

/** The stages under test. `run` gives {outcome, fault?, signature}: fault is crash, hang or unclear. */
async function openSubject() {
  const { DecoderThread } = dist('pipeline/decoder-thread.js');
  const { decode, open, refusalOf } = dist('pipeline/decode.js');
  const { checkHeader } = dist('pipeline/check.js');
  const { preprocess } = dist('pipeline/preprocess.js');
  const { NOT_ANALYSED_REASONS } = dist('events/closed-lists.js');
  let lost;
  const reader = new DecoderThread({ timeoutMs: TIMEOUT_MS, onLost: (why) => (lost = why) });
  const broken = (error) => ({ outcome: 'broken', fault: 'crash', signature: `crash ${plain(error)}`, error });
  let outside;
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, (error) => (outside = error));

  async function through(bytes) {
    const film = await open(bytes, reader);
    const refusal = checkHeader(film.attributes);
    const { normalised } = preprocess(await decode(film, reader), [1, 1, 224, 224]);
    // Every value has to be one that a network may see, and together they have to be a picture.
    if (normalised.values.length !== 224 * 224 || !normalised.values.every((value) => value >= 0 && value <= 1))
      return { outcome: 'broken', fault: 'unclear', signature: 'values outside 0..1' };
    return {
      outcome: refusal?.reason ?? 'analysable',
      signature: `${refusal?.reason ?? 'analysable'} ${plain(refusal?.text)}`,
    };
  }

  async function run(bytes) {
    [lost, outside] = [undefined, undefined];
    const end = await through(bytes).catch((error) => {
      const refusal = refusalOf(error);
      if (refusal === null) return { outcome: 'broken', fault: 'unclear', signature: `unclear ${plain(error)}`, error };
      return { outcome: refusal.reason, signature: `${refusal.reason} ${plain(refusal.text)} ${plain(error.cause)}` };
    });
    if (outside !== undefined) return broken(outside);
    if (lost === 'timeout') return { outcome: end.outcome, fault: 'hang', signature: 'hang' };
    if (lost === 'died') return { outcome: end.outcome, fault: 'crash', signature: 'thread died' };
    if (process.memoryUsage().rss > MEMORY_LIMIT_BYTES)
      return { outcome: end.outcome, fault: 'crash', signature: 'memory over the limit' };
    if (end.fault === undefined && end.outcome !== 'analysable' && !NOT_ANALYSED_REASONS.includes(end.outcome))
      return { ...end, fault: 'unclear' };
    return end;
  }
  return { run, close: () => reader.close() };
}

/** A message without what differs from file to file. */
function plain(error) {
  return String(error instanceof Error ? error.message : (error ?? ''))
    .replace(/[0-9A-F]{4},[0-9A-F]{4}|0x[0-9a-f]+|-?\d+(\.\d+)*/g, '#')
    .slice(0, 120);
}

const COUNTERS = { crash: 'crashes', hang: 'hangs', unclear: 'unclear' };

function count(result, end, { bytes, index, seed, name }) {
  result.outcomes[end.outcome] = (result.outcomes[end.outcome] ?? 0) + 1;
  result.largestMemoryMb = Math.max(result.largestMemoryMb, Math.round(process.memoryUsage().rss / 2 ** 20));
  if (end.fault === undefined) return;
  result[COUNTERS[end.fault]]++;
  const folder = path.join(os.tmpdir(), `hilum-fuzz-${seed}`);
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${index}-${end.fault}.dcm`);
  fs.writeFileSync(file, bytes);
  result.kept.push({ file, index, seed, name, fault: end.fault, signature: end.signature });
  say(
    `${end.fault}: ${end.signature} (${name}; seed ${seed}, file ${index}) kept as ${file}` +
      (end.error?.cause ? `\n${end.error.cause}` : ''),
  );
}

function tell({ files, seeds: count, outcomes, crashes, hangs, unclear, newEnds, largestMemoryMb, seconds, seed }) {
  const rows = Object.entries(outcomes)
    .sort((a, b) => b[1] - a[1])
    .map(([outcome, number]) => `  ${String(number).padStart(7)}  ${outcome}`);
  process.stdout.write(
    `${files} damaged files from ${count} whole ones, seed ${seed}, networks left out\n${rows.join('\n')}\n`,
  );
  process.stdout.write(
    `${newEnds} different ends; at most ${largestMemoryMb} MiB; ${seconds} s\n` +
      `${crashes} crashes, ${hangs} hangs, ${unclear} unclear\n`,
  );
}

await runMain(main);
