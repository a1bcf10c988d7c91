/**
 * npm run fuzz [-- --files 10000] [--answers 2000] [--seed 1] [--json]: damaged DICOM files through what the service
 * does with a film, the networks left out: open, header checks, decoding in the decoder thread, digest of the content,
 * preprocessing, faults of the picture. (A film that the header checks refuse is decoded all the same.) Each has to end
 * as a film or with one of the closed list of reasons. Begins from generated films of every transfer syntax and bit
 * depth, films that break the encoding rules and, where there are any, the small files of HILUM_DATA_DIR/dicom; a
 * damaged file that ends in a way not seen before joins them. Then damaged answers of an archive to a search and to a
 * retrieval, in each of the ways in which archives send them: each has to be read, or to end with a code of
 * docs/errors.md. Exit status 0 only without crash, hang and unclear end. What ends so is kept in a folder that is
 * printed.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ensure } from '../dev/setup.mjs';
import { ROOT, runMain, say } from '../lib/shell.mjs';
import { openServer, RETRIEVALS, rowsOf, SEARCHES } from '../lib/archive-answers.mjs';
import { mutate, randomFrom } from '../lib/mutations.mjs';

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
      answers: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const [files, answers, seed] = [Number(values.files), Number(values.answers), Number(values.seed)];
  if (!Number.isInteger(files) || files < 1 || !Number.isInteger(seed) || !Number.isInteger(answers) || answers < 0)
    throw new RangeError('--files, --answers and --seed are whole numbers');
  await ensure({});
  const found = await fuzz(files, seed);
  await fuzzAnswers(answers, seed, found);
  if (values.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else tell(found);
  return found.crashes + found.hangs + found.unclear === 0 ? 0 : 1;
}

/** @returns {Promise<Record<string, any>>} counts by kind of end */
async function fuzz(files, seed) {
  const started = Date.now();
  const random = randomFrom(seed);
  const pool = await seeds();
  /** @type {Record<string, any>} */
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

/** Damaged answers of an archive; what ends unclear or hangs is counted in `result`, and kept. */
async function fuzzAnswers(count, seed, result) {
  const { dicomWebArchive } = dist('archive/dicomweb.js');
  const { ERROR_CODES, HilumError } = dist('base/errors.js');
  const random = randomFrom(seed);
  const server = await openServer();
  const archive = dicomWebArchive({ url: server.url, responseTimeoutMs: TIMEOUT_MS, maxObjectBytes: 2 ** 24 });
  const study = '1.2.3';
  const path = { studyInstanceUid: study, seriesInstanceUid: '1.2.3.1', sopInstanceUid: '1.2.3.1.1' };
  const file = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(4_000, 0x0d)]);
  const kinds = [
    ...Object.values(RETRIEVALS).map((send) => [send(file), () => archive.retrieve(path)]),
    ...Object.values(SEARCHES).flatMap((send) =>
      [() => archive.findInstances(study), () => archive.findSeries(study), () => archive.findStudySummary(study)].map(
        (ask) => [send(rowsOf(study, 20)), ask],
      ),
    ),
  ];
  result.answers = { read: 0 };
  for (let index = 0; index < count; index++) {
    const [answer, ask] = random.one(kinds);
    server.says.answer = { ...answer, body: damage(answer.body, random) };
    const started = Date.now();
    const end = await ask().then(
      () => 'read',
      (error) => (error instanceof HilumError && ERROR_CODES.includes(error.code) ? error.code : error),
    );
    const outcome = typeof end === 'string' ? end : 'broken';
    result.answers[outcome] = (result.answers[outcome] ?? 0) + 1;
    if (typeof end !== 'string')
      keep(result, 'unclear', {
        bytes: server.says.answer.body,
        index,
        seed,
        name: 'answer',
        end: { signature: plain(end), error: end },
      });
    else if (Date.now() - started > TIMEOUT_MS)
      keep(result, 'hang', { bytes: server.says.answer.body, index, seed, name: 'answer', end: { signature: end } });
  }
  await archive.close();
  server.close();
}

/** One to four bytes changed, taken out or put in, or the end cut off. */
function damage(body, random) {
  let bytes = Buffer.from(body);
  for (let n = random.below(4); n >= 0; n--) {
    const at = random.below(bytes.length);
    const piece = [
      Buffer.from([random.below(256)]),
      Buffer.alloc(0),
      Buffer.from('\r\n--'),
      Buffer.from('[{"Value":null}]'),
    ];
    bytes = Buffer.concat([bytes.subarray(0, at), random.one(piece), bytes.subarray(at + random.below(3))]);
    if (random.below(8) === 0) bytes = bytes.subarray(0, random.below(bytes.length) + 1);
  }
  return bytes;
}

async function seeds() {
  require('../lib/typescript.cjs');
  const generated = [
    ...(await require('../../test/support/films/generated-films.ts').generatedFilms()),
    ...require('../../test/support/films/odd-films.ts').oddFilms(),
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
  const { pixelFault } = dist('pipeline/pixel-faults.js');
  const { NOT_ANALYSED_REASONS } = dist('events/closed-lists.js');
  let lost;
  const reader = new DecoderThread({ timeoutMs: TIMEOUT_MS, onLost: (why) => (lost = why) });
  const broken = (error) => ({ outcome: 'broken', fault: 'crash', signature: `crash ${plain(error)}`, error });
  let outside;
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, (error) => (outside = error));

  async function through(bytes) {
    const film = await open(bytes, reader);
    const preprocessed = preprocess(await decode(film, reader, { rows: 224, columns: 224 }));
    const { normalised, decoded } = preprocessed;
    if (!/^[0-9a-f]{64}$/.test(decoded.image.digest))
      return { outcome: 'broken', fault: 'unclear', signature: 'no digest of the content' };
    const refusal = checkHeader(film.attributes) ?? pixelFault(preprocessed);
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
  keep(result, end.fault, { bytes, index, seed, name, end });
}

function keep(result, fault, { bytes, index, seed, name, end }) {
  result[COUNTERS[fault]]++;
  const folder = path.join(os.tmpdir(), `hilum-fuzz-${seed}`);
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${index}-${fault}.dcm`);
  fs.writeFileSync(file, bytes);
  result.kept.push({ file, index, seed, name, fault, signature: end.signature });
  say(
    `${fault}: ${end.signature} (${name}; seed ${seed}, file ${index}) kept as ${file}` +
      (end.error?.cause ? `\n${end.error.cause}` : ''),
  );
}

/** @param {Record<string, any>} found */
function tell({
  files,
  seeds: count,
  outcomes,
  crashes,
  hangs,
  unclear,
  newEnds,
  largestMemoryMb,
  seconds,
  seed,
  answers,
}) {
  const rows = Object.entries(outcomes)
    .sort((a, b) => b[1] - a[1])
    .map(([outcome, number]) => `  ${String(number).padStart(7)}  ${outcome}`);
  process.stdout.write(
    `${files} damaged files from ${count} whole ones, seed ${seed}, networks left out\n${rows.join('\n')}\n`,
  );
  const ends = Object.entries(answers).map(([end, number]) => `  ${String(number).padStart(7)}  ${end}`);
  process.stdout.write(`damaged answers of an archive\n${ends.join('\n')}\n`);
  process.stdout.write(
    `${newEnds} different ends; at most ${largestMemoryMb} MiB; ${seconds} s\n` +
      `${crashes} crashes, ${hangs} hangs, ${unclear} unclear\n`,
  );
}

await runMain(main);
