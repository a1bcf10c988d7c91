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
 * A message that was given up, of a study or of a result on its way to a sink. What does not look like ours is left
 * out: anybody may publish, and this is printed.
 */
export interface DeadLetter {
  /**
   * Twelve hexadecimal digits of a digest of queue, message and history: the same at every look, another after the next
   * death.
   */
  readonly id: string;
  /** `study`, or the sink that the result was for. */
  readonly queue: string;
  /** Null where the message names none. */
  readonly studyInstanceUid: Uid | null;
  readonly reason: string;
  /** ISO 8601, UTC; null where the message does not tell. */
  readonly diedAt: string | null;
  /** The failed tries that it remembers, oldest first, those before a replay included. */
  readonly attempts: readonly Attempt[];
  /** How often it came back from a worker or broker that died. */
  readonly lost: number;
  readonly bytes: number;
}

/** One of the queues of dead letters, and where a replay goes. */
export interface DeadLane {
  /** `study`, or the name of a sink. */
  readonly name: string;
  readonly lane: Pick<Lane, 'dead' | 'entrance'>;
}

export type Fate = 'keep' | 'replay' | 'drop';

/**
 * The dead queue of studies, then one for each sink that is switched on or was once. @throws HilumError
 * BROKER_UNREACHABLE
 */
export async function deadLanes(broker: Broker): Promise<DeadLane[]> {
  const off = await broker.unreadSinks();
  const sinks = [...broker.topology.sinks, ...off.map(({ queues }) => queues)].map((queues): DeadLane => ({
    name: queues.sink,
    lane: queues,
  }));
  return [studyLane(broker), ...sinks];
}

function studyLane(broker: Broker): DeadLane {
  return { name: 'study', lane: broker.topology };
}

/**
 * Shows each dead letter that is there now in one dead queue, by default that of studies, oldest first, to `decide`,
 * and does what it says; `done` hears of each afterwards. Where `decide` throws, the letter and those behind it stay.
 *
 * All are taken one by one without an acknowledgement and held on one channel. Closing it, or dying, puts what was kept
 * back into its old place. A replayed one is acknowledged after its copy is confirmed in the entrance: killed in
 * between, there are two, never none.
 * @throws HilumError BROKER_UNREACHABLE; DEAD_QUEUE_BUSY while another process does the same, which would see only a
 * part.
 */
export async function sortDeadLetters(
  broker: Broker,
  decide: (letter: DeadLetter) => Fate | Promise<Fate>,
  done: (letter: DeadLetter, fate: Fate) => void = () => {},
  { name, lane: { dead, entrance } } = studyLane(broker),
): Promise<void> {
  await broker
    .onChannel(async (channel) => {
      await lock(channel, `${dead.name}.lock`);
      // Counted once: what dies again meanwhile comes after these and is left for the next time.
      const { messageCount } = await channel.checkQueue(dead.name);
      for (let taken = 0; taken < messageCount; taken++) {
        const message = await channel.get(dead.name);
        if (message === false) break;
        const letter = describeLetter(message, name);
        const fate = await decide(letter);
        if (fate === 'replay')
          await broker.publish('', entrance.name, message.content, {
            headers: freshHeaders(message.properties.headers ?? {}),
            messageId: message.properties.messageId as string | undefined,
            mandatory: true,
          });
        if (fate !== 'keep') channel.ack(message);
        done(letter, fate);
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
 * A queue that belongs to this connection alone and goes with it, however it ends. 405 RESOURCE_LOCKED: it is
 * another's.
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
