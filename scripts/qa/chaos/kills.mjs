/** Carrying out the plan of kills, and starting again what ends by itself, as a supervisor would. */
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../lib/shell.mjs';

const LOOK_MS = 500;

/**
 * Keeps what is killed, and what ends by itself, coming back. One is killed only when it is up, so that a start is
 * never cut off.
 * @param {{worker: object[], broker: object[], archive: object[]}} parts handles of lib/servers.cjs, by kind; workers
 * with their `url`
 */
export function supervise(parts) {
  const kept = new Map(
    Object.entries(parts).flatMap(([kind, list]) =>
      list.map((server, i) => [`${kind} ${i}`, { kind, server, back: Promise.resolve(), isDown: false }]),
    ),
  );
  const counts = {
    kills: { worker: 0, broker: 0, archive: 0 },
    endedByThemselves: 0,
    downSeconds: { worker: 0, broker: 0, archive: 0 },
  };
  let failure;
  const over = new AbortController();

  const bringBack = (part, downMs) => {
    const since = Date.now();
    part.isDown = true;
    part.back = sleep(downMs, undefined, { signal: over.signal })
      .then(() => part.server.start())
      .then(() => {
        part.isDown = false;
        counts.downSeconds[part.kind] += (Date.now() - since) / 1000;
      })
      .catch((error) => {
        if (!over.signal.aborted) failure ??= error;
      });
  };
  const kill = async ({ kind, worker, downMs }) => {
    const part = kept.get(`${kind} ${worker ?? 0}`);
    await part?.back;
    if (part === undefined || over.signal.aborted || part.isDown) return;
    part.isDown = true;
    await part.server.kill();
    counts.kills[kind]++;
    bringBack(part, downMs);
  };
  const look = setInterval(() => {
    for (const [name, part] of kept) {
      if (part.isDown || part.server.isRunning()) continue;
      counts.endedByThemselves++;
      say(`${name} has ended by itself; its log is ${part.server.log}`);
      bringBack(part, 0);
    }
  }, LOOK_MS);

  return {
    counts,
    /**
     * Kills by the plan until `signal` says so; then waits until all is up again. @throws what kept one from coming
     * back
     */
    async run(plan, signal) {
      for (const next of plan) {
        while (!next.overlaps && !signal.aborted && !failure && !(await works(parts.worker))) await sleep(LOOK_MS);
        await sleep(next.afterMs, undefined, { signal }).catch(() => {});
        if (signal.aborted || failure) break;
        await kill(next);
      }
      await Promise.all([...kept.values()].map(({ back }) => back));
      if (failure) throw failure;
    },
    /** Before the parts themselves are stopped. */
    async stop() {
      clearInterval(look);
      over.abort();
      await Promise.all([...kept.values()].map(({ back }) => back));
    },
  };
}

/**
 * Whether one worker says that it has all it needs. Without waiting for that, a busy machine, where a broker takes half
 * a minute to start, would be killed for ever and never get to work.
 */
async function works(workers) {
  const answers = await Promise.all(
    workers.map(({ url }) =>
      fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    ),
  );
  return answers.includes(true);
}
