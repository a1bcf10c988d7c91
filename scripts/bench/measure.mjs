/** The run: all contenders are started, and take turns at each kind of film, round by round. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { startOrthanc, startRabbit } from '../lib/servers.cjs';
import { ROOT, say } from '../lib/shell.mjs';
import { openEvents, runBlock, runSingly } from './blocks.mjs';
import { startHilum, startNativeParts, startPeer } from './contenders.mjs';
import { blockFigures, latencyFigures, limitFigures, means, networkFigures } from './figures.cjs';
import { measureNetworks } from './native.mjs';

/** Films of a block by kind; the others have BLOCK_FILMS. */
const LARGE_BLOCKS = { mix: 16, raw: 16 };
const BLOCK_FILMS = 8;
/** One worker is asked for what can be compared with two; the rest would only take time. */
const ONE_WORKER = { kinds: ['mix', 'raw'], films: 8 };
const IN_PROCESS_FILMS = 3;
/** Contender whose latency is told: under which name. */
const LATENCY = { 'hilum-2': 'service', peer: 'peer' };
const LATENCY_STUDIES = 20;
/** Of the whole run, from the start of this program, set-up included (ms). */
const LONGEST_MS = 570_000;

/**
 * @param {{films: Films, kinds: string[], rounds: number, dir: string, native: boolean, peer?: {file: string, python:
 * string}, onStarted: (part: {stop(): Promise<void>}) => void}} options
 */
export async function measure({ films, kinds, rounds, dir, native, peer, onStarted }) {
  const inProcess = await measureInProcess(films, kinds);
  const site = await openSite(dir, onStarted);
  const contenders = await startContenders({ ...site, dir, native, peer, onStarted });
  for (const { contender } of contenders) await warmUp(contender, films, kinds, site);
  const latency = kinds.includes('raw') ? await measureLatency(contenders, films, site) : undefined;
  const [blocks, networks] = [[], []];
  let done = 0;
  for (let last = 0; done < rounds && performance.now() + 1.1 * last < LONGEST_MS; done++) {
    const started = performance.now();
    say(`round ${done + 1} of at most ${rounds}`);
    networks.push(...(await measureNetworks()));
    for (const kind of kinds)
      for (const { contender, kinds: own, films: count } of turned(contenders, done)) {
        if (own !== undefined && !own.includes(kind)) continue;
        const studies = films.studies(kind, count ?? LARGE_BLOCKS[kind] ?? BLOCK_FILMS);
        const block = await runBlock(contender, studies, site);
        blocks.push({ name: contender.name, kind, ...block });
      }
    last = performance.now() - started;
  }
  return { rounds: done, inProcess, latency, ...figuresOf(blocks, kinds, networkFigures(networks)) };
}

/** Of raw films one at a time: what a study waits when nothing else is there to be done. */
async function measureLatency(contenders, films, site) {
  say('latency');
  const rows = {};
  for (const { contender } of contenders)
    if (LATENCY[contender.name] !== undefined) {
      const times = await runSingly(contender, films.studies('raw', LATENCY_STUDIES), site);
      rows[LATENCY[contender.name]] = latencyFigures(times);
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
    limit: byKind('limit', (of) => limitFigures(of, networks)),
    serviceOneWorker: byKind('hilum-1', blockFigures),
    service: byKind('hilum-2', blockFigures),
    peer: byKind('peer', blockFigures),
  };
}

/** The mix is the sum of its kinds here, and is left out. */
async function measureInProcess(films, kinds) {
  const rows = {};
  for (const kind of kinds.filter((one) => one !== 'mix')) {
    const files = films.files(kind, 1 + IN_PROCESS_FILMS);
    say(`in process: ${kind}`);
    const script = path.join(ROOT, 'scripts/bench/in-process.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...files], { cwd: ROOT });
    rows[kind] = means(JSON.parse(stdout));
  }
  return rows;
}

async function openSite(dir, onStarted) {
  say('starting RabbitMQ and Orthanc');
  const rabbit = await startRabbit({ dir: path.join(dir, 'rabbitmq') });
  onStarted(rabbit);
  const orthanc = await startOrthanc({ dir: path.join(dir, 'orthanc') });
  onStarted(orthanc);
  const events = await openEvents(rabbit.amqpUrl);
  onStarted(events);
  return { rabbit, orthanc, events };
}

async function startContenders({ native, peer, ...site }) {
  say('starting the services');
  const contenders = [
    ...(native ? [{ contender: await startNativeParts('limit', site) }] : []),
    { contender: await startHilum('hilum-1', 1, site), ...ONE_WORKER },
    { contender: await startHilum('hilum-2', 2, site) },
    ...(peer ? [{ contender: await startPeer('peer', 2, { ...peer, ...site }) }] : []),
  ];
  for (const { contender } of contenders) await site.events.listen(contender.name);
  return contenders;
}

/** Threads start and code is compiled with the first films, and a decoder is chosen: that is not measured. */
async function warmUp(contender, films, kinds, site) {
  const single = kinds.filter((kind) => kind !== 'mix' || kinds.length === 1);
  const studies = single.flatMap((kind) => films.studies(kind, contender.processes.length));
  await runBlock(contender, studies, site);
}

/** Nobody is always first. */
const turned = (list, turns) => list.map((_, i) => list[(i + turns) % list.length]);
