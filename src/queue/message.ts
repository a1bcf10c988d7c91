import type { Channel, Message } from 'amqplib';
import { describeError } from '../base/errors';
import type { Log } from '../base/log';
import { sleep } from '../base/retry';
import { carrierOf, inSpan, type SpanStart, traceCarrier } from '../base/trace';
import { PRIORITIES, type Priority } from '../events/priority';
import { refusedInARow } from './retry-policy';
import { delayFor, type Lane } from './topology';
import { processing } from './trace';

/** Headers of study messages and, except for the priority, of results for a sink; all optional (docs/events.md). */
const ATTEMPT_HEADER = 'x-hilum-attempt';
const AWAY_HEADER = 'x-hilum-away';
export const LOST_HEADER = 'x-hilum-lost';
const SLICE_HEADER = 'x-hilum-slice';
export const REASON_HEADER = 'x-hilum-reason';
export const HISTORY_HEADER = 'x-hilum-history';
/** Time when the message was put into its present queue (milliseconds since 1970). */
const QUEUED_HEADER = 'x-hilum-queued';
/** Missing until the priority is decided. */
export const PRIORITY_HEADER = 'x-hilum-priority';
const HISTORY_LENGTH = 20;

/** A failed attempt: its number, its time (ISO 8601, UTC) and the error's code. */
export interface Attempt {
  readonly attempt: number;
  readonly at: string;
  readonly code: string;
}

/**
 * A message in work. It has to be settled exactly once by one of six methods, none of which rejects. A message that
 * can't be settled (the channel has closed, the broker does not confirm) stays with the broker, which delivers it
 * again.
 */
export interface ConsumedMessage {
  readonly body: Uint8Array;
  readonly messageId: string | undefined;
  /**
   * The broker may have delivered this message before without getting an acknowledgement. After the broker was killed
   * it is set on all messages.
   */
  readonly redelivered: boolean;
  /** Redelivered, but the broker was restarted while it waited, which explains it. */
  readonly outlivedBroker: boolean;
  /** Number of this attempt, from 1; starts again after a replay. */
  readonly attempt: number;
  /** An attempt has failed before, also before a replay. */
  readonly hasFailed: boolean;
  /** Number of earlier attempts that found the other side away and were counted as such. */
  readonly away: number;
  /** Number of attempts directly before this one that were refused the sign-in. */
  readonly refused: number;
  /** Number of times that it was requeued because it had been redelivered. */
  readonly lost: number;
  /** Number of times that a part of its study was done and the rest left for later. */
  readonly slices: number;
  /**
   * Seconds since the message was published, without the delays before the present attempt; null where unknown. The
   * clocks of two machines may be involved.
   */
  readonly waitedSeconds: number | null;
  /** Span of the work on it, in the trace that came with the message. */
  readonly span: SpanStart;
  readonly isSettled: boolean;
  ack(): Promise<void>;
  /** Retried after at least `delayMs` milliseconds as the next attempt. `isAway`: this attempt counts among `away`. */
  retry(delayMs: number, reason: string, isAway?: boolean): Promise<void>;
  deadLetter(reason: string): Promise<void>;
  /** basic.nack: back to its place in the queue unchanged, for another consumer. */
  nack(): Promise<void>;
  /**
   * Requeued at the end after at least `delayMs` milliseconds (0: at once), as the same attempt, counted as lost once
   * more.
   */
  requeue(delayMs: number): Promise<void>;
  /** Requeued at the end at once, as the same attempt, neither failed nor lost: one slice further. */
  continueLater(): Promise<void>;
}

export interface MessageContext {
  readonly lane: Lane;
  readonly log: Log;
  /** Publishes to a queue and waits for confirm and routing. @throws HilumError */
  readonly send: (queue: string, body: Buffer, properties: KeptProperties) => Promise<void>;
  /**
   * How long a message that can't be republished is held before it goes back (milliseconds), so that nothing loops
   * while the broker is in trouble.
   */
  readonly pauseMs: number;
  readonly stopping: AbortSignal;
}

interface KeptProperties {
  readonly headers: MessageHeaders;
  readonly messageId: string | undefined;
  /** Seconds since 1970; now where absent. */
  readonly timestamp?: number | undefined;
}

export type MessageHeaders = Record<string, unknown>;

/**
 * @param queue queue that the message came from and goes back to
 * @param brokerSince time when the broker was first seen after its last start (milliseconds since 1970)
 */
export function consumedMessage(
  channel: Channel,
  message: Message,
  queue: string,
  context: MessageContext,
  brokerSince = 0,
): ConsumedMessage {
  const headers: MessageHeaders = message.properties.headers ?? {};
  const tries = countOf(headers[ATTEMPT_HEADER]);
  const away = countOf(headers[AWAY_HEADER]);
  const lost = countOf(headers[LOST_HEADER]);
  const slices = countOf(headers[SLICE_HEADER]);
  const settling = settler(channel, message, context);
  const failed = (reason: string) => failedHeaders(headers, tries + 1, reason);
  const timestamp = timestampOf(message);
  const history = readHistory(headers[HISTORY_HEADER]);
  return {
    body: message.content,
    messageId: message.properties.messageId as string | undefined,
    redelivered: message.fields.redelivered,
    outlivedBroker: message.fields.redelivered && countOf(headers[QUEUED_HEADER] ?? brokerSince) < brokerSince,
    attempt: tries + 1,
    hasFailed: history.length > 0,
    away,
    // A replay starts again with the first attempt, but keeps the history.
    refused: Math.min(tries, refusedInARow(history.map(({ code }) => code))),
    lost,
    slices,
    waitedSeconds: timestamp === undefined ? null : Math.max(0, Date.now() / 1000 - timestamp),
    span: processing(message, queue, { 'hilum.attempt': tries + 1, 'hilum.lost': lost, 'hilum.slice': slices }),
    get isSettled() {
      return settling.isSettled();
    },
    ack: () => settling.once(async () => settling.tell('ack')),
    retry: (delayMs, reason, isAway = false) =>
      settling.once(() =>
        settling.move(delayFor(context.lane, delayMs).name, {
          ...failed(reason),
          ...(isAway ? { [AWAY_HEADER]: away + 1 } : {}),
        }),
      ),
    deadLetter: (reason) => settling.once(() => settling.move(context.lane.dead.name, failed(reason))),
    nack: () => settling.once(async () => settling.tell('nack')),
    // A loss is no failure: it has waited since it was first published.
    requeue: (delayMs) =>
      settling.once(() =>
        settling.move(
          delayMs > 0 ? delayFor(context.lane, delayMs).name : queue,
          { ...ownHeaders(headers), [LOST_HEADER]: lost + 1 },
          timestamp,
        ),
      ),
    continueLater: () =>
      settling.once(() => settling.move(queue, { ...ownHeaders(headers), [SLICE_HEADER]: slices + 1 })),
  };
}

export function timestampOf({ properties }: Pick<Message, 'properties'>): number | undefined {
  const value: unknown = properties.timestamp;
  return typeof value === 'number' && value > 0 && value < 1e11 ? value : undefined;
}

/** The priority that a message was given before; undefined where it has none or an unknown one. */
export function priorityOf(headers: MessageHeaders): Priority | undefined {
  return PRIORITIES.find((priority) => priority === headers[PRIORITY_HEADER]);
}

export type MessageHandler = (message: ConsumedMessage) => Promise<void>;

/**
 * Passes a message to the handler. One that the handler leaves unsettled, a defect, goes back to its queue after a
 * pause. Never rejects.
 */
export function handle(message: ConsumedMessage, handler: MessageHandler, context: MessageContext): Promise<void> {
  return inSpan(message.span, () => handOver(message, handler, context));
}

async function handOver(
  message: ConsumedMessage,
  handler: MessageHandler,
  { log, pauseMs, stopping }: MessageContext,
): Promise<void> {
  try {
    await handler(message);
    if (!message.isSettled) throw new Error('the handler did not settle its message');
  } catch (error) {
    log.error(
      { event: 'broker.handler-failed', error: describeError(error) },
      'a defect in the handler; the message goes back to its queue',
    );
    await sleep(pauseMs, stopping);
    if (!message.isSettled) await message.nack();
  }
}

/** Settles one message. `once` throws when called a second time, before anything is sent. */
export function settler(channel: Channel, message: Message, { log, send, pauseMs, stopping }: MessageContext) {
  let settled = false;
  const sent: MessageHeaders = message.properties.headers ?? {};
  const tell = (how: 'ack' | 'nack'): void => {
    try {
      if (how === 'ack') channel.ack(message);
      else channel.nack(message, false, true);
    } catch (error) {
      // The channel closed while the work was done: the broker delivers the message again.
      log.debug(
        { event: 'broker.settle-dropped', error: describeError(error) },
        'the channel is gone; the broker will deliver the message again',
      );
    }
  };
  // Published and confirmed first, acknowledged second: a crash in between leaves two copies, never none.
  const move = async (queue: string, headers: MessageHeaders, timestamp?: number): Promise<void> => {
    try {
      await send(queue, message.content, {
        // A message that came without a trace continues in the one that was started here.
        headers: { ...traceCarrier(), ...headers, ...carrierOf(sent), [QUEUED_HEADER]: Date.now() },
        messageId: message.properties.messageId as string | undefined,
        timestamp,
      });
      tell('ack');
    } catch (error) {
      log.error(
        { event: 'broker.settle-failed', queue, error: describeError(error) },
        'a message could not be moved on; it goes back to its queue',
      );
      await sleep(pauseMs, stopping);
      tell('nack');
    }
  };
  const once = async (act: () => Promise<void>): Promise<void> => {
    if (settled) throw new Error('this message has been settled before');
    settled = true;
    await act();
  };
  return { tell, move, once, isSettled: () => settled };
}

function failedHeaders(headers: MessageHeaders, attempt: number, reason: string): MessageHeaders {
  const attempts = [
    ...readHistory(headers[HISTORY_HEADER]),
    { attempt, at: new Date().toISOString(), code: reason },
  ].slice(-HISTORY_LENGTH);
  return {
    ...ownHeaders(headers),
    [ATTEMPT_HEADER]: attempt,
    [REASON_HEADER]: reason,
    [HISTORY_HEADER]: JSON.stringify(attempts),
  };
}

/** Hilum's own headers only: those of the broker (x-death ...) grow with every round. */
function ownHeaders(headers: MessageHeaders): MessageHeaders {
  const priority = priorityOf(headers);
  return { ...wayHeaders(headers), ...(priority === undefined ? {} : { [PRIORITY_HEADER]: priority }) };
}

/** Headers that keep a message's history; not its priority. */
export function wayHeaders(headers: MessageHeaders): MessageHeaders {
  const names = [ATTEMPT_HEADER, AWAY_HEADER, LOST_HEADER, SLICE_HEADER, REASON_HEADER, HISTORY_HEADER];
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

/** Headers of a message that starts again: first attempt, never lost, no priority; the history stays. */
export function freshHeaders(headers: MessageHeaders): MessageHeaders {
  return {
    ...carrierOf(headers),
    ...wayHeaders(headers),
    [ATTEMPT_HEADER]: 0,
    [AWAY_HEADER]: 0,
    [LOST_HEADER]: 0,
  };
}

/** Failed attempts in the header; none where it is missing or not ours. */
export function readHistory(header: unknown): Attempt[] {
  if (typeof header !== 'string' || header.length > 16_384) return [];
  try {
    const list: unknown = JSON.parse(header);
    return Array.isArray(list) ? list.filter(isAttempt) : [];
  } catch {
    return [];
  }
}

function isAttempt(value: unknown): value is Attempt {
  const entry = value as Partial<Attempt> | null;
  return (
    typeof entry === 'object' &&
    entry !== null &&
    typeof entry.attempt === 'number' &&
    typeof entry.at === 'string' &&
    typeof entry.code === 'string'
  );
}

export function countOf(header: unknown): number {
  return typeof header === 'number' && Number.isInteger(header) && header >= 0 ? header : 0;
}
