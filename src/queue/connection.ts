import { type AmqpConnectionManager, connect } from 'amqp-connection-manager';
import { type Channel, type ChannelModel, credentials } from 'amqplib';
import { describeError, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { type Backoff, backoffMs, withTimeout } from '../base/retry';
import { readTls, type TlsFiles } from '../net/tls';
import { ChannelKeeper } from './channel-keeper';
import { connectProblem } from './connect-problem';

export interface ConnectionOptions {
  /** amqp://user:password@host:port/vhost, or amqps:// */
  readonly url: string;
  readonly tls?: TlsFiles;
  /** In seconds, as in AMQP. */
  readonly heartbeatSeconds?: number;
  readonly connectTimeoutMs?: number;
  readonly reconnect?: Backoff;
}

/**
 * `misconfigured`: the broker has queues or exchanges of our names with other arguments. `blocked`: it accepts no
 * messages (memory or disk alarm).
 */
export const BROKER_STATES = [
  'connecting',
  'connected',
  'disconnected',
  'blocked',
  'misconfigured',
  'stopping',
  'stopped',
] as const;
export type BrokerState = (typeof BROKER_STATES)[number];

export const CLOSE_TIMEOUT_MS = 3_000;

/** A connection that reconnects by itself, and its channels. Connects in the background, for as long as it takes. */
export class BrokerConnection {
  /** Host and port of the broker for the log, without a password. */
  readonly where: string;
  private readonly url: string;
  private readonly manager: AmqpConnectionManager;
  private readonly keepers: ChannelKeeper<Channel>[] = [];
  private readonly reconnect: Backoff;
  private readonly connectTimeoutMs: number;
  private failures = 0;
  private everConnected = false;
  private blocked = false;
  private phase: 'running' | 'stopping' | 'stopped' = 'running';
  private connectProblem: unknown;

  /** @throws HilumError CONFIG_INVALID for unreadable TLS files */
  constructor(
    options: ConnectionOptions,
    private readonly log: Log,
  ) {
    const { url, tls, connectTimeoutMs = 10_000, heartbeatSeconds = 30 } = options;
    this.connectTimeoutMs = connectTimeoutMs;
    this.reconnect = options.reconnect ?? { baseMs: 1_000, maxMs: 30_000 };
    this.url = url;
    this.where = new URL(url).host;
    const connectionOptions = {
      ...readTls(tls),
      ...credentialsOf(url),
      timeout: connectTimeoutMs,
      keepAlive: true,
      noDelay: true,
      clientProperties: { connection_name: 'hilum' },
    };
    this.manager = connect([url], {
      heartbeatIntervalInSeconds: heartbeatSeconds,
      reconnectTimeInSeconds: this.reconnect.baseMs / 1000,
      connectionOptions,
    });
    this.listen();
  }

  /** Keeps a channel open from now on, while there is a connection. */
  keep<C extends Channel>(name: string, open: (connection: ChannelModel) => Promise<C>): ChannelKeeper<C> {
    const onLost = (error: unknown) => {
      if (isMismatch(error))
        this.log.error(
          { event: 'broker.misconfigured', broker: this.where, error: describeError(error) },
          error.message,
        );
      else
        this.log.warn(
          { event: 'broker.channel-lost', broker: this.where, channel: name, error: describeError(error) },
          `the ${name} channel was lost`,
        );
    };
    const keeper = new ChannelKeeper<C>({
      name,
      open,
      openTimeoutMs: this.connectTimeoutMs,
      backoff: this.reconnect,
      onLost,
    });
    this.keepers.push(keeper as unknown as ChannelKeeper<Channel>);
    const connection = this.current();
    if (connection !== undefined) keeper.attach(connection);
    return keeper;
  }

  current(): ChannelModel | undefined {
    return this.manager.connection;
  }

  state(): BrokerState {
    if (this.phase !== 'running') return this.phase;
    if (this.keepers.some(({ problem }) => isMismatch(problem))) return 'misconfigured';
    if (!this.keepers.every(({ isOpen }) => isOpen)) return this.everConnected ? 'disconnected' : 'connecting';
    return this.blocked ? 'blocked' : 'connected';
  }

  /** Resolves when all channels are open. @throws HilumError BROKER_UNREACHABLE or CONFIG_INVALID after `timeoutMs` */
  async ready(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    try {
      for (const keeper of this.keepers) await keeper.whenOpen(deadline - Date.now());
    } catch (error) {
      if (this.connectProblem === undefined) throw error;
      const why = connectProblem(this.connectProblem, this.url);
      throw new HilumError(
        'BROKER_UNREACHABLE',
        'transient',
        `no connection to the broker at ${this.where}${why === null ? '' : `: ${why}`}`,
        { cause: this.connectProblem },
      );
    }
  }

  stopping(): void {
    this.phase = 'stopping';
  }

  async close(): Promise<void> {
    for (const keeper of this.keepers) keeper.detach();
    const connection = this.current();
    // close() may never resolve with a dead peer (amqplib); then the socket is destroyed.
    if (!(await inTime(this.manager.close(), CLOSE_TIMEOUT_MS)))
      (
        connection as unknown as { connection?: { stream?: { destroy(): void } } } | undefined
      )?.connection?.stream?.destroy();
    this.phase = 'stopped';
  }

  private listen(): void {
    this.manager.on('connect', () => this.connected(this.current()!));
    this.manager.on('connectFailed', ({ err }) => this.down('broker.unreachable', "the broker can't be reached", err));
    this.manager.on('disconnect', ({ err }) =>
      this.down('broker.disconnected', 'the connection to the broker was lost', err),
    );
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
    // Without a listener an 'error' event would end the process; 'close' follows it and is handled.
    connection.on('error', () => {});
    this.log.info({ event: 'broker.connected', broker: this.where }, 'connected to the broker');
    for (const keeper of this.keepers) keeper.attach(connection);
  }

  private down(event: 'broker.unreachable' | 'broker.disconnected', text: string, error: unknown): void {
    for (const keeper of this.keepers) keeper.detach();
    this.connectProblem = error;
    if (this.phase !== 'running') return;
    const waitMs = backoffMs(this.failures++, this.reconnect);
    // The manager reads it right after this event.
    this.manager.reconnectTimeInSeconds = waitMs / 1000;
    this.log.warn(
      { event, broker: this.where, nextTrySeconds: waitMs / 1000, error: describeError(error) },
      connectProblem(error, this.url) ?? text,
    );
  }
}

/**
 * User name and password of the URL. amqplib reads percent signs as Latin-1, so that the broker would refuse letters
 * beyond ASCII; what is no UTF-8 is left to it.
 */
function credentialsOf(url: string): { credentials?: ReturnType<typeof credentials.plain> } {
  const { username, password } = new URL(url);
  if (username === '' && password === '') return {};
  try {
    return { credentials: credentials.plain(decodeURIComponent(username), decodeURIComponent(password)) };
  } catch {
    return {};
  }
}

function isMismatch(problem: unknown): problem is HilumError {
  return problem instanceof HilumError && problem.code === 'CONFIG_INVALID';
}

/** Whether `promise` has settled, fulfilled or rejected, within `ms` milliseconds. */
export async function inTime(promise: Promise<unknown>, ms: number): Promise<boolean> {
  try {
    await withTimeout(
      promise.catch(() => {}),
      ms,
      () => new Error('late'),
    );
    return true;
  } catch {
    return false;
  }
}
