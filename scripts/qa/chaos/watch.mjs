/** Memory of the workers while they run, and what their logs tell afterwards. */
import fs from 'node:fs';

const SAMPLE_MS = 1_000;

/** Resident memory of each worker, once a second, over all its lives. */
export function watchMemory(workers) {
  const samples = workers.map(() => []);
  const timer = setInterval(
    () =>
      workers.forEach((worker, i) => {
        const bytes = worker.isRunning() ? residentBytes(worker.pid) : undefined;
        if (bytes !== undefined) samples[i].push(bytes);
      }),
    SAMPLE_MS,
  );
  return {
    stop: async () => clearInterval(timer),
    /** MiB; `meanByQuarter` is over the four quarters of the run, so that a growth shows. */
    summary: () =>
      samples
        .filter((list) => list.length > 0)
        .map((list) => ({
          first: mebibytes(list[0]),
          highest: mebibytes(Math.max(...list)),
          last: mebibytes(list.at(-1)),
          meanByQuarter: [0, 1, 2, 3].map((quarter) => mebibytes(mean(part(list, quarter, 4)))),
        })),
  };
}

/** Linux; undefined where the process has just ended, and has no memory any more. */
function residentBytes(pid) {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes && 1024 * Number(kibibytes);
  } catch {
    return undefined;
  }
}

const mebibytes = (bytes) => Math.round(bytes / 2 ** 20);
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const part = (list, which, of) =>
  list.slice(
    Math.floor((which * list.length) / of),
    Math.max(Math.floor((which * list.length) / of) + 1, Math.floor(((which + 1) * list.length) / of)),
  );

/** Counts over the logs of all workers. A line that a kill cut off is left out. */
export function readLogs(files) {
  const lines = files.flatMap((file) => fs.readFileSync(file, 'utf8').split('\n').flatMap(parse));
  const of = (event) => lines.filter((line) => line.event === event);
  const done = of('study.done');
  const starts = done.map(({ time, seconds }) => Date.parse(time) - 1000 * seconds);
  const ends = done.map(({ time }) => Date.parse(time));
  return {
    done: done.length,
    nothingNew: of('study.nothing-new').length,
    retries: tally(of('study.retry').map(({ reason }) => reason)),
    requeued: of('study.put-back').length,
    mostLost: Math.max(0, ...of('study.put-back').map(({ lost }) => lost + 1)),
    caughtUp: of('catch-up.round').reduce((sum, { told }) => sum + told, 0),
    catchUpFailed: of('catch-up.failed').length,
    /** Also films that were announced again. */
    filmsAnnounced: of('film.analysed').length + of('film.not-analysed').length + of('film.rejected').length,
    filmsRejected: of('film.rejected').length,
    defects: lines.filter(({ event }) => event === 'broker.handler-failed').length,
    /** From the start of the first study that was finished to the end of the last. */
    workSeconds: done.length === 0 ? 0 : (Math.max(...ends) - Math.min(...starts)) / 1000,
  };
}

function parse(text) {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

const tally = (list) => list.reduce((counts, key) => ({ ...counts, [key]: (counts[key] ?? 0) + 1 }), {});
