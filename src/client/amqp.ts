import { randomUUID } from 'node:crypto';
import { connect, type AmqpConnectionManager } from 'amqp-connection-manager';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { describeError, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { backoffMs, sleep, withTimeout, type Backoff } from '../base/retry';
import type { ResultEvent } from '../pipeline/stage';
import { ChannelKeeper } from './channel-keeper';
import { brokerDelivery, type BrokerDelivery } from './delivery';
import { readTls, type TlsFiles } from './tls';
import { topology, type Topology } from './topology';

export interface BrokerOptions {
  /** amqp://user:password@host:port/vhost, or amqps:// */
  readonly url: string;
  readonly tls?: TlsFiles;
  /** First part of the names of all exchanges and queues. */
  readonly prefix?: string;
  /** Seconds, as AMQP counts them. */
  readonly heartbeatSeconds?: number;
  /** One delay queue each (milliseconds). */
  readonly retryDelaysMs?: readonly number[];
  readonly connectTimeoutMs?: number;
  /** Longest wait for a publisher confirm, reconnecting included (milliseconds). */
  readonly publishTimeoutMs?: number;
  /** How long a message is held that could not be moved on, before it goes back to its queue (milliseconds). */
  readonly pauseMs?: number;
  readonly reconnect?: Backoff;
}

export interface PublishOptions {
  readonly headers?: Record<string, unknown>;
  readonly messageId?: string | undefined;
  /** Fails when no queue takes the message. */
  readonly mandatory?: boolean;
}

/** `misconfigured`: the broker is there, but has queues or exchanges of our names with other arguments. `blocked`: it takes no messages (memory or disk alarm). */
export const BROKER_STATES = ['connecting', 'connected', 'disconnected', 'blocked', 'misconfigured', 'stopping', 'stopped'] as const;
export type BrokerState = (typeof BROKER_STATES)[number];
export type DeliveryHandler = (delivery: BrokerDelivery) => Promise<void>;

export interface Broker {
  readonly topology: Topology;
  /** Resolves when connected, declared and, after `consume`, consuming. @throws HilumError BROKER_UNREACHABLE or CONFIG_INVALID after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>;
  /** Hands every message of the work queue to `handler`, at most `prefetch` at a time, now and after every reconnection. To be called once. */
  consume(handler: DeliveryHandler, prefetch: number): Promise<void>;
  /** Resolves when the broker has confirmed the message. @throws HilumError BROKER_UNREACHABLE when it has not within the time-out: it may have arrived all the same. */
  publish(exchange: string, routingKey: string, body: Buffer, options?: PublishOptions): Promise<void>;
  /** Publishes a result event, routed by priority: result.urgent, result.routine or result.none. */
  announce(result: ResultEvent): Promise<void>;
  state(): BrokerState;
  /** Messages that wait in a queue; the work queue by default. @throws HilumError BROKER_UNREACHABLE */
  depth(queue?: string): Promise<number>;
  /** Studies that wait to be done, for their next try (all delay queues together), and that were given up. @throws HilumError BROKER_UNREACHABLE */
  depths(): Promise<{ work: number; retry: number; dead: number }>;
  /** Runs `use` on a channel of its own and closes it: what was taken on it and not acknowledged goes back to its place. @throws HilumError BROKER_UNREACHABLE without a connection. */
  onChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T>;
  /** Takes no more messages, waits up to `graceMs` milliseconds for those in hand, then closes. What is not settled by then goes back to the queue. */
  stop(graceMs: number): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 3_000;
const RESEND_PAUSE_MS = 200;

/** Connects in the background, for as long as it takes. @throws HilumError CONFIG_INVALID for unreadable TLS files. */
export function connectBroker(options: BrokerOptions, log: Log): Broker {
  return new RabbitBroker(options, log);
}

class RabbitBroker implements Broker {
  readonly topology: Topology;
  private readonly manager: AmqpConnectionManager;
  private readonly publisher: ChannelKeeper<ConfirmChannel>;
  private readonly consumer: ChannelKeeper<Channel>;
  private readonly publishTimeoutMs: number;
  private readonly reconnect: Backoff;
  private readonly where: string;
  private readonly pauseMs: number;
  private readonly stopSignal = new AbortController();
  private readonly inHand = new Set<Promise<void>>();
  /** Correlation ids of messages that the broker could not route. */
  private readonly returned = new Set<string>();
  private consuming: { handler: DeliveryHandler; prefetch: number } | undefined;
  private consumerTag = '';
  private failures = 0;
  private everConnected = false;
  private blocked = false;
  private phase: 'running' | 'stopping' | 'stopped' = 'running';
  private connectProblem: unknown;

  constructor(options: BrokerOptions, private readonly log: Log) {
    const { connectTimeoutMs = 10_000, heartbeatSeconds = 30, publishTimeoutMs = 30_000, pauseMs = 5_000 } = options;
    this.topology = topology(options.prefix, options.retryDelaysMs);
    this.publishTimeoutMs = publishTimeoutMs;
    this.pauseMs = pauseMs;
    this.reconnect = options.reconnect ?? { baseMs: 1_000, maxMs: 30_000 };
    this.where = new URL(options.url).host;
    this.publisher = this.keeper('publisher', connectTimeoutMs, (connection) => this.openPublisher(connection));
    this.consumer = this.keeper('consumer', connectTimeoutMs, (connection) => this.openConsumer(connection));
    const connectionOptions = { ...readTls(options.tls), timeout: connectTimeoutMs, keepAlive: true, noDelay: true, clientProperties: { connection_name: 'hilum' } };
    this.manager = connect([options.url], { heartbeatIntervalInSeconds: heartbeatSeconds, reconnectTimeInSeconds: this.reconnect.baseMs / 1000, connectionOptions });
    this.listen();
  }

  private keeper<C extends Channel>(name: string, openTimeoutMs: number, open: (connection: ChannelModel) => Promise<C>): ChannelKeeper<C> {
    const onLost = (error: unknown) => {
      if (error instanceof HilumError && error.code === 'CONFIG_INVALID') this.log.error({ event: 'broker.misconfigured', broker: this.where, error: describeError(error) }, error.message);
      else this.log.warn({ event: 'broker.channel-lost', broker: this.where, channel: name, error: describeError(error) }, `the ${name} channel was lost`);
    };
    return new ChannelKeeper<C>({ name, open, openTimeoutMs, backoff: this.reconnect, onLost });
  }

  private listen(): void {
    this.manager.on('connect', () => this.connected(this.manager.connection as ChannelModel));
    this.manager.on('connectFailed', ({ err }) => this.down('broker.unreachable', "the broker can't be reached", err));
    this.manager.on('disconnect', ({ err }) => this.down('broker.disconnected', 'the connection to the broker was lost', err));
    this.manager.on('blocked', ({ reason }) => {
      this.blocked = true;
      this.log.warn({ event: 'broker.blocked', broker: this.where, reason }, 'the broker takes no messages at present');
    });
    this.manager.on('unblocked', () => {
      this.blocked = false;
      this.log.info({ event: 'broker.unblocked', broker: this.where }, 'the broker takes messages again');
    });
  }

  private connected(connection: ChannelModel): void {
    this.failures = 0;
    this.everConnected = true;
    this.blocked = false;
    this.connectProblem = undefined;
    // Without a listener an 'error' event would end the process; 'close' follows it and is what counts.
    connection.on('error', () => {});
    this.log.info({ event: 'broker.connected', broker: this.where }, 'connected to the broker');
    this.publisher.attach(connection);
    if (this.consuming !== undefined) this.consumer.attach(connection);
  }

  private down(event: 'broker.unreachable' | 'broker.disconnected', text: string, error: unknown): void {
    this.publisher.detach();
    this.consumer.detach();
    this.connectProblem = error;
    if (this.phase !== 'running') return;
    const waitMs = backoffMs(this.failures++, this.reconnect);
    // Read by the manager right after this event.
    this.manager.reconnectTimeInSeconds = waitMs / 1000;
    this.log.warn({ event, broker: this.where, nextTrySeconds: waitMs / 1000, error: describeError(error) }, text);
  }

  private async openPublisher(connection: ChannelModel): Promise<ConfirmChannel> {
    await declare(connection, this.topology);
    const channel = await connection.createConfirmChannel();
    watch(channel, (why) => this.publisher.lost(channel, why));
    channel.on('return', (message: ConsumeMessage) => this.returned.add(String(message.properties.correlationId)));
    return channel;
  }

  private async openConsumer(connection: ChannelModel): Promise<Channel> {
    const { handler, prefetch } = this.consuming!;
    await declare(connection, this.topology);
    const channel = await connection.createChannel();
    watch(channel, (why) => this.consumer.lost(channel, why));
    await channel.prefetch(prefetch);
    const reply = await channel.consume(this.topology.work.name, (message) => this.receive(channel, message, handler));
    this.consumerTag = reply.consumerTag;
    this.log.info({ event: 'broker.consuming', broker: this.where, queue: this.topology.work.name, prefetch }, 'waiting for studies');
    return channel;
  }

  private receive(channel: Channel, message: ConsumeMessage | null, handler: DeliveryHandler): void {
    // null: the broker has cancelled the consumer (the queue was deleted, its node went away). Closing the channel makes the keeper start over.
    if (message === null) return void channel.close().catch(() => {});
    const context = { plan: this.topology, log: this.log, pauseMs: this.pauseMs, stopping: this.stopSignal.signal, send: this.sendToQueue };
    const work = this.handle(brokerDelivery(channel, message, context), handler);
    this.inHand.add(work);
    void work.finally(() => this.inHand.delete(work));
  }

  private async handle(delivery: BrokerDelivery, handler: DeliveryHandler): Promise<void> {
    if (this.phase !== 'running') return delivery.requeue();
    try {
      await handler(delivery);
      if (!delivery.isSettled) throw new Error('the handler did not settle its delivery');
    } catch (error) {
      this.log.error({ event: 'broker.handler-failed', error: describeError(error) }, 'a defect in the handler; the message goes back to its queue');
      await sleep(this.pauseMs, this.stopSignal.signal);
      if (!delivery.isSettled) await delivery.requeue();
    }
  }

  /** Through the default exchange, straight to a queue; `mandatory`, as the broker confirms and drops what no queue takes. */
  private readonly sendToQueue = (queue: string, body: Buffer, headers: Record<string, unknown>, messageId: string | undefined): Promise<void> => this.publish('', queue, body, { headers, messageId, mandatory: true });

  async publish(exchange: string, routingKey: string, body: Buffer, options: PublishOptions = {}): Promise<void> {
    const deadline = Date.now() + this.publishTimeoutMs;
    const { headers, messageId = randomUUID(), mandatory = false } = options;
    // Of this call alone: copies of a message share its id, and one of them may be returned while another is on its way.
    const correlationId = randomUUID();
    for (;;) {
      if (this.phase === 'stopped') throw new HilumError('BROKER_UNREACHABLE', 'transient', 'disconnected from the broker on purpose');
      const channel = await this.publisher.whenOpen(deadline - Date.now());
      try {
        await withTimeout(confirmed(channel, exchange, routingKey, body, { headers, messageId, correlationId, mandatory }), deadline - Date.now(), unconfirmed);
        break;
      } catch (error) {
        // Nacked, or the channel closed before the confirm: sent again, for twice does no harm and not at all does.
        if (Date.now() + RESEND_PAUSE_MS >= deadline) throw error instanceof HilumError ? error : unconfirmed(error);
        await sleep(RESEND_PAUSE_MS);
      }
    }
    // The broker sends basic.return before the confirm.
    if (this.returned.delete(correlationId)) throw new HilumError('BROKER_UNREACHABLE', 'transient', `no queue takes messages for ${exchange || 'the default exchange'} ${routingKey}`);
  }

  announce(result: ResultEvent): Promise<void> {
    return this.publish(this.topology.result.name, `result.${result.priority ?? 'none'}`, Buffer.from(JSON.stringify(result)));
  }

  consume(handler: DeliveryHandler, prefetch: number): Promise<void> {
    if (this.consuming !== undefined) throw new Error('consume was called before');
    this.consuming = { handler, prefetch };
    const { connection } = this.manager;
    if (connection !== undefined) this.consumer.attach(connection as ChannelModel);
    return Promise.resolve();
  }

  async ready(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    try {
      await this.publisher.whenOpen(timeoutMs);
      if (this.consuming !== undefined) await this.consumer.whenOpen(deadline - Date.now());
    } catch (error) {
      if (this.connectProblem === undefined) throw error;
      throw new HilumError('BROKER_UNREACHABLE', 'transient', `no connection to the broker at ${this.where}`, { cause: this.connectProblem });
    }
  }

  state(): BrokerState {
    if (this.phase !== 'running') return this.phase;
    if (isMismatch(this.publisher.problem) || isMismatch(this.consumer.problem)) return 'misconfigured';
    if (!this.publisher.isOpen || (this.consuming !== undefined && !this.consumer.isOpen)) return this.everConnected ? 'disconnected' : 'connecting';
    return this.blocked ? 'blocked' : 'connected';
  }

  async depth(queue = this.topology.work.name): Promise<number> {
    const [depth] = await this.count([queue]);
    return depth!;
  }

  async depths(): Promise<{ work: number; retry: number; dead: number }> {
    const { work, dead, delays } = this.topology;
    const [working, given, ...waiting] = await this.count([work, dead, ...delays].map(({ name }) => name));
    return { work: working!, retry: waiting.reduce((a, b) => a + b, 0), dead: given! };
  }

  private async count(queues: readonly string[]): Promise<number[]> {
    const late = () => new HilumError('BROKER_UNREACHABLE', 'transient', 'the broker did not answer in time');
    const look = async (channel: Channel) => Promise.all(queues.map(async (queue) => (await channel.checkQueue(queue)).messageCount));
    try {
      return await withTimeout(this.onChannel(look), this.publishTimeoutMs, late);
    } catch (cause) {
      throw cause instanceof HilumError ? cause : new HilumError('BROKER_UNREACHABLE', 'transient', `the queue ${queues.join(', ')} can't be looked at`, { cause });
    }
  }

  async onChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const { connection } = this.manager;
    if (connection === undefined) throw new HilumError('BROKER_UNREACHABLE', 'transient', 'no connection to the broker');
    return onOwnChannel(connection as ChannelModel, use);
  }

  async stop(graceMs: number): Promise<void> {
    if (this.phase !== 'running') return;
    this.phase = 'stopping';
    this.stopSignal.abort();
    const consuming = this.consumer.current();
    if (consuming !== undefined) await inTime(consuming.cancel(this.consumerTag), CLOSE_TIMEOUT_MS);
    await inTime(Promise.allSettled([...this.inHand]), graceMs);
    const unfinished = this.inHand.size;
    this.publisher.detach();
    this.consumer.detach();
    const { connection } = this.manager;
    // close() may wait for ever on a dead peer (amqplib); then the socket is cut.
    if (!(await inTime(this.manager.close(), CLOSE_TIMEOUT_MS))) (connection as unknown as { connection?: { stream?: { destroy(): void } } } | undefined)?.connection?.stream?.destroy();
    this.phase = 'stopped';
    this.log.info({ event: 'broker.stopped', broker: this.where, unfinished }, 'disconnected from the broker');
  }
}

function isMismatch(problem: unknown): boolean {
  return problem instanceof HilumError && problem.code === 'CONFIG_INVALID';
}

function unconfirmed(cause?: unknown): HilumError {
  return new HilumError('BROKER_UNREACHABLE', 'transient', 'the broker did not confirm a message in time', { cause });
}

/** Whether `promise` settled, well or not, within `ms` milliseconds. */
async function inTime(promise: Promise<unknown>, ms: number): Promise<boolean> {
  try {
    await withTimeout(promise.catch(() => {}), ms, () => new Error('late'));
    return true;
  } catch {
    return false;
  }
}

/** Persistent, and resolved by the broker's confirm. Rejects on a nack and when the channel closes first. */
function confirmed(channel: ConfirmChannel, exchange: string, routingKey: string, body: Buffer, options: Options.Publish): Promise<void> {
  return new Promise((resolve, reject) => {
    const properties = { ...options, persistent: true, contentType: 'application/json', appId: 'hilum', timestamp: Math.floor(Date.now() / 1000) };
    channel.publish(exchange, routingKey, body, properties, (error: unknown) => (error === null || error === undefined ? resolve() : reject(error instanceof Error ? error : new Error(String(error)))));
  });
}

/** Calls `lost` when the channel closes. Without an 'error' listener a channel that the broker closes would end the process. */
function watch(channel: Channel, lost: (why: unknown) => void): void {
  let why: unknown = new Error('the channel closed');
  channel.on('error', (error: unknown) => (why = error));
  channel.once('close', () => lost(why));
}

/** On a channel of its own: the broker closes a channel on which anything is refused. */
async function onOwnChannel<T>(connection: ChannelModel, use: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  try {
    return await use(channel);
  } finally {
    await channel.close().catch(() => {});
  }
}

/**
 * Declares everything; what is there already with the same arguments stays as it is.
 * @throws HilumError CONFIG_INVALID when it is there with other arguments (406 PRECONDITION_FAILED).
 */
async function declare(connection: ChannelModel, plan: Topology): Promise<void> {
  try {
    await onOwnChannel(connection, async (channel) => {
      for (const { name, type } of [plan.study, plan.result]) await channel.assertExchange(name, type, { durable: true });
      for (const { name, arguments: args } of [plan.work, ...plan.delays, plan.dead]) await channel.assertQueue(name, { durable: true, arguments: args });
      for (const { queue, exchange, routingKey } of plan.bindings) await channel.bindQueue(queue, exchange, routingKey);
    });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 406)) throw cause;
    throw new HilumError('CONFIG_INVALID', 'permanent', `the broker has an exchange or queue named ${plan.study.name}... with other arguments: delete it there, or set another broker.prefix`, { cause });
  }
}
