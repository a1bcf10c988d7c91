import type { Config } from '../config/config';
import type { Broker } from '../queue/broker';
import { deadLetterQueues, type DeadLetter, type DeadLetterAction, processDeadLetters } from '../queue/dead-letters';
import { SINKS } from '../sinks/registry';
import { deadLetterEvent } from '../web/access/audit-event';
import { withTrail } from './audit';
import { withBroker } from './broker';
import { knownSinks } from './deliveries';

export type { DeadLetter, DeadLetterAction };

/** Names of all possible dead-letter queues. A sink with several instances has one for each, `hl7.NAME`. */
export const DEAD_QUEUES: readonly string[] = ['study', ...SINKS.names];

/** Whether some configuration can have a dead-letter queue of this name. */
export const isDeadQueue = (name: string): boolean => name === 'study' || SINKS.isName(name);

/** Which dead letters to keep, replay or drop; all others stay. */
export interface DeadLetterSelection {
  readonly action: DeadLetterAction;
  /** Message id; null for all. */
  readonly id: string | null;
  /** Name of the dead-letter queue; null for all. */
  readonly queue?: string | null;
}

/** Called for each dead letter that is selected. */
export interface DeadLetterListener {
  /** Called before it is replayed or dropped. Where this throws, the letter stays. */
  readonly before: (letter: DeadLetter, action: Exclude<DeadLetterAction, 'keep'>) => Promise<void>;
  /** Called when the letter is done, so that a later failure does not hide it. */
  readonly done: (letter: DeadLetter) => void;
}

/**
 * Goes through the dead-letter queues and applies the sorting.
 * @throws HilumError BROKER_UNREACHABLE, DEAD_QUEUE_BUSY, and whatever the listener throws
 */
export async function processSelected(
  broker: Broker,
  { action, id, queue = null }: DeadLetterSelection,
  { before, done }: DeadLetterListener,
): Promise<void> {
  const isMeant = (letter: DeadLetter) => id === null || letter.id === id;
  for (const lane of await deadLetterQueues(broker)) {
    if (queue !== null && lane.name !== queue) continue;
    await processDeadLetters(
      broker,
      async (letter) => {
        if (!isMeant(letter) || action === 'keep') return 'keep';
        await before(letter, action);
        return action;
      },
      (letter) => {
        if (isMeant(letter)) done(letter);
      },
      lane,
    );
  }
}

/** As {@link processSelected}, over a connection of its own. Each action is in the audit trail before it is done. */
export function processDeadLettersOf(
  config: Config,
  sorting: DeadLetterSelection,
  done: (letter: DeadLetter) => void,
): Promise<void> {
  const sort = (before: DeadLetterListener['before']) =>
    withBroker({ ...config.broker, knownSinks: knownSinks(config) }, (broker) =>
      processSelected(broker, sorting, { before, done }),
    );
  return sorting.action === 'keep'
    ? sort(() => Promise.resolve())
    : withTrail(config, (trail) => sort((letter, action) => trail.record(deadLetterEvent(letter, action))));
}
