/** --soak: the memory of one process that analyses many studies, one batch after the other. */
import { say } from '../../lib/shell.mjs';
import { runBlock } from './blocks.mjs';
import { startHilum } from './contenders.mjs';
import { growthOf } from './figures.cjs';
import { openSite } from './measure.mjs';
import { readMetrics } from './responses.mjs';
import { table, targetTable } from './table.mjs';
import { soakTargetsOf } from './targets.cjs';
import { residentMiB } from './usage.mjs';

const BATCH = 25;
/** Growth is told from here on: until then code is compiled and buffers find their size. */
const SETTLED_AFTER = 100;
const MIB = 2 ** 20;

/** @returns {Promise<{result: object, lines: string[]}>} samples, each after so many studies, and growth as a share */
export async function benchSoak({ studies, films, dir, onStarted }) {
  const site = await openSite(dir, onStarted);
  const service = await startHilum('soak', 1, { analysis: { concurrency: 'auto' } }, { ...site, dir, onStarted });
  await site.events.listen(service.name);
  const samples = [];
  for (let done = 0; done < studies;) {
    const batch = films.studies('mix', Math.min(BATCH, studies - done));
    const { wallSeconds, memoryMiB } = await runBlock(service, batch, site);
    done += batch.length;
    const memory = await memoryOf(service.processes[0]);
    samples.push({ studies: done, wallSeconds, mostMiB: memoryMiB, ...memory });
    say(`${done} studies: ${memory.residentMiB.toFixed(0)} MiB`);
    await removeStudies(batch, site.orthanc.url);
  }
  const growth = growthOf(samples, SETTLED_AFTER, 'residentMiB');
  const result = { samples, growth, heapGrowth: growthOf(samples, SETTLED_AFTER, 'heapMiB') };
  const targets = soakTargetsOf(result);
  return { result: { ...result, targets }, lines: [...soakTable(result), ...targetTable(targets)] };
}

/**
 * What is resident, and what JavaScript says that it uses.
 * @param {any} process
 */
async function memoryOf({ pid, url }) {
  const { nodejs_heap_size_used_bytes: heap = NaN, nodejs_external_memory_bytes: external = NaN } =
    await readMetrics(url);
  return {
    residentMiB: residentMiB(pid),
    heapMiB: heap / MIB,
    externalMiB: external / MIB,
  };
}

/** A thousand films of a hospital's size would fill the disk. */
async function removeStudies(batch, url) {
  for (const { studyInstanceUid } of batch) {
    const found = await (await fetch(`${url}/tools/lookup`, { method: 'POST', body: studyInstanceUid })).json();
    for (const { Path } of found) await (await fetch(`${url}${Path}`, { method: 'DELETE' })).arrayBuffer();
  }
}

function soakTable({ samples, growth }) {
  const rows = samples.map((sample) => [
    String(sample.studies),
    ...[sample.residentMiB, sample.mostMiB, sample.heapMiB, sample.externalMiB].map((value) => value.toFixed(0)),
    (sample.studies === samples[0].studies ? sample.studies / sample.wallSeconds : rateOf(samples, sample)).toFixed(2),
  ]);
  const told = growth === undefined ? 'too few studies to tell' : `${(100 * growth).toFixed(1)} %`;
  return [
    'memory after so many studies of the mix (MiB)',
    ...table([['studies', 'resident', 'most', 'heap', 'external', 'films/s'], ...rows]),
    '',
    `growth after the first ${SETTLED_AFTER}: ${told}`,
    '',
  ];
}

function rateOf(samples, sample) {
  const before = samples[samples.indexOf(sample) - 1];
  return (sample.studies - before.studies) / sample.wallSeconds;
}
