import { delayGiven } from './retry-policy';

/**
 * The exchanges and queues of Hilum, as data. All durable, all classic.
 *
 * Why not quorum queues: on RabbitMQ 3.10, which Debian 12 ships, a quorum queue that is killed (SIGKILL, power) before
 * its node was ever stopped cleanly is not recovered; its messages are gone and publishing to it closes the connection
 * with 541 (tried). Messages expire on quorum queues only since 3.10, and where no dead-letter exchange is set they are
 * dropped at the delivery limit. Classic queues keep every confirmed persistent message through the same kill. What a
 * quorum queue would count by itself, deliveries to workers that died, Hilum counts in a header.
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
  /** How long a message rests here (milliseconds). */
  readonly delayMs: number;
}

/** Where the messages of one kind of work rest between two tries, and where they end. */
export interface Lane {
  /** Where messages wait for their next try, shortest delay first. */
  readonly delays: readonly DelayQueue[];
  /** Messages given up on, with reason and history. */
  readonly dead: Queue;
  /** Where a message starts anew, after a delay or a replay. */
  readonly entrance: Queue;
}

/** The queues of one sink of results. */
export interface SinkQueues extends Lane {
  /** The sink's name, last part of its queue's name. */
  readonly sink: string;
  /** Where results wait for this sink; also the lane's entrance. */
  readonly queue: Queue;
}

export interface Topology extends Lane {
  readonly study: Exchange;
  readonly result: Exchange;
  /** Where all study messages arrive, those back from a delay included; from here they go to one of the next two. */
  readonly intake: Queue;
  /** Studies to do, by priority. */
  readonly urgent: Queue;
  readonly routine: Queue;
  /** Of the sinks that are switched on. */
  readonly sinks: readonly SinkQueues[];
  /**
   * Steps of studies, from workers to the process that keeps the reading list. Its queue is not among those that every
   * process declares: it is there only where somebody reads it.
   */
  readonly progress: { readonly exchange: Exchange; readonly queue: Queue; readonly binding: Binding };
  /** Holds a marker that a restart of the broker loses (`queue/broker-restart-marker`). */
  readonly restartMarker: Queue;
  readonly bindings: readonly Binding[];
}

export const STUDY_ROUTING_KEY = 'study.stable';
/** Every result, whatever its priority. */
const RESULT_ROUTING_KEYS = 'result.#';
export const PROGRESS_ROUTING_KEY = 'study.progress';
export const DEFAULT_DELAYS_MS: readonly number[] = [5_000, 30_000, 300_000, 1_800_000];

/**
 * @param prefix first part of all names
 * @param delaysMs one delay queue each (milliseconds), for studies and for each sink
 * @param sinks those that are switched on
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
 * The queues of a sink, whether it is switched on or not: `<prefix>.result.<sink>` and, for its retries and dead
 * letters, names that begin so.
 */
export function sinkQueues(prefix: string, sink: string, delaysMs: readonly number[] = DEFAULT_DELAYS_MS): SinkQueues {
  const queue = { name: `${prefix}.result.${sink}`, arguments: { ...CLASSIC, 'x-single-active-consumer': true } };
  return { sink, queue, ...lane(queue, delaysMs) };
}

/** Bounded, as it holds hints: 10,000 steps of a day, the oldest go first; a week without a consumer, and it goes. */
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

/** Every queue that each process declares, once. */
export function allQueues(plan: Topology): Queue[] {
  return [
    ...waitingQueues(plan),
    ...plan.delays,
    plan.dead,
    plan.restartMarker,
    ...plan.sinks.flatMap(({ queue, delays, dead }) => [queue, ...delays, dead]),
  ];
}

/** Named, because a virtual host may make another type the default. */
const CLASSIC = { 'x-queue-type': 'classic' } as const;

/**
 * The delay is in the name and the same for all messages of a queue: a queue expires messages at its head only, so
 * mixed delays would wait for each other.
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

/** Queues in which studies wait to be worked on. */
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
