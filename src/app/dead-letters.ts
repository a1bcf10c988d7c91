import type { Config } from '../config/config';
import type { Broker } from '../queue/broker';
import { deadLanes, type DeadLetter, type Fate, sortDeadLetters } from '../queue/dead-letters';
import { SINKS } from '../sinks/registry';
import { sortedLetter } from '../web/access/audit-event';
import { withTrail } from './audit';
import { withBroker } from './broker';
import { knownSinks } from './deliveries';

export type { DeadLetter, Fate };

/** Names of all possible dead-letter queues. A sink with several instances has one for each, `hl7.NAME`. */
export const DEAD_QUEUES: readonly string[] = ['study', ...SINKS.names];

/** Whether some configuration can have a dead-letter queue of this name. */
export const isDeadQueue = (name: string): boolean => name === 'study' || SINKS.isName(name);

/** Which dead letters to keep, replay or drop; all others stay. */
export interface Sorting {
  readonly fate: Fate;
  /** Message id; null for all. */
  readonly id: string | null;
  /** Name of the dead-letter queue; null for all. */
  readonly queue?: string | null;
}

/** Called for each dead letter that is selected. */
export interface SortingListener {
  /** Called before it is replayed or dropped. Where this throws, the letter stays. */
  readonly before: (letter: DeadLetter, fate: Exclude<Fate, 'keep'>) => Promise<void>;
  /** Called when the letter is done, so that a later failure does not hide it. */
  readonly done: (letter: DeadLetter) => void;
}

/**
 * Goes through the dead-letter queues and applies the sorting.
 * @throws HilumError BROKER_UNREACHABLE, DEAD_QUEUE_BUSY, and whatever the listener throws
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

/** As {@link sortMeant}, over a connection of its own. Each action is in the audit trail before it is done. */
export function sortDeadLettersOf(config: Config, sorting: Sorting, done: (letter: DeadLetter) => void): Promise<void> {
  const sort = (before: SortingListener['before']) =>
    withBroker({ ...config.broker, knownSinks: knownSinks(config) }, (broker) =>
      sortMeant(broker, sorting, { before, done }),
    );
  return sorting.fate === 'keep'
    ? sort(() => Promise.resolve())
    : withTrail(config, (trail) => sort((letter, fate) => trail.record(sortedLetter(letter, fate))));
}
