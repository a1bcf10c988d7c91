import { delayGiven } from './retry-policy';

/**
 * Exchanges and queues of Hilum, as data. All are durable and classic.
 *
 * Quorum queues are not used: on RabbitMQ 3.10 (Debian 12) a quorum queue whose node is killed (SIGKILL, power) before
 * it was ever stopped cleanly is not recovered; its messages are lost, and publishing to it closes the connection with
 * 541 (tried). Messages expire on quorum queues only since 3.10, and without a dead-letter exchange they are dropped at
 * the delivery limit. Classic queues keep every confirmed persistent message through the same kill. Deliveries to
 * workers that died, which a quorum queue would count, are counted in a header.
 */
export interface Exchange {
  readonly name: string;
  readonly type: 'topic';
}

export interface Queue {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
}

export interface Binding {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
}

export interface DelayQueue extends Queue {
  /** Delay of a message in this queue (milliseconds). */
  readonly delayMs: number;
}

/** The delay queues and the dead-letter queue of one kind of work. */
export interface Lane {
  /** Delay queues for retries, the shortest delay first. */
  readonly delays: readonly DelayQueue[];
  /** Dead-letter queue: messages given up, with reason and history. */
  readonly dead: Queue;
  /** Queue that a message goes to after a delay or a replay. */
  readonly entrance: Queue;
}

/** The queues of one sink of results. */
export interface SinkQueues extends Lane {
  /** Name of the sink, which is the last part of the queue's name. */
  readonly sink: string;
  /** Queue of results for this sink; also the entrance after a delay. */
  readonly queue: Queue;
}

export interface Topology extends Lane {
  readonly study: Exchange;
  readonly result: Exchange;
  /** Queue where all study messages arrive, also after a delay; the router moves them to one of the next two. */
  readonly intake: Queue;
  /** Studies to do, by priority. */
  readonly urgent: Queue;
  readonly routine: Queue;
  /** Of the sinks that are switched on. */
  readonly sinks: readonly SinkQueues[];
  /**
   * Progress events, from workers to the process that keeps the reading list. This queue is declared only by that
   * process.
   */
  readonly progress: { readonly exchange: Exchange; readonly queue: Queue; readonly binding: Binding };
  /** Holds a marker that is lost when the broker restarts (`queue/broker-restart-marker`). */
  readonly restartMarker: Queue;
  readonly bindings: readonly Binding[];
}

export const STUDY_ROUTING_KEY = 'study.stable';
/** Results of any priority. */
const RESULT_ROUTING_KEYS = 'result.#';
export const PROGRESS_ROUTING_KEY = 'study.progress';
export const DEFAULT_DELAYS_MS: readonly number[] = [5_000, 30_000, 300_000, 1_800_000];

/**
 * @param prefix prefix of all names
 * @param delaysMs delays of the delay queues (milliseconds), for studies and for each sink
 * @param sinks sinks that are switched on
 */
export function topology(
  prefix = 'hilum',
  delaysMs: readonly number[] = DEFAULT_DELAYS_MS,
  sinks: readonly string[] = [],
): Topology {
  const intake = `${prefix}.study`;
  const ofSinks = sinks.map((sink) => sinkQueues(prefix, sink, delaysMs));
  return {
    study: { name: `${prefix}.study`, type: 'topic' },
    result: { name: `${prefix}.result`, type: 'topic' },
    intake: classic(intake),
    urgent: classic(`${intake}.urgent`),
    routine: classic(`${intake}.routine`),
    ...lane(classic(intake), delaysMs),
    sinks: ofSinks,
    progress: progress(`${prefix}.progress`),
    restartMarker: { name: `${prefix}.epoch`, arguments: { ...CLASSIC, 'x-max-length': 1 } },
    bindings: [
      { queue: intake, exchange: `${prefix}.study`, routingKey: STUDY_ROUTING_KEY },
      ...ofSinks.map(({ queue }) => ({
        queue: queue.name,
        exchange: `${prefix}.result`,
        routingKey: RESULT_ROUTING_KEYS,
      })),
    ],
  };
}

/**
 * Queues of a sink, switched on or not: `<prefix>.result.<sink>` and, with that as prefix, its delay and dead-letter
 * queues.
 */
export function sinkQueues(prefix: string, sink: string, delaysMs: readonly number[] = DEFAULT_DELAYS_MS): SinkQueues {
  const queue = { name: `${prefix}.result.${sink}`, arguments: { ...CLASSIC, 'x-single-active-consumer': true } };
  return { sink, queue, ...lane(queue, delaysMs) };
}

/**
 * Limited to 10,000 events of up to a day, the oldest are dropped first; the queue expires after a week without a
 * consumer.
 */
const PROGRESS_ARGUMENTS = {
  'x-single-active-consumer': true,
  'x-max-length': 10_000,
  'x-message-ttl': 86_400_000,
  'x-expires': 604_800_000,
} as const;

function progress(name: string): Topology['progress'] {
  return {
    exchange: { name, type: 'topic' },
    queue: { name, arguments: { ...CLASSIC, ...PROGRESS_ARGUMENTS } },
    binding: { queue: name, exchange: name, routingKey: PROGRESS_ROUTING_KEY },
  };
}

function lane(entrance: Queue, delaysMs: readonly number[]): Lane {
  const delays = [...new Set(delaysMs)].sort((a, b) => a - b).map((delayMs) => delayQueue(entrance.name, delayMs));
  return { entrance, delays, dead: classic(`${entrance.name}.dead`) };
}

function classic(name: string): Queue {
  return { name, arguments: CLASSIC };
}

/** Every queue that each process declares. */
export function allQueues(plan: Topology): Queue[] {
  return [
    ...waitingQueues(plan),
    ...plan.delays,
    plan.dead,
    plan.restartMarker,
    ...plan.sinks.flatMap(({ queue, delays, dead }) => [queue, ...delays, dead]),
  ];
}

/** Stated, because a virtual host may have another default type. */
const CLASSIC = { 'x-queue-type': 'classic' } as const;

/**
 * The delay is part of the name and the same for all messages of a queue: only the message at the head of a queue
 * expires, so that mixed delays would block each other.
 */
function delayQueue(entrance: string, delayMs: number): DelayQueue {
  return {
    name: `${entrance}.retry.${durationName(delayMs)}`,
    delayMs,
    arguments: {
      ...CLASSIC,
      'x-message-ttl': delayMs,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': entrance,
    },
  };
}

/** Queues in which studies wait. */
export function waitingQueues({ intake, urgent, routine }: Topology): Queue[] {
  return [intake, urgent, routine];
}

/** 5000 -> "5s", 300000 -> "5m", 1500 -> "1500ms". */
export function durationName(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** The shortest delay that is at least `delayMs`, else the longest. */
export function delayFor(plan: Lane, delayMs: number): DelayQueue {
  const given = delayGiven(
    delayMs,
    plan.delays.map((queue) => queue.delayMs),
  );
  const found = plan.delays.find((queue) => queue.delayMs === given)!;
  return found;
}
