/** --catch-up: what the service asks of the archive at its start, where all studies have their results. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { startService } from '../../lib/service.mjs';
import { Explained, ROOT, say } from '../../lib/shell.mjs';
import { asNewStudy } from './films.mjs';
import { openSite } from './measure.mjs';
import { table, targetTable } from './table.mjs';
import { catchUpTargetsOf } from './targets.cjs';

const require = createRequire(import.meta.url);
const dist = (name) => require(path.join(ROOT, 'dist', name));

const FILM = { seed: 1, view: 'PA', rows: 300, columns: 250 };
const TIMEOUT_MS = 120_000;
const POLL_MS = 100;
/** Studies that are told of while all are made. */
const TELL_EACH = 250;

/** @returns {Promise<{result: object, lines: string[]}>} requests and seconds until the catch-up has looked at all */
export async function benchCatchUp({ studies, dir, onStarted }) {
  const { rabbit, orthanc } = await openSite(dir, onStarted);
  say(`making ${studies} studies with results`);
  await makeStudies(studies, orthanc.url);
  require(path.join(ROOT, 'scripts/lib/typescript.cjs'));
  const { FaultProxy } = require('../../../test/support/servers/fault-proxy.ts');
  const proxy = await FaultProxy.open(orthanc.url);
  onStarted({ stop: () => proxy.close() });
  const service = await startService({
    dir: path.join(dir, 'service'),
    archiveUrl: proxy.dicomWebUrl,
    amqpUrl: rabbit.amqpUrl,
    config: { log: { level: 'debug' } },
  });
  onStarted(service);
  const { looked, told, seconds } = await firstRound(service.log);
  if (looked !== studies || told !== 0)
    throw new Explained(`the catch-up looked at ${looked} of ${studies} studies and made ${told} events`);
  const result = { studies, requests: proxy.requests.length, seconds, paths: byPath(proxy.requests) };
  const targets = catchUpTargetsOf(result);
  return { result: { ...result, targets }, lines: [...catchUpTable(result), ...targetTable(targets)] };
}

/** One film is analysed; its result goes to each study, made for the film of that study. */
async function makeStudies(count, url) {
  const { syntheticDicom, syntheticUids } = dist('objects/synthetic-film.js');
  const { open, contentOf } = dist('pipeline/decode.js');
  const { analyseFilm } = dist('pipeline/pipeline.js');
  const { encode } = dist('pipeline/encode.js');
  const { pipelineSettings, openPipeline } = dist('app/pipeline.js');
  const line = await openPipeline(pipelineSettings());
  const drawing = { ...FILM, attributes: { StudyDate: today() } };
  const drawn = Buffer.from(syntheticDicom(drawing));
  const first = await analyseFilm(drawn, line);
  if (first.outcome !== 'analysed') throw new Explained(`the drawn film is not analysed: ${first.refusal.text}`);
  const { digest } = first.explained.inferred.preprocessed.decoded.image;
  let stored = Promise.resolve();
  for (let serial = 1; serial <= count; serial++) {
    const film = asNewStudy(Buffer.from(drawn), syntheticUids(drawing), serial);
    const source = await open(film, line.reader);
    const content = await contentOf(source, line.reader, digest);
    const objects = encode({ ...first, content, explained: ofFilm(first.explained, source) }, line.identity());
    // The archive writes one study while the next one is made.
    await stored;
    stored = storeEach([film, ...objects.map(({ bytes }) => bytes)], url);
    if (serial % TELL_EACH === 0) say(`${serial} studies`);
  }
  await stored;
  await line.reader.close();
}

/** Local, as the archive's Study Date is. */
function today() {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, '0')).join('');
}

/** What was found of one film as if it had been found of another. */
function ofFilm(explained, { sopInstanceUid, attributes }) {
  const { inferred } = explained;
  const decoded = { ...inferred.preprocessed.decoded, sopInstanceUid, attributes };
  return { ...explained, inferred: { ...inferred, preprocessed: { ...inferred.preprocessed, decoded } } };
}

async function storeEach(objects, url) {
  for (const body of objects) {
    const answer = await fetch(`${url}/instances`, { method: 'POST', body });
    if (!answer.ok) throw new Explained(`Orthanc answers ${answer.status} to an object: ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

/** The catch-up says so in the log. @throws Explained when it does not */
async function firstRound(log) {
  for (const end = Date.now() + TIMEOUT_MS; Date.now() < end;) {
    const lines = fs.readFileSync(log, 'utf8').split('\n');
    const round = lines.find((line) => line.includes('"catch-up.round"'));
    if (round !== undefined && lines.indexOf(round) < lines.length - 1) return JSON.parse(round);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Explained(`the catch-up did not look at all studies within ${TIMEOUT_MS / 1000} s`);
}

/** How often each resource was asked for, without its UIDs and its query. */
function byPath(requests) {
  const counts = {};
  for (const { method, path: asked } of requests) {
    const name = `${method} ${asked.split('?')[0].replace(/\/[\d.]+(?=\/|$)/g, '/{uid}')}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function catchUpTable({ studies, requests, seconds, paths }) {
  return [
    `catch-up over ${studies} studies that have results: ${requests} requests, ${seconds.toFixed(1)} s`,
    ...table(Object.entries(paths).map(([name, count]) => [`  ${name}`, String(count)])),
    '',
  ];
}
