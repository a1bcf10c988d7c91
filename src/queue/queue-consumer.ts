import type { Channel, ConsumeMessage } from 'amqplib';
import type { ChannelKeeper } from './channel-keeper';
import { type BrokerConnection, CLOSE_TIMEOUT_MS, inTime } from './connection';
import { watch } from './declare';

export interface QueueConsumerOptions {
  readonly name: string;
  readonly queue: string;
  /** Messages in hand at the same time, at most. */
  readonly prefetch: number;
  /** Done on each new connection before messages come. */
  readonly prepare: (connection: Parameters<Parameters<BrokerConnection['keep']>[1]>[0]) => Promise<void>;
  /** Must settle the message, and must not reject. */
  readonly receive: (channel: Channel, message: ConsumeMessage) => Promise<void>;
}

/** Has the messages of one queue sent to it (basic.consume), now and after every reconnection. */
export class QueueConsumer {
  private readonly keeper: ChannelKeeper<Channel>;
  private readonly inHand = new Set<Promise<void>>();
  private consumerTag = '';
  private isStopping = false;

  constructor(
    connection: BrokerConnection,
    private readonly options: QueueConsumerOptions,
  ) {
    this.keeper = connection.keep(options.name, async (open) => {
      await options.prepare(open);
      const channel = await open.createChannel();
      watch(channel, (why) => this.keeper.lost(channel, why));
      await channel.prefetch(options.prefetch);
      const reply = await channel.consume(options.queue, (message) => this.receive(channel, message));
      this.consumerTag = reply.consumerTag;
      return channel;
    });
  }

  /**
   * Takes no more and waits up to `graceMs` milliseconds for what it has; the rest goes back to the queue. Resolves to
   * how many are left.
   */
  async stop(graceMs: number): Promise<number> {
    this.isStopping = true;
    const channel = this.keeper.current();
    if (channel !== undefined) await inTime(channel.cancel(this.consumerTag), CLOSE_TIMEOUT_MS);
    await inTime(Promise.allSettled([...this.inHand]), graceMs);
    return this.inHand.size;
  }

  private receive(channel: Channel, message: ConsumeMessage | null): void {
    // null: the broker has cancelled the consumer (the queue was deleted, its node went away). Closing the channel
    // makes the keeper start over.
    if (message === null) return void channel.close().catch(() => {});
    // Sent before the broker heard that we stop: it goes back when the channel closes.
    if (this.isStopping) return;
    const work = this.options.receive(channel, message);
    this.inHand.add(work);
    void work.finally(() => this.inHand.delete(work));
  }
}
