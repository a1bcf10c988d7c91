import { type Request, Router } from 'express';
import { messageOf } from '../../base/errors';
import { withTimeout } from '../../base/retry';
import type { Worklist } from '../../worklist/worklist';
import type { Access } from '../access/access';
import { deadLetterEvent } from '../access/audit-event';
import { needs } from '../access/user';
import type { Check } from '../health';
import type { Outages } from '../outages';
import { BadRequest } from './answers';
import type { DeadLetterEntry, DeadLetterList, DeadLettersDone, Overview } from './contract';
import type { InTurn } from './query-turns';

/** Called before a letter is replayed or dropped. Where it throws, the letter stays. */
export type BeforeLetter = (letter: Pick<DeadLetterEntry, 'id' | 'studyInstanceUid'>) => Promise<void>;

/** Port: dead letters for operators; `app/list` fits it to the broker. */
export interface DeadLetters {
  list(): Promise<readonly DeadLetterEntry[]>;
  /** Resolves to the letters that were replayed; `id` null for all. */
  replay(id: string | null, before: BeforeLetter): Promise<readonly DeadLetterEntry[]>;
  drop(id: string, before: BeforeLetter): Promise<readonly DeadLetterEntry[]>;
}

export interface OperatorParts {
  readonly worklist: Pick<Worklist, 'counts' | 'leftOut' | 'completedPerHour' | 'workers'>;
  readonly access: Pick<Access, 'audit'>;
  readonly inTurn: InTurn;
  readonly checks: readonly Check[];
  readonly queues: () => Promise<Readonly<Record<string, number>>>;
  readonly ages: () => Promise<Readonly<Record<string, number>>>;
  readonly deadLetters: DeadLetters;
  readonly outages: Pick<Outages, 'list'>;
  /** Number of workers that consume studies. */
  readonly workersConnected: () => Promise<number>;
  readonly deliveries: () => Promise<readonly Omit<NonNullable<Overview['deliveries']>[number], 'failingSince'>[]>;
  /** Since when each sink's deliveries of this process have failed (milliseconds since 1970). */
  readonly failingSince: ReadonlyMap<string, number>;
}

const HOURS = 24;
const HOUR_MS = 3_600_000;
/** Longest wait for a system (milliseconds), so that the page reports a system that hangs instead of hanging itself. */
const PATIENCE_MS = 3_000;

/** Queues, outages, throughput and dead letters: UIDs, counts and codes. */
export function operatorRoutes(parts: OperatorParts): Router {
  const { worklist, access, inTurn, checks, queues, ages, deadLetters, outages } = parts;
  const router = Router();
  router.get('/operators/overview', needs('operator'), async (request, response) => {
    const [depths, waits, connected, sinks, looked, [states, leftOut, done, workers]] = await Promise.all([
      patiently(queues()),
      patiently(ages()),
      patiently(parts.workersConnected()),
      patiently(parts.deliveries()),
      Promise.all(checks.map(seen)),
      inTurn(
        request,
        async () =>
          [
            (await worklist.counts()).states,
            await worklist.leftOut(),
            await worklist.completedPerHour(startOf(Date.now())),
            await worklist.workers(),
          ] as const,
      ),
    ]);
    response.json({
      queues: depths,
      ages: waits,
      checks: looked,
      outages: outages.list().map((outage) => ({ ...outage, from: iso(outage.from), to: isoOrNull(outage.to) })),
      workers: workers.map((worker) => ({ ...worker, heardAt: iso(worker.heardAt), since: isoOrNull(worker.since) })),
      workersConnected: connected,
      deliveries:
        sinks && sinks.map((of) => ({ ...of, failingSince: isoOrNull(parts.failingSince.get(of.sink) ?? null) })),
      states,
      leftOut,
      throughput: perHour(done, Date.now()),
    } satisfies Overview);
  });
  router.get('/operators/dead-letters', needs('operator'), async (_request, response) => {
    response.json({ letters: await deadLetters.list() } satisfies DeadLetterList);
  });
  router.post('/operators/dead-letters/replay-all', needs('operator'), async (request, response) => {
    const done = await deadLetters.replay(null, recorded(access, request, 'replay'));
    response.json({ done: done.length } satisfies DeadLettersDone);
  });
  for (const action of ['replay', 'drop'] as const) {
    router.post(`/operators/dead-letters/:letter/${action}`, needs('operator'), async (request, response) => {
      const id = String(request.params['letter']);
      const done = await deadLetters[action](id, recorded(access, request, action));
      if (done.length === 0) throw new BadRequest(404, 'there is no such dead letter any more');
      response.json({ done: done.length } satisfies DeadLettersDone);
    });
  }
  return router;
}

const iso = (at: number) => new Date(at).toISOString();
const isoOrNull = (at: number | null) => (at === null ? null : iso(at));

/** Records each letter in the audit trail before it is replayed or dropped. */
const recorded =
  (access: OperatorParts['access'], request: Request, action: 'replay' | 'drop'): BeforeLetter =>
  (letter) =>
    access.audit(request, deadLetterEvent(letter, action));

function patiently<T>(looking: Promise<T>): Promise<T | null> {
  return withTimeout(looking, PATIENCE_MS, () => new Error('late')).catch(() => null);
}

async function seen({ name, look }: Check): Promise<Overview['checks'][number]> {
  return {
    name,
    problem: await withTimeout(look(), PATIENCE_MS, () => new Error('it does not answer in time')).catch(messageOf),
  };
}

const startOf = (now: number) => (Math.floor(now / HOUR_MS) - HOURS + 1) * HOUR_MS;

function perHour(done: ReadonlyMap<number, number>, now: number): Overview['throughput'] {
  return Array.from({ length: HOURS }, (_, i) => startOf(now) + i * HOUR_MS).map((hour) => ({
    hour: new Date(hour).toISOString(),
    studies: done.get(hour) ?? 0,
  }));
}
