/** The run: all contenders are started, and take turns at each kind of film, round by round. */
import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startOrthanc, startRabbit } from '../../lib/servers.cjs';
import { ROOT, say } from '../../lib/shell.mjs';
import { openEvents, runBlock, runSingly } from './blocks.mjs';
import { startHilum, startNativeParts, startPeer } from './contenders.mjs';
import { blockFigures, latencyFigures, limitFigures, means, networkFigures } from './figures.cjs';
import { measureNetworks } from './native.mjs';
import { measureStartUp } from './start-up.mjs';

/** Films of a block by kind; the others have BLOCK_FILMS. */
const LARGE_BLOCKS = { mix: 16, raw: 16 };
const BLOCK_FILMS = 8;
/** Of what is only held against the service; other kinds would only take time. */
const COMPARED_KINDS = ['mix', 'raw'];
const IN_PROCESS_FILMS = 4;
/** Contender: what its figures are called. */
const FIGURES = {
  limit: 'limit',
  'hilum-one': 'serviceConcurrencyOne',
  'hilum-auto': 'service',
  'hilum-two': 'serviceTwoProcesses',
  peer: 'peer',
};
/** Whose latency is told. */
const LATENCY = ['hilum-auto', 'peer'];
const LATENCY_STUDIES = 20;
/** Films for each core before anything is measured: a service runs for weeks, its first films are not what it costs. */
const WARM_UP_FILMS = 12;
/** Of the whole run, from the start of this program, set-up included (ms). */
const LONGEST_MS = 570_000;

/**
 * @param {{films: import('./films.mjs').Films, kinds: string[], rounds: number, dir: string, native: boolean, peer?:
 * {file: string, python: string}, onStarted: (part: {stop(): Promise<void>}) => void}} options
 */
export async function measure({ films, kinds, rounds, dir, native, peer, onStarted }) {
  const inProcess = await measureInProcess(films, kinds);
  const site = await openSite(dir, onStarted);
  const startUp = await measureStartUp(films.files(kinds[0], 1)[0], { ...site, dir, onStarted });
  const contenders = await startContenders({ ...site, dir, kinds, native, peer, onStarted });
  for (const { contender, kinds: own } of contenders) await warmUp(contender, films, own, site);
  const latency = kinds.includes('raw') ? await measureLatency(contenders, films, site) : undefined;
  /** @type {(import('./figures.cjs').Block & {name: string, kind: string})[]} */
  const blocks = [];
  /** @type {import('./figures.cjs').NetworkTime[]} */
  const networks = [];
  let done = 0;
  for (let last = 0; done < rounds && performance.now() + 1.1 * last < LONGEST_MS; done++) {
    const started = performance.now();
    say(`round ${done + 1} of at most ${rounds}`);
    networks.push(...(await measureNetworks()));
    for (const kind of kinds)
      for (const { contender, kinds: own, films: count } of turned(contenders, done)) {
        if (!own.includes(kind)) continue;
        const studies = films.studies(kind, blockOf(kind, count, films));
        const block = await runBlock(contender, studies, site);
        blocks.push({ name: contender.name, kind, ...block });
      }
    last = performance.now() - started;
  }
  return { rounds: done, startUp, inProcess, latency, ...figuresOf(blocks, kinds, networkFigures(networks)) };
}

/**
 * Films of a block. Real ones differ in size, so that each contender gets all of them.
 * @param {number | undefined} count of the contender's own
 */
function blockOf(kind, count, films) {
  return kind === 'real' ? films.number(kind) : (count ?? LARGE_BLOCKS[kind] ?? BLOCK_FILMS);
}

/** Of raw films one at a time: what a study waits when nothing else is there to be done. */
async function measureLatency(contenders, films, site) {
  say('latency');
  const rows = {};
  for (const { contender } of contenders)
    if (LATENCY.includes(contender.name)) {
      const times = await runSingly(contender, films.studies('raw', LATENCY_STUDIES), site);
      rows[FIGURES[contender.name]] = latencyFigures(times);
    }
  return rows;
}

function figuresOf(blocks, kinds, networks) {
  const byKind = (name, figures) => {
    const own = kinds.flatMap((kind) => {
      const of = blocks.filter((block) => block.name === name && block.kind === kind);
      return of.length > 0 ? [[kind, figures(of)]] : [];
    });
    return own.length > 0 ? Object.fromEntries(own) : undefined;
  };
  return {
    networks,
    ...Object.fromEntries(
      Object.entries(FIGURES).map(([name, called]) => [
        called,
        byKind(name, name === 'limit' ? (of) => limitFigures(of, networks) : blockFigures),
      ]),
    ),
  };
}

/** The mix is the sum of its kinds here, and is left out. */
async function measureInProcess(films, kinds) {
  const rows = {};
  for (const kind of kinds.filter((one) => one !== 'mix')) {
    const files = films.files(kind, IN_PROCESS_FILMS);
    say(`in process: ${kind}`);
    const script = path.join(ROOT, 'scripts/qa/bench/in-process.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...files], { cwd: ROOT });
    rows[kind] = means(JSON.parse(stdout));
  }
  return rows;
}

export async function openSite(dir, onStarted) {
  say('starting RabbitMQ and Orthanc');
  const rabbit = await startRabbit({ dir: path.join(dir, 'rabbitmq') });
  onStarted(rabbit);
  const orthanc = await startOrthanc({ dir: path.join(dir, 'orthanc') });
  onStarted(orthanc);
  const events = await openEvents(rabbit.amqpUrl);
  onStarted(events);
  return { rabbit, orthanc, events };
}

/**
 * The native parts know the transfer syntaxes of drawn films alone.
 * @param {Record<string, any>} options site, kinds, native, peer
 */
async function startContenders({ kinds, native, peer, ...site }) {
  const drawn = kinds.filter((kind) => kind !== 'real');
  say('starting the services');
  const one = { analysis: { concurrency: 1 } };
  const auto = { analysis: { concurrency: 'auto' } };
  const all = [
    ...(native ? [{ start: () => startNativeParts('limit', site), kinds: drawn }] : []),
    { start: () => startHilum('hilum-one', 1, one, site), kinds: COMPARED_KINDS, films: BLOCK_FILMS },
    { start: () => startHilum('hilum-auto', 1, auto, site), kinds },
    { start: () => startHilum('hilum-two', 2, auto, site), kinds: COMPARED_KINDS },
    ...(peer ? [{ start: () => startPeer('peer', os.availableParallelism(), { ...peer, ...site }), kinds }] : []),
  ];
  const contenders = [];
  for (const { start, kinds: able, films } of all) {
    const own = kinds.filter((kind) => able.includes(kind));
    if (own.length > 0) contenders.push({ contender: await start(), kinds: own, films });
  }
  for (const { contender } of contenders) await site.events.listen(contender.name);
  return contenders;
}

/**
 * Threads start and code is compiled with the first films, and a decoder is chosen: that is not measured. Films for
 * every thread of every process, of every kind.
 */
export async function warmUp(contender, films, kinds, site) {
  const single = kinds.filter((kind) => kind !== 'mix' || kinds.length === 1);
  const workers = contender.processes.length * os.availableParallelism();
  const each = Math.max(contender.processes.length, Math.ceil((WARM_UP_FILMS * workers) / single.length));
  await runBlock(
    contender,
    single.flatMap((kind) => films.studies(kind, each)),
    site,
  );
}

/** Nobody is always first. */
const turned = (list, turns) => list.map((_, i) => list[(i + turns) % list.length]);
