import type { Channel, GetMessage } from 'amqplib';
import type { Log } from '../base/log';
import { PRIORITIES, type Priority } from '../events/priority';
import { brokerSeenSince } from './broker-restart-marker';
import type { ChannelKeeper } from './channel-keeper';
import { type BrokerConnection, inTime } from './connection';
import { declare, watch } from './declare';
import { consumedMessage, type ConsumedMessage, handle, type MessageContext, timestampOf } from './message';
import { QueueAge } from './queue-age';
import { Scheduler } from './scheduler';
import type { Topology } from './topology';

/** `priority`: of the queue that the message was taken from. */
export type StudyHandler = (message: ConsumedMessage, priority: Priority) => Promise<void>;

export interface PriorityConsumerOptions {
  /** Messages worked on at the same time. */
  readonly prefetch: number;
  /** Number of urgent messages in a row after which a waiting routine one is taken. */
  readonly routineEvery: number;
  /** Polling interval for empty queues (milliseconds). */
  readonly idleMs: number;
}

interface Taken {
  readonly channel: Channel;
  readonly message: GetMessage;
}

/** Longest wait for a channel before the queue counts as empty (milliseconds). */
const CHANNEL_WAIT_MS = 1_000;

/**
 * Takes messages from the urgent and the routine queue, one for each free slot (basic.get), and passes them to
 * `handler`. basic.consume is not used: the broker has no order between two queues, and would send messages ahead that
 * wait behind a busy worker's study while another worker is idle.
 */
export class PriorityConsumer {
  private readonly keeper: ChannelKeeper<Channel>;
  private readonly scheduler: Scheduler<Taken>;
  private readonly inHand = new Set<Promise<void>>();
  private readonly ages: Readonly<Record<Priority, QueueAge>> = {
    urgent: new QueueAge(Date.now()),
    routine: new QueueAge(Date.now()),
  };
  private readonly log: Log;
  private brokerSince = 0;

  constructor(
    connection: BrokerConnection,
    private readonly plan: Topology,
    private readonly context: MessageContext,
    private readonly handler: StudyHandler,
    options: PriorityConsumerOptions,
  ) {
    this.log = context.log;
    const take = (priority: Priority) => this.take(priority);
    const work = ({ channel, message }: Taken, priority: Priority) =>
      this.work(consumedMessage(channel, message, plan[priority].name, context, this.brokerSince), priority);
    this.scheduler = new Scheduler({
      slots: options.prefetch,
      routineEvery: options.routineEvery,
      idleMs: options.idleMs,
      take,
      work,
      requeue: ({ channel, message }) => channel.nack(message, false, true),
    });
    this.keeper = connection.keep('worker', async (open) => {
      await declare(open, plan);
      this.brokerSince = await brokerSeenSince(open, plan.restartMarker.name);
      const channel = await open.createChannel();
      watch(channel, (why) => this.keeper.lost(channel, why));
      this.log.info(
        {
          event: 'broker.consuming',
          broker: connection.where,
          queues: PRIORITIES.map((priority) => plan[priority].name),
          prefetch: options.prefetch,
        },
        'waiting for studies',
      );
      return channel;
    });
    this.scheduler.start();
  }

  /** Called when there may be a message. */
  wake(): void {
    this.scheduler.wake();
  }

  /** Upper bound of the waiting time of the oldest of `messages` in a queue (seconds). */
  age(priority: Priority, messages: number): number {
    const now = Date.now();
    if (messages === 0) this.ages[priority].empty(now);
    return this.ages[priority].seconds(messages, now);
  }

  /** Takes no more, and waits up to `graceMs` milliseconds for messages in work. Resolves to the number left. */
  async stop(graceMs: number): Promise<number> {
    const all = this.scheduler.stop().then(() => Promise.allSettled([...this.inHand]));
    await inTime(all, graceMs);
    return this.inHand.size;
  }

  private async take(priority: Priority): Promise<Taken | null> {
    const channel = await this.keeper.whenOpen(CHANNEL_WAIT_MS);
    const message = await channel.get(this.plan[priority].name);
    const age = this.ages[priority];
    if (message === false) {
      age.empty(Date.now());
      return null;
    }
    const timestamp = timestampOf(message);
    age.taken(timestamp === undefined ? null : timestamp * 1000);
    return { channel, message };
  }

  private work(message: ConsumedMessage, priority: Priority): Promise<void> {
    const work = handle(message, (given) => this.handler(given, priority), this.context);
    this.inHand.add(work);
    return work.finally(() => this.inHand.delete(work));
  }
}
