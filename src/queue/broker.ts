import type { Channel, Replies } from 'amqplib';
import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { withTimeout } from '../base/retry';
import { inSpan, traceCarrier } from '../base/trace';
import { PRIORITIES, type Priority } from '../events/priority';
import type { ProgressEvent } from '../events/progress-event';
import type { ResultEvent } from '../events/result-event';
import { BrokerConnection, type BrokerState, CLOSE_TIMEOUT_MS, type ConnectionOptions, inTime } from './connection';
import { onOwnChannel } from './declare';
import type { MessageContext, MessageHandler } from './message';
import { PriorityConsumer, type StudyHandler } from './priority-consumer';
import { type Classify, PriorityRouter } from './priority-router';
import { progressConsumer } from './progress-consumer';
import { ProgressPublisher } from './progress-publisher';
import { Publisher, type PublishOptions } from './publisher';
import type { QueueConsumer } from './queue-consumer';
import { sinkConsumer } from './sink-consumer';
import {
  type Lane,
  PROGRESS_ROUTING_KEY,
  type Queue,
  sinkQueues,
  type SinkQueues,
  topology,
  type Topology,
  waitingQueues,
} from './topology';
import { sending } from './trace';

export { BROKER_STATES, type BrokerState } from './connection';
export type { StudyHandler } from './priority-consumer';
export type { PublishOptions } from './publisher';

export interface BrokerOptions extends ConnectionOptions {
  /** Prefix of the names of all exchanges and queues. */
  readonly prefix?: string;
  /** Delays of the delay queues (milliseconds). */
  readonly retryDelaysMs?: readonly number[];
  /**
   * Sinks that are switched on. Their queues are declared by every process, so that results wait for a sink that is
   * away.
   */
  readonly sinks?: readonly string[];
  /** All possible sinks: queues of those that are switched off may be left (`unreadSinks`). */
  readonly knownSinks?: readonly string[];
  /** Longest wait for a publisher confirm, including a reconnection (milliseconds). */
  readonly publishTimeoutMs?: number;
  /** How long a message that can't be republished is held before it goes back to its queue (milliseconds). */
  readonly pauseMs?: number;
  /** Polling interval for empty queues (milliseconds). */
  readonly idleMs?: number;
}

export interface ConsumeOptions {
  /** By default no message is urgent, unless its header says so. */
  readonly classify?: Classify;
  /** Number of urgent messages in a row after which a waiting routine one is taken. */
  readonly routineEvery?: number;
}

/** Number of messages by queue; `retry` is the sum of all delay queues. */
export type Depths = Readonly<Record<'intake' | 'urgent' | 'routine' | 'retry' | 'dead', number>>;

/** Number of messages by queue of a sink; `retry` is the sum of all delay queues. */
export interface SinkDepths {
  readonly sink: string;
  readonly waiting: number;
  readonly retry: number;
  readonly dead: number;
}

export interface UnreadSink {
  readonly queues: SinkQueues;
  readonly messages: number;
  /** Another worker may have the sink switched on. */
  readonly consumers: number;
}

export interface Broker {
  readonly topology: Topology;
  /**
   * Resolves when connected, with everything declared and, after `consume`, consuming.
   * @throws HilumError BROKER_UNREACHABLE or CONFIG_INVALID after `timeoutMs`
   */
  ready(timeoutMs: number): Promise<void>;
  /**
   * Sorts study messages into urgent and routine, and passes them to `handler`, urgent ones first and at most
   * `prefetch` at the same time, now and after every reconnection. Call it once.
   */
  consume(handler: StudyHandler, prefetch: number, options?: ConsumeOptions): Promise<void>;
  /**
   * Passes the results of a sink to `handler`, one at a time, now and after every reconnection. Call it once for each
   * sink that is switched on.
   */
  consumeSink(sink: string, handler: MessageHandler): Promise<void>;
  /**
   * Resolves when the broker has confirmed the message.
   * @throws HilumError BROKER_UNREACHABLE when it has not in time; the message may have arrived all the same
   */
  publish(exchange: string, routingKey: string, body: Buffer, options?: PublishOptions): Promise<void>;
  /** Publishes a result event, routed by its priority: result.urgent, result.routine or result.none. */
  announce(result: ResultEvent): Promise<void>;
  /**
   * Publishes a step of a study in the background, in the order of the calls; it may get lost. Neither throws nor
   * waits.
   */
  publishProgress(event: ProgressEvent): void;
  /** Passes the progress events of other processes to `receive`, now and after every reconnection. Call it once. */
  consumeProgress(receive: (event: ProgressEvent) => void): Promise<void>;
  state(): BrokerState;
  /**
   * Number of messages in a queue; by default of all studies that wait in any queue.
   * @throws HilumError BROKER_UNREACHABLE
   */
  depth(queue?: string): Promise<number>;
  /** @throws HilumError BROKER_UNREACHABLE */
  depths(): Promise<Depths>;
  /** Numbers of messages of each sink that is switched on. @throws HilumError BROKER_UNREACHABLE */
  sinkDepths(): Promise<readonly SinkDepths[]>;
  /**
   * Existing queues of sinks that are not switched on: results wait there and nobody consumes them.
   * @throws HilumError BROKER_UNREACHABLE
   */
  unreadSinks(): Promise<readonly UnreadSink[]>;
  /** Number of workers that consume studies. @throws HilumError BROKER_UNREACHABLE */
  workers(): Promise<number>;
  /**
   * Upper bound of the waiting time of the oldest message of each priority (seconds); empty without `consume`.
   * @throws HilumError BROKER_UNREACHABLE
   */
  ages(): Promise<Readonly<Partial<Record<Priority, number>>>>;
  /**
   * Runs `use` on a channel of its own and closes it; unacknowledged messages of it go back to their place.
   * @throws HilumError BROKER_UNREACHABLE without a connection
   */
  onChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T>;
  /**
   * Takes no more messages, waits up to `graceMs` milliseconds for those in work, then closes. Messages that are not
   * settled by then go back to the queue.
   */
  stop(graceMs: number): Promise<void>;
}

/** Connects in the background, for as long as it takes. @throws HilumError CONFIG_INVALID for unreadable TLS files */
export function connectBroker(options: BrokerOptions, log: Log): Broker {
  return new RabbitBroker(options, log);
}

class RabbitBroker implements Broker {
  readonly topology: Topology;
  private readonly connection: BrokerConnection;
  private readonly publisher: Publisher;
  private readonly prefix: string;
  private readonly knownSinks: readonly string[];
  private readonly publishTimeoutMs: number;
  private readonly pauseMs: number;
  private readonly idleMs: number;
  private readonly stopSignal = new AbortController();
  private router: PriorityRouter | undefined;
  private studies: PriorityConsumer | undefined;
  private readonly sinkConsumers = new Map<string, QueueConsumer>();
  private readonly progressPublisher: ProgressPublisher;
  private notes: QueueConsumer | undefined;

  constructor(
    options: BrokerOptions,
    private readonly log: Log,
  ) {
    const { prefix = 'hilum', publishTimeoutMs = 30_000, pauseMs = 5_000, idleMs = 500 } = options;
    this.topology = topology(prefix, options.retryDelaysMs, options.sinks);
    this.prefix = prefix;
    this.knownSinks = options.knownSinks ?? [];
    this.publishTimeoutMs = publishTimeoutMs;
    this.pauseMs = pauseMs;
    this.idleMs = idleMs;
    this.connection = new BrokerConnection(options, log);
    this.publisher = new Publisher(this.connection, this.topology, publishTimeoutMs);
    const { exchange } = this.topology.progress;
    this.progressPublisher = new ProgressPublisher((body) => this.publish(exchange.name, PROGRESS_ROUTING_KEY, body));
  }

  consume(
    handler: StudyHandler,
    prefetch: number,
    { classify = () => Promise.resolve(null), routineEvery = 4 }: ConsumeOptions = {},
  ): Promise<void> {
    if (this.studies !== undefined) throw new Error('consume was called before');
    const context = this.context(this.topology);
    const consumer = new PriorityConsumer(this.connection, this.topology, context, handler, {
      prefetch,
      routineEvery,
      idleMs: this.idleMs,
    });
    this.studies = consumer;
    this.router = new PriorityRouter(this.connection, this.topology, context, classify, () => consumer.wake());
    return Promise.resolve();
  }

  consumeSink(sink: string, handler: MessageHandler): Promise<void> {
    const queues = this.topology.sinks.find((found) => found.sink === sink);
    if (queues === undefined || this.sinkConsumers.has(sink))
      throw new Error(`consumeSink was called before for ${sink}, or it is not switched on`);
    this.sinkConsumers.set(sink, sinkConsumer(this.connection, this.topology, queues, this.context(queues), handler));
    return Promise.resolve();
  }

  private context(lane: Lane): MessageContext {
    // Published through the default exchange straight to a queue; `mandatory`, because the broker confirms and drops
    // messages that no queue takes.
    const send: MessageContext['send'] = (queue, body, properties) =>
      this.publish('', queue, body, { ...properties, mandatory: true });
    return { lane, log: this.log, pauseMs: this.pauseMs, stopping: this.stopSignal.signal, send };
  }

  publish(exchange: string, routingKey: string, body: Buffer, options?: PublishOptions): Promise<void> {
    return this.publisher.publish(exchange, routingKey, body, options);
  }

  announce(result: ResultEvent): Promise<void> {
    const exchange = this.topology.result.name;
    const key = `result.${result.priority ?? 'none'}`;
    const body = Buffer.from(JSON.stringify(result));
    const publish = () => this.publish(exchange, key, body, { headers: { ...traceCarrier() } });
    return inSpan(sending(exchange, key, body), publish);
  }

  publishProgress(event: ProgressEvent): void {
    this.progressPublisher.tell(event);
  }

  consumeProgress(receive: (event: ProgressEvent) => void): Promise<void> {
    if (this.notes !== undefined) throw new Error('consumeProgress was called before');
    this.notes = progressConsumer(this.connection, this.topology, this.context(this.topology), receive);
    return Promise.resolve();
  }

  ready(timeoutMs: number): Promise<void> {
    return this.connection.ready(timeoutMs);
  }

  state(): BrokerState {
    return this.connection.state();
  }

  async depth(queue?: string): Promise<number> {
    return sum(await this.count(queue === undefined ? waitingQueues(this.topology).map(nameOf) : [queue]));
  }

  async depths(): Promise<Depths> {
    const { intake, urgent, routine, dead, delays } = this.topology;
    const [first, second, third, last, ...delayed] = await this.count(
      [intake, urgent, routine, dead, ...delays].map(nameOf),
    );
    return { intake: first!, urgent: second!, routine: third!, retry: sum(delayed), dead: last! };
  }

  /** Every worker consumes the intake queue. */
  async workers(): Promise<number> {
    return (await this.lookAt(this.topology.intake.name))?.consumerCount ?? 0;
  }

  async sinkDepths(): Promise<readonly SinkDepths[]> {
    const of = async ({ sink, queue, dead, delays }: Topology['sinks'][number]): Promise<SinkDepths> => {
      const [waiting, last, ...delayed] = await this.count([queue, dead, ...delays].map(nameOf));
      return { sink, waiting: waiting!, retry: sum(delayed), dead: last! };
    };
    return Promise.all(this.topology.sinks.map(of));
  }

  async unreadSinks(): Promise<readonly UnreadSink[]> {
    const off = this.knownSinks.filter((name) => !this.topology.sinks.some(({ sink }) => sink === name));
    const found = await Promise.all(
      off.map(async (sink) => {
        const queues = sinkQueues(this.prefix, sink);
        return { queues, state: await this.lookAt(queues.queue.name) };
      }),
    );
    return found.flatMap(({ queues, state }) =>
      state === null ? [] : [{ queues, messages: state.messageCount, consumers: state.consumerCount }],
    );
  }

  /** Null where the queue does not exist (404, which closes the channel). */
  private lookAt(queue: string): Promise<Replies.AssertQueue | null> {
    return this.onChannel((channel) => channel.checkQueue(queue)).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 404) return null;
      throw error;
    });
  }

  async ages(): Promise<Readonly<Partial<Record<Priority, number>>>> {
    const { studies } = this;
    if (studies === undefined) return {};
    const counts = await this.count(PRIORITIES.map((priority) => this.topology[priority].name));
    return Object.fromEntries(PRIORITIES.map((priority, index) => [priority, studies.age(priority, counts[index]!)]));
  }

  private async count(queues: readonly string[]): Promise<number[]> {
    const late = () => new HilumError('BROKER_UNREACHABLE', 'transient', 'the broker did not answer in time');
    const look = async (channel: Channel) =>
      Promise.all(queues.map(async (queue) => (await channel.checkQueue(queue)).messageCount));
    try {
      return await withTimeout(this.onChannel(look), this.publishTimeoutMs, late);
    } catch (cause) {
      throw cause instanceof HilumError
        ? cause
        : new HilumError('BROKER_UNREACHABLE', 'transient', `the queue ${queues.join(', ')} can't be looked at`, {
            cause,
          });
    }
  }

  async onChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = this.connection.current();
    if (connection === undefined)
      throw new HilumError('BROKER_UNREACHABLE', 'transient', 'no connection to the broker');
    return onOwnChannel(connection, use);
  }

  async stop(graceMs: number): Promise<void> {
    if (['stopping', 'stopped'].includes(this.state())) return;
    this.connection.stopping();
    this.stopSignal.abort();
    const consumers = [this.studies, this.notes, ...this.sinkConsumers.values()];
    const [, ...left] = await Promise.all([
      this.router?.stop(Math.min(graceMs, CLOSE_TIMEOUT_MS)),
      ...consumers.map((consumer) => consumer?.stop(graceMs) ?? 0),
    ]);
    const unfinished = sum(left);
    await inTime(this.progressPublisher.settled(), Math.min(graceMs, CLOSE_TIMEOUT_MS));
    await this.connection.close();
    this.log.info(
      { event: 'broker.stopped', broker: this.connection.where, unfinished },
      'disconnected from the broker',
    );
  }
}

function nameOf({ name }: Queue): string {
  return name;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
