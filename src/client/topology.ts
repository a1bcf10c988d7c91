/**
 * The exchanges and queues of Hilum, as data. All durable.
 *
 * The work queue is a quorum queue: it counts how often a message was in the hands of a worker that died (x-delivery-count), so that a film which kills
 * its worker is told from one that was unlucky. A classic queue can't: after a broker was killed, RabbitMQ 3.10 calls every message in it redelivered,
 * delivered or not. It needs a way out at its delivery limit, or the message is dropped there: the dead queue.
 * The other queues are classic: messages expire on quorum queues only since RabbitMQ 3.10, and looking through the dead letters is a delivery too, which
 * must not count towards a limit. Publisher confirms and persistent messages survive a killed broker on both kinds.
 */
export interface Exchange {
  readonly name: string;
  readonly type: 'topic';
}

export interface Queue {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number>>;
}

export interface Binding {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
}

export interface DelayQueue extends Queue {
  /** How long a message rests here (milliseconds). */
  readonly delayMs: number;
}

export interface Topology {
  readonly study: Exchange;
  readonly result: Exchange;
  /** Studies to do. */
  readonly work: Queue;
  /** Where studies wait for their next try, shortest delay first. */
  readonly delays: readonly DelayQueue[];
  /** Studies given up on, with reason and history. */
  readonly dead: Queue;
  readonly bindings: readonly Binding[];
}

export const STUDY_ROUTING_KEY = 'study.stable';
export const DEFAULT_DELAYS_MS: readonly number[] = [5_000, 30_000, 300_000, 1_800_000];

/**
 * @param prefix first part of all names
 * @param delaysMs one delay queue each (milliseconds)
 */
export function topology(prefix = 'hilum', delaysMs: readonly number[] = DEFAULT_DELAYS_MS): Topology {
  const work = `${prefix}.study`;
  const dead = `${work}.dead`;
  const delays = [...new Set(delaysMs)].sort((a, b) => a - b).map((delayMs) => delayQueue(work, delayMs));
  return {
    study: { name: `${prefix}.study`, type: 'topic' },
    result: { name: `${prefix}.result`, type: 'topic' },
    work: { name: work, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead } },
    delays,
    dead: { name: dead, arguments: CLASSIC },
    bindings: [{ queue: work, exchange: `${prefix}.study`, routingKey: STUDY_ROUTING_KEY }],
  };
}

/** The listener acts long before; this is for a worker that dies before it can, and what RabbitMQ 4 sets by itself. */
const DELIVERY_LIMIT = 20;
/** Named, because a virtual host may make another type the default. */
const CLASSIC = { 'x-queue-type': 'classic' } as const;

/** The delay is in the name and the same for all messages of a queue: a queue expires messages at its head only, so mixed delays would wait for each other. */
function delayQueue(work: string, delayMs: number): DelayQueue {
  return {
    name: `${work}.retry.${durationName(delayMs)}`,
    delayMs,
    arguments: { ...CLASSIC, 'x-message-ttl': delayMs, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': work },
  };
}

/** 5000 -> "5s", 300000 -> "5m", 1500 -> "1500ms". */
export function durationName(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** The shortest delay that is at least `delayMs`, else the longest. */
export function delayFor(plan: Topology, delayMs: number): DelayQueue {
  const found = plan.delays.find((queue) => queue.delayMs >= delayMs) ?? plan.delays.at(-1);
  if (found === undefined) throw new RangeError('there is no delay queue');
  return found;
}
