/** A block: so many studies, all at once, for one contender; what it, the archive and the broker use for them. */
import { createRequire } from 'node:module';
import os from 'node:os';
import { tail } from '../../lib/processes.cjs';
import { Explained } from '../../lib/shell.mjs';
import { watchResponses } from './responses.mjs';
import { cpuSeconds, residentMiB } from './usage.mjs';

const require = createRequire(import.meta.url);
/** For the archive to write what was stored (ms). */
const SETTLE_MS = 1000;
const BLOCK_TIMEOUT_MS = 180_000;
const WATCH_INTERVAL_MS = 250;

/** Sends study events and waits for results, over one connection. */
export async function openEvents(amqpUrl) {
  const connection = await require('amqplib').connect(amqpUrl);
  const channel = await connection.createConfirmChannel();
  const listeners = new Map();
  return {
    /** Hands each result event of a contender to the one block that runs. */
    async listen(prefix) {
      await channel.assertExchange(`${prefix}.result`, 'topic', { durable: true });
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(queue, `${prefix}.result`, '#');
      await channel.consume(queue, ({ content }) => listeners.get(prefix)?.(JSON.parse(content.toString())), {
        noAck: true,
      });
    },
    onResult: (prefix, listener) => listeners.set(prefix, listener),
    async announce(prefix, studies) {
      for (const study of studies) channel.publish(`${prefix}.study`, 'study.stable', event(study));
      await channel.waitForConfirms();
    },
    stop: () => connection.close(),
  };
}

function event(studyInstanceUid) {
  const occurredAt = new Date().toISOString();
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 1,
      type: 'study-stable',
      studyInstanceUid,
      source: { system: 'bench' },
      occurredAt,
    }),
  );
}

/**
 * @returns {Promise<import('./figures.cjs').Block>} CPU seconds of the contender, the archive and the broker for all
 * films, wall time in seconds, the most memory of one of its processes (MiB), how soon it answered, and the result
 * events
 * @throws Explained when not every film has its result
 */
export async function runBlock(contender, films, { events, orthanc, rabbit }) {
  await storeAll(films, orthanc.url);
  await pause(SETTLE_MS);
  const pids = contender.processes.map(({ pid }) => pid);
  const groups = { contender: pids, archive: [orthanc.pid], broker: [rabbit.pid] };
  const used = () => Object.entries(groups).map(([name, group]) => ({ name, seconds: cpuSeconds(group) }));
  const memory = watchMemory(pids);
  const responses = await watchResponses(contender.processes.flatMap(({ url }) => url ?? []));
  const [before, started] = [used(), performance.now()];
  try {
    const results = await allResults(
      contender,
      films.map(({ studyInstanceUid }) => studyInstanceUid),
      events,
    );
    const wallSeconds = (performance.now() - started) / 1000;
    const cpu = Object.fromEntries(used().map(({ name, seconds }, i) => [name, seconds - (before[i]?.seconds ?? 0)]));
    checkAnalysed(contender, results);
    const answered = await responses.read();
    return { films: films.length, wallSeconds, cpu, memoryMiB: memory.most(), responses: answered, results };
  } finally {
    memory.stop();
    responses.stop();
  }
}

/** Low load: one study after the other. @returns {Promise<number[]>} from event to result, each (seconds) */
export async function runSingly(contender, films, { events, orthanc }) {
  await storeAll(films, orthanc.url);
  await pause(SETTLE_MS);
  const times = [];
  for (const { studyInstanceUid } of films) {
    const started = performance.now();
    checkAnalysed(contender, await allResults(contender, [studyInstanceUid], events));
    times.push((performance.now() - started) / 1000);
  }
  return times;
}

async function allResults({ name, processes }, studies, events) {
  const waiting = new Set(studies);
  /** @type {any[]} */
  const results = [];
  const until = performance.now() + BLOCK_TIMEOUT_MS;
  let timer;
  /** @type {Promise<void>} */
  const finished = new Promise((resolve, reject) => {
    timer = setInterval(() => {
      const ended = processes.find((one) => !one.isRunning());
      if (ended === undefined && performance.now() < until) return;
      const why = ended === undefined ? `no result of ${waiting.size} studies` : 'a process has ended';
      reject(new Explained(`${name}: ${why}\n${tail((ended ?? processes[0]).log)}`));
    }, WATCH_INTERVAL_MS);
    events.onResult(name, (result) => {
      if (!waiting.delete(result.studyInstanceUid)) return;
      results.push(result);
      if (waiting.size === 0) resolve();
    });
  });
  try {
    await events.announce(name, studies);
    await finished;
    return results;
  } finally {
    clearInterval(timer);
  }
}

/** A film that is refused by its header costs nothing, and a figure with it in means nothing. */
function checkAnalysed({ name }, results) {
  const refused = results
    .flatMap(({ films }) => (Array.isArray(films) ? films : []))
    .filter(({ outcome }) => outcome !== 'analysed');
  if (refused.length > 0)
    throw new Explained(`${name}: ${refused.length} films are not analysed to the end (${refused[0].reason})`);
}

async function storeAll(films, url) {
  const waiting = [...films];
  const store = async () => {
    for (let film = waiting.pop(); film !== undefined; film = waiting.pop()) {
      const answer = await fetch(`${url}/instances`, { method: 'POST', body: film.bytes });
      if (!answer.ok) throw new Explained(`Orthanc answers ${answer.status} to a film: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, store));
}

function watchMemory(groups) {
  let most = 0;
  const look = () => (most = Math.max(most, ...groups.map(residentMiB)));
  const timer = setInterval(look, WATCH_INTERVAL_MS);
  return { most: () => (look(), most), stop: () => clearInterval(timer) };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
