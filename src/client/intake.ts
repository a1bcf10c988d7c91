import type { Channel, ConsumeMessage, Message } from 'amqplib';
import type { Priority } from '../base/priority';
import type { ChannelKeeper } from './channel-keeper';
import { CLOSE_TIMEOUT_MS, inTime, type BrokerConnection } from './connection';
import { declare, watch } from './declare';
import { PRIORITY_HEADER, priorityOf, settler, timestampOf, traceHeaders, type DeliveryContext, type MessageHeaders } from './delivery';

/** How urgent a study message is; null where that can't be told now: then it is worked on as routine, and asked about again if it comes by again. */
export type Classify = (body: Uint8Array) => Promise<Priority | null>;

/** Messages that are classified at the same time. Little work, and a slow archive should not make the urgent ones queue behind the others. */
const PREFETCH = 10;

/** Moves each message of the intake to the urgent or the routine queue. It judges nothing else: what is wrong with a message is for the one who works on it. */
export class Intake {
  private readonly keeper: ChannelKeeper<Channel>;
  private readonly inHand = new Set<Promise<void>>();
  private consumerTag = '';

  constructor(connection: BrokerConnection, private readonly context: DeliveryContext, private readonly classify: Classify, private readonly moved: () => void) {
    this.keeper = connection.keep('intake', async (open) => {
      await declare(open, context.plan);
      const channel = await open.createChannel();
      watch(channel, (why) => this.keeper.lost(channel, why));
      await channel.prefetch(PREFETCH);
      const reply = await channel.consume(context.plan.intake.name, (message) => this.receive(channel, message));
      this.consumerTag = reply.consumerTag;
      return channel;
    });
  }

  /** Takes no more and waits up to `graceMs` milliseconds for what it has; the rest goes back to the intake. */
  async stop(graceMs: number): Promise<void> {
    const channel = this.keeper.current();
    if (channel !== undefined) await inTime(channel.cancel(this.consumerTag), CLOSE_TIMEOUT_MS);
    await inTime(Promise.allSettled([...this.inHand]), graceMs);
  }

  private receive(channel: Channel, message: ConsumeMessage | null): void {
    // null: the broker has cancelled the consumer (the queue was deleted, its node went away). Closing the channel makes the keeper start over.
    if (message === null) return void channel.close().catch(() => {});
    const work = this.pass(channel, message);
    this.inHand.add(work);
    void work.finally(() => this.inHand.delete(work));
  }

  /** A message that comes by again after a delay keeps its priority. One that is redelivered is passed on like any other: nothing was done with it. */
  private async pass(channel: Channel, message: Message): Promise<void> {
    const headers: MessageHeaders = message.properties.headers ?? {};
    const known = priorityOf(headers);
    const priority = known ?? (await this.classify(message.content).catch(() => null));
    const trace = traceHeaders(headers);
    // After a delay the waiting starts anew; the first time through, it began when the event was published.
    const timestamp = known === undefined ? timestampOf(message) : undefined;
    await settler(channel, message, this.context).move(this.context.plan[priority ?? 'routine'].name, priority === null ? trace : { ...trace, [PRIORITY_HEADER]: priority }, timestamp);
    this.moved();
  }
}
