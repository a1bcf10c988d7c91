import type { Channel, GetMessage } from 'amqplib';
import { createHash } from 'node:crypto';
import { HilumError } from '../base/errors';
import { tryParseUid, type Uid } from '../dicom/uid';
import type { Broker } from './broker';
import {
  type Attempt,
  countOf,
  freshHeaders,
  HISTORY_HEADER,
  LOST_HEADER,
  readHistory,
  REASON_HEADER,
} from './message';
import type { Lane } from './topology';

/**
 * A dead letter: a study message, or a result for a sink, that was given up. Values that do not look like ours are left
 * out: anybody may publish, and this is printed.
 */
export interface DeadLetter {
  /**
   * Twelve hexadecimal digits of a digest of queue, message and history: the same in every listing, another one after
   * the next failure.
   */
  readonly id: string;
  /** `study`, or the name of the sink. */
  readonly queue: string;
  /** Null where the message has none. */
  readonly studyInstanceUid: Uid | null;
  readonly reason: string;
  /** ISO 8601, UTC; null where the message has none. */
  readonly diedAt: string | null;
  /** Failed attempts in its history, the oldest first, also those before a replay. */
  readonly attempts: readonly Attempt[];
  /** Number of times that it came back from a worker or broker that died. */
  readonly lost: number;
  readonly bytes: number;
}

/** A dead-letter queue, and the queue that a replay goes to. */
export interface DeadLetterQueue {
  /** `study`, or the name of a sink. */
  readonly name: string;
  readonly lane: Pick<Lane, 'dead' | 'entrance'>;
}

export type DeadLetterAction = 'keep' | 'replay' | 'drop';

/**
 * The dead-letter queue of studies, then those of all sinks that are or were switched on.
 * @throws HilumError BROKER_UNREACHABLE
 */
export async function deadLetterQueues(broker: Broker): Promise<DeadLetterQueue[]> {
  const off = await broker.unreadSinks();
  const sinks = [...broker.topology.sinks, ...off.map(({ queues }) => queues)].map((queues): DeadLetterQueue => ({
    name: queues.sink,
    lane: queues,
  }));
  return [studyLane(broker), ...sinks];
}

function studyLane(broker: Broker): DeadLetterQueue {
  return { name: 'study', lane: broker.topology };
}

/**
 * Passes each dead letter of one queue (default: studies), the oldest first, to `decide`, and applies the decision;
 * then calls `done`. Where `decide` throws, the letter and all after it stay.
 *
 * The letters are taken one by one without an acknowledgement and held on one channel; closing it, or a crash, puts
 * those that are kept back into their old places. A replayed letter is acknowledged after its copy is confirmed: a
 * crash in between leaves two copies, never none.
 * @throws HilumError BROKER_UNREACHABLE; DEAD_QUEUE_BUSY while another process does the same and this one would see
 * only a part
 */
export async function processDeadLetters(
  broker: Broker,
  decide: (letter: DeadLetter) => DeadLetterAction | Promise<DeadLetterAction>,
  done: (letter: DeadLetter, action: DeadLetterAction) => void = () => {},
  { name, lane: { dead, entrance } } = studyLane(broker),
): Promise<void> {
  await broker
    .onChannel(async (channel) => {
      await lock(channel, `${dead.name}.lock`);
      // Counted once: letters that arrive meanwhile are left for the next time.
      const { messageCount } = await channel.checkQueue(dead.name);
      for (let taken = 0; taken < messageCount; taken++) {
        const message = await channel.get(dead.name);
        if (message === false) break;
        const letter = describeLetter(message, name);
        const action = await decide(letter);
        if (action === 'replay')
          await broker.publish('', entrance.name, message.content, {
            headers: freshHeaders(message.properties.headers ?? {}),
            messageId: message.properties.messageId as string | undefined,
            mandatory: true,
          });
        if (action !== 'keep') channel.ack(message);
        done(letter, action);
      }
      await channel.deleteQueue(`${dead.name}.lock`);
    })
    .catch((error: unknown) => {
      throw error instanceof HilumError
        ? error
        : new HilumError(
            'BROKER_UNREACHABLE',
            'transient',
            'the connection was lost; letters not told of are still in the dead queue',
            { cause: error },
          );
    });
}

/**
 * An exclusive queue as a lock: it ends with the connection, however that ends. 405 RESOURCE_LOCKED: another process
 * holds it.
 */
async function lock(channel: Channel, queue: string): Promise<void> {
  try {
    await channel.assertQueue(queue, { exclusive: true, durable: false });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 405)) throw cause;
    throw new HilumError('DEAD_QUEUE_BUSY', 'transient', 'another hilum dead command is at work on the dead queue', {
      cause,
    });
  }
}

export function describeLetter(
  { content, properties }: Pick<GetMessage, 'content' | 'properties'>,
  queue = 'study',
): DeadLetter {
  const headers: Record<string, unknown> = properties.headers ?? {};
  const attempts = readHistory(headers[HISTORY_HEADER]).flatMap(({ attempt, at, code }) =>
    isTime(at) ? [{ attempt, at, code: codeOf(code) }] : [],
  );
  return {
    id: createHash('sha256')
      .update(JSON.stringify([...(queue === 'study' ? [] : [queue]), properties.messageId, headers[HISTORY_HEADER]]))
      .update(content)
      .digest('hex')
      .slice(0, 12),
    queue,
    studyInstanceUid: studyOf(content),
    reason: codeOf(headers[REASON_HEADER]),
    diedAt: attempts.at(-1)?.at ?? secondsToTime(properties.timestamp),
    attempts,
    lost: countOf(headers[LOST_HEADER]),
    bytes: content.length,
  };
}

function codeOf(value: unknown): string {
  return typeof value === 'string' && /^[A-Z_]{1,64}$/.test(value) ? value : 'UNKNOWN';
}

function isTime(text: string): boolean {
  return /^[0-9T:.Z-]{20,30}$/.test(text) && !Number.isNaN(Date.parse(text));
}

function secondsToTime(value: unknown): string | null {
  return typeof value === 'number' && value > 0 && value < 1e11 ? new Date(value * 1000).toISOString() : null;
}

function studyOf(content: Buffer): Uid | null {
  try {
    const event = JSON.parse(content.toString('utf8')) as { studyInstanceUid?: unknown } | null;
    return (typeof event?.studyInstanceUid === 'string' ? tryParseUid(event.studyInstanceUid) : undefined) ?? null;
  } catch {
    return null;
  }
}
