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
  /** Came while the consumer stops: they go back when it is cancelled. */
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
   * Takes no more and waits up to `graceMs` milliseconds for what it has; the rest goes back to the queue. Resolves to
   * how many are left.
   *
   * The consumer is cancelled after that: RabbitMQ 4 turns to the next consumer of a queue with a single active one as
   * soon as this one is cancelled, whatever it still has in hand.
   */
  async stop(graceMs: number): Promise<number> {
    this.isStopping = true;
    await inTime(Promise.allSettled([...this.inHand]), graceMs);
    const channel = this.keeper.current();
    if (channel !== undefined) await inTime(channel.cancel(this.consumerTag), CLOSE_TIMEOUT_MS);
    // What came over a channel that is gone has gone back already.
    for (const late of this.late.splice(0))
      if (late.channel === this.keeper.current()) late.channel.nack(late.message, false, true);
    return this.inHand.size;
  }

  private receive(channel: Channel, message: ConsumeMessage | null): void {
    // null: the broker has cancelled the consumer (the queue was deleted, its node went away). Closing the channel
    // makes the keeper start over.
    if (message === null) return void channel.close().catch(() => {});
    if (this.isStopping) return void this.late.push({ channel, message });
    const work = this.options.receive(channel, message);
    this.inHand.add(work);
    void work.finally(() => this.inHand.delete(work));
  }
}
