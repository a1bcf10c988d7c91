import type { Channel, ChannelModel } from 'amqplib';
import { HilumError } from '../base/errors';
import { type Backoff, backoffMs, sleep, withTimeout } from '../base/retry';

export interface KeeperOptions<C extends Channel> {
  readonly name: string;
  /** Opens and prepares the channel (declare, consume ...). If it throws, it has to close what it has opened. */
  readonly open: (connection: ChannelModel) => Promise<C>;
  /** Longest time for `open` (milliseconds): AMQP has no time-out of its own. */
  readonly openTimeoutMs: number;
  readonly backoff: Backoff;
  readonly onOpen?: () => void;
  readonly onLost: (why: unknown) => void;
}

/**
 * Keeps one channel open while there is a connection. The connection manager reopens channels only with a new
 * connection; but a broker also closes a single channel, when a consumer holds a message for too long or a queue is
 * deleted, and the service would then consume nothing.
 */
export class ChannelKeeper<C extends Channel> {
  private connection: ChannelModel | undefined;
  private channel: C | undefined;
  private failures = 0;
  private readonly closed = new WeakSet<C>();
  /** Aborts the wait for the next opening when the connection is lost. */
  private leaving = new AbortController();
  private readonly waiting = new Set<(channel: C) => void>();
  /** Error of the last opening, until one succeeds. */
  problem: unknown;

  constructor(private readonly options: KeeperOptions<C>) {}

  get isOpen(): boolean {
    return this.channel !== undefined;
  }

  current(): C | undefined {
    return this.channel;
  }

  attach(connection: ChannelModel): void {
    this.detach();
    this.connection = connection;
    this.leaving = new AbortController();
    this.failures = 0;
    void this.open(connection);
  }

  /** Called when the connection is lost or no longer needed. */
  detach(): void {
    this.connection = undefined;
    this.channel = undefined;
    this.leaving.abort();
  }

  /**
   * @throws HilumError BROKER_UNREACHABLE, or the error of the last opening, when it is not open within `ms`
   * milliseconds
   */
  async whenOpen(ms: number): Promise<C> {
    if (this.channel !== undefined) return this.channel;
    let wake: (channel: C) => void = () => {};
    const opened = new Promise<C>((resolve) => this.waiting.add((wake = resolve)));
    try {
      return await withTimeout(opened, ms, () =>
        this.problem instanceof HilumError
          ? this.problem
          : new HilumError('BROKER_UNREACHABLE', 'transient', 'no connection to the broker', { cause: this.problem }),
      );
    } finally {
      this.waiting.delete(wake);
    }
  }

  private async open(connection: ChannelModel): Promise<void> {
    while (this.connection === connection && this.channel === undefined) {
      try {
        this.take(connection, await this.openInTime(connection));
        return;
      } catch (error) {
        if (this.connection !== connection) return;
        this.problem = error;
        this.options.onLost(error);
        await sleep(backoffMs(this.failures++, this.options.backoff), this.leaving.signal);
      }
    }
  }

  /** A channel that opens too late is closed: it would consume beside its replacement. */
  private async openInTime(connection: ChannelModel): Promise<C> {
    const opening = this.options.open(connection);
    let late = false;
    void opening.then((channel) => (late ? channel.close() : undefined)).catch(() => {});
    return withTimeout(opening, this.options.openTimeoutMs, () => {
      late = true;
      return new HilumError(
        'BROKER_UNREACHABLE',
        'transient',
        `the broker did not open the ${this.options.name} channel in time`,
      );
    });
  }

  private take(connection: ChannelModel, channel: C): void {
    if (this.connection !== connection) return;
    if (this.closed.has(channel))
      throw new HilumError(
        'BROKER_UNREACHABLE',
        'transient',
        `the ${this.options.name} channel closed as soon as it was open`,
      );
    this.channel = channel;
    this.failures = 0;
    this.problem = undefined;
    this.options.onOpen?.();
    for (const wake of this.waiting) wake(channel);
    this.waiting.clear();
  }

  /** Call it when `channel` has closed for whatever reason; opens another one while there is a connection. */
  lost(channel: C, why: unknown): void {
    this.closed.add(channel);
    if (this.channel !== channel) return;
    this.channel = undefined;
    const { connection } = this;
    if (connection === undefined) return;
    this.options.onLost(why);
    void sleep(backoffMs(0, this.options.backoff), this.leaving.signal).then(() => this.open(connection));
  }
}
