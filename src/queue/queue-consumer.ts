import type { Channel, ConsumeMessage } from 'amqplib';
import type { ChannelKeeper } from './channel-keeper';
import { type BrokerConnection, CLOSE_TIMEOUT_MS, inTime } from './connection';
import { watch } from './declare';

export interface QueueConsumerOptions {
  readonly name: string;
  readonly queue: string;
  /** Largest number of unacknowledged messages. */
  readonly prefetch: number;
  /** Run on each new connection before messages arrive. */
  readonly prepare: (connection: Parameters<Parameters<BrokerConnection['keep']>[1]>[0]) => Promise<void>;
  /** Must settle the message, and must not reject. */
  readonly receive: (channel: Channel, message: ConsumeMessage) => Promise<void>;
}

/** Consumes one queue (basic.consume), now and after every reconnection. */
export class QueueConsumer {
  private readonly keeper: ChannelKeeper<Channel>;
  private readonly inHand = new Set<Promise<void>>();
  /** Messages that arrived while the consumer stops; they go back when it is cancelled. */
  private readonly late: { readonly channel: Channel; readonly message: ConsumeMessage }[] = [];
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
   * Takes no more, and waits up to `graceMs` milliseconds for messages in work; the rest goes back to the queue.
   * Resolves to the number left.
   *
   * The consumer is cancelled last: RabbitMQ 4 activates the next consumer of a single-active-consumer queue as soon as
   * this one is cancelled, even if it still has messages in work.
   */
  async stop(graceMs: number): Promise<number> {
    this.isStopping = true;
    await inTime(Promise.allSettled([...this.inHand]), graceMs);
    const channel = this.keeper.current();
    if (channel !== undefined) await inTime(channel.cancel(this.consumerTag), CLOSE_TIMEOUT_MS);
    // Messages of a closed channel have gone back already.
    for (const late of this.late.splice(0))
      if (late.channel === this.keeper.current()) late.channel.nack(late.message, false, true);
    return this.inHand.size;
  }

  private receive(channel: Channel, message: ConsumeMessage | null): void {
    // null: the broker has cancelled the consumer (the queue was deleted, or its node is gone). Closing the channel
    // makes the channel keeper open a new one.
    if (message === null) return void channel.close().catch(() => {});
    if (this.isStopping) return void this.late.push({ channel, message });
    const work = this.options.receive(channel, message);
    this.inHand.add(work);
    void work.finally(() => this.inHand.delete(work));
  }
}
