import type { Config } from '../config/config';
import type { Broker } from '../queue/broker';
import { deadLanes, type DeadLetter, type Fate, sortDeadLetters } from '../queue/dead-letters';
import { SINKS } from '../sinks/registry';
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

/**
 * Goes through the dead queues; `done` hears of each letter that is meant, one by one: whatever happens to the rest,
 * this one is done.
 * @throws HilumError BROKER_UNREACHABLE, DEAD_QUEUE_BUSY
 */
export async function sortMeant(
  broker: Broker,
  { fate, id, queue = null }: Sorting,
  done: (letter: DeadLetter) => void,
): Promise<void> {
  const isMeant = (letter: DeadLetter) => id === null || letter.id === id;
  for (const lane of await deadLanes(broker)) {
    if (queue !== null && lane.name !== queue) continue;
    await sortDeadLetters(
      broker,
      (letter) => (isMeant(letter) ? fate : 'keep'),
      (letter) => {
        if (isMeant(letter)) done(letter);
      },
      lane,
    );
  }
}

/** As {@link sortMeant}, over a connection of its own. */
export function sortDeadLettersOf(config: Config, sorting: Sorting, done: (letter: DeadLetter) => void): Promise<void> {
  return withBroker({ ...config.broker, knownSinks: knownSinks(config) }, (broker) => sortMeant(broker, sorting, done));
}
