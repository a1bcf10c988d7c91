import type { Config } from '../config/config';
import type { Broker } from '../queue/broker';
import { deadLanes, type DeadLetter, type Fate, sortDeadLetters } from '../queue/dead-letters';
import { SINKS } from '../sinks/registry';
import { sortedLetter } from '../web/access/audit-event';
import { withTrail } from './audit';
import { withBroker } from './broker';
import { knownSinks } from './deliveries';

export type { DeadLetter, Fate };

/** Names of the dead queues that there may be; a sink of which there are several has more of them, `hl7.NAME`. */
export const DEAD_QUEUES: readonly string[] = ['study', ...SINKS.names];

/** Whether a dead queue may be called so, in some configuration. */
export const isDeadQueue = (name: string): boolean => name === 'study' || SINKS.isName(name);

/** Which letters are meant, and what becomes of them; all others stay. */
export interface Sorting {
  readonly fate: Fate;
  /** Null for all. */
  readonly id: string | null;
  /** Null for all. */
  readonly queue?: string | null;
}

/** Who hears of each letter that is meant, one by one. */
export interface SortingListener {
  /** Before it is replayed or dropped. Where this throws, it stays where it is. */
  readonly before: (letter: DeadLetter, fate: Exclude<Fate, 'keep'>) => Promise<void>;
  /** Whatever happens to the rest, this one is done. */
  readonly done: (letter: DeadLetter) => void;
}

/**
 * Goes through the dead queues.
 * @throws HilumError BROKER_UNREACHABLE, DEAD_QUEUE_BUSY, and what the listener throws
 */
export async function sortMeant(
  broker: Broker,
  { fate, id, queue = null }: Sorting,
  { before, done }: SortingListener,
): Promise<void> {
  const isMeant = (letter: DeadLetter) => id === null || letter.id === id;
  for (const lane of await deadLanes(broker)) {
    if (queue !== null && lane.name !== queue) continue;
    await sortDeadLetters(
      broker,
      async (letter) => {
        if (!isMeant(letter) || fate === 'keep') return 'keep';
        await before(letter, fate);
        return fate;
      },
      (letter) => {
        if (isMeant(letter)) done(letter);
      },
      lane,
    );
  }
}

/** As {@link sortMeant}, over a connection of its own; what is done is in the audit trail before. */
export function sortDeadLettersOf(config: Config, sorting: Sorting, done: (letter: DeadLetter) => void): Promise<void> {
  const sort = (before: SortingListener['before']) =>
    withBroker({ ...config.broker, knownSinks: knownSinks(config) }, (broker) =>
      sortMeant(broker, sorting, { before, done }),
    );
  return sorting.fate === 'keep'
    ? sort(() => Promise.resolve())
    : withTrail(config, (trail) => sort((letter, fate) => trail.record(sortedLetter(letter, fate))));
}
