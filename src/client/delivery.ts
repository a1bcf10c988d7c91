import type { Channel, ConsumeMessage } from 'amqplib';
import { describeError } from '../base/errors';
import type { Log } from '../base/log';
import { sleep } from '../base/retry';
import { delayFor, type Topology } from './topology';

/** Headers of a study message, all optional (docs/events.md). */
export const ATTEMPT_HEADER = 'x-hilum-attempt';
export const LOST_HEADER = 'x-hilum-lost';
export const SLICE_HEADER = 'x-hilum-slice';
export const REASON_HEADER = 'x-hilum-reason';
export const HISTORY_HEADER = 'x-hilum-history';
const HISTORY_LENGTH = 20;

/** One failed try: which, when (ISO 8601, UTC), and the error's code. */
export interface Attempt {
  readonly attempt: number;
  readonly at: string;
  readonly code: string;
}

/**
 * One message in hand. It must be settled exactly once, by one of the six methods; none of them rejects. What can't be settled (the channel died, the
 * broker does not confirm) goes back to the queue: the broker delivers it again.
 */
export interface BrokerDelivery {
  readonly body: Uint8Array;
  readonly messageId: string | undefined;
  /** The broker may have given this message to a consumer before and never heard what became of it. After a kill of the broker it says so of all messages. */
  readonly redelivered: boolean;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** How often the message was put back because it had been redelivered. */
  readonly lost: number;
  /** How often a part of its study was done and the rest left to a next delivery. */
  readonly slices: number;
  readonly isSettled: boolean;
  ack(): Promise<void>;
  /** Once more after at least `delayMs` milliseconds, as the next try. */
  retry(delayMs: number, reason: string): Promise<void>;
  deadLetter(reason: string): Promise<void>;
  /** Back to the queue untouched, for another worker. */
  requeue(): Promise<void>;
  /** To the end of the queue after at least `delayMs` milliseconds (0 is at once), as the same try, lost once more. */
  putBack(delayMs: number): Promise<void>;
  /** To the end of the queue at once, as the same try: neither failed nor lost, one slice further. */
  goOn(): Promise<void>;
}

export interface DeliveryContext {
  readonly plan: Topology;
  readonly log: Log;
  /** Publishes to a queue, confirmed and routed. @throws HilumError */
  readonly send: (queue: string, body: Buffer, headers: Record<string, unknown>, messageId: string | undefined) => Promise<void>;
  /** How long a message is held that could not be moved on, before it goes back (milliseconds): no tight circle while the broker is in trouble. */
  readonly pauseMs: number;
  readonly stopping: AbortSignal;
}

type MessageHeaders = Record<string, unknown>;

export function brokerDelivery(channel: Channel, message: ConsumeMessage, context: DeliveryContext): BrokerDelivery {
  const headers: MessageHeaders = message.properties.headers ?? {};
  const tries = countOf(headers[ATTEMPT_HEADER]);
  const lost = countOf(headers[LOST_HEADER]);
  const slices = countOf(headers[SLICE_HEADER]);
  const settling = settler(channel, message, context);
  const failed = (reason: string) => failedHeaders(headers, tries + 1, reason);
  return {
    body: message.content,
    messageId: message.properties.messageId as string | undefined,
    redelivered: message.fields.redelivered,
    attempt: tries + 1,
    lost,
    slices,
    get isSettled() {
      return settling.isSettled();
    },
    ack: () => settling.once(async () => settling.tell('ack')),
    retry: (delayMs, reason) => settling.once(() => settling.move(delayFor(context.plan, delayMs).name, failed(reason))),
    deadLetter: (reason) => settling.once(() => settling.move(context.plan.dead.name, failed(reason))),
    requeue: () => settling.once(async () => settling.tell('nack')),
    putBack: (delayMs) => settling.once(() => settling.move((delayMs > 0 ? delayFor(context.plan, delayMs) : context.plan.work).name, { ...ownHeaders(headers), [LOST_HEADER]: lost + 1 })),
    goOn: () => settling.once(() => settling.move(context.plan.work.name, { ...ownHeaders(headers), [SLICE_HEADER]: slices + 1 })),
  };
}

/** The mechanics of settling one message. `once` throws when called a second time, before anything is sent. */
function settler(channel: Channel, message: ConsumeMessage, { log, send, pauseMs, stopping }: DeliveryContext) {
  let settled = false;
  const tell = (how: 'ack' | 'nack'): void => {
    try {
      if (how === 'ack') channel.ack(message);
      else channel.nack(message, false, true);
    } catch (error) {
      // The channel died while the work was done: the broker has the message and delivers it again, which changes nothing.
      log.debug({ event: 'broker.settle-dropped', error: describeError(error) }, 'the channel is gone; the broker will deliver the message again');
    }
  };
  // Published and confirmed first, acknowledged second: a crash in between leaves two copies, the other order none.
  const move = async (queue: string, headers: MessageHeaders): Promise<void> => {
    try {
      await send(queue, message.content, headers, message.properties.messageId as string | undefined);
      tell('ack');
    } catch (error) {
      log.error({ event: 'broker.settle-failed', queue, error: describeError(error) }, 'a message could not be moved on; it goes back to its queue');
      await sleep(pauseMs, stopping);
      tell('nack');
    }
  };
  const once = async (act: () => Promise<void>): Promise<void> => {
    if (settled) throw new Error('this delivery has been settled before');
    settled = true;
    await act();
  };
  return { tell, move, once, isSettled: () => settled };
}

function failedHeaders(headers: MessageHeaders, attempt: number, reason: string): MessageHeaders {
  const attempts = [...readHistory(headers[HISTORY_HEADER]), { attempt, at: new Date().toISOString(), code: reason }].slice(-HISTORY_LENGTH);
  return { ...ownHeaders(headers), [ATTEMPT_HEADER]: attempt, [REASON_HEADER]: reason, [HISTORY_HEADER]: JSON.stringify(attempts) };
}

/** Ours only: what the broker adds (x-death ...) grows with every round. */
function ownHeaders(headers: MessageHeaders): MessageHeaders {
  const names = [ATTEMPT_HEADER, LOST_HEADER, SLICE_HEADER, REASON_HEADER, HISTORY_HEADER];
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

/** Of a message that is to start anew: the first try, never lost; what happened before stays in its history. */
export function freshHeaders(headers: MessageHeaders): MessageHeaders {
  return { ...ownHeaders(headers), [ATTEMPT_HEADER]: 0, [LOST_HEADER]: 0 };
}

/** The failed tries that a message carries; none where the header is missing or not ours. */
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
  return typeof entry === 'object' && entry !== null && typeof entry.attempt === 'number' && typeof entry.at === 'string' && typeof entry.code === 'string';
}

export function countOf(header: unknown): number {
  return typeof header === 'number' && Number.isInteger(header) && header >= 0 ? header : 0;
}
