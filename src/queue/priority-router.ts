import type { Channel, ChannelModel, Message } from 'amqplib';
import { describeSpan, inSpan } from '../base/trace';
import type { Priority } from '../events/priority';
import { brokerSeenSince } from './broker-restart-marker';
import type { BrokerConnection } from './connection';
import { declare } from './declare';
import {
  type MessageContext,
  type MessageHeaders,
  PRIORITY_HEADER,
  priorityOf,
  settler,
  timestampOf,
  wayHeaders,
} from './message';
import { QueueConsumer } from './queue-consumer';
import type { Topology } from './topology';
import { processing } from './trace';

/**
 * How urgent a study message is; null where that can't be told now: then it is worked on as routine, and asked about
 * again if it comes by again.
 */
export type Classify = (body: Uint8Array) => Promise<Priority | null>;

/**
 * Messages that are classified at the same time. Little work, and a slow archive should not make the urgent ones queue
 * behind the others.
 */
const PREFETCH = 10;

/**
 * Moves each message of the intake queue to the urgent or the routine queue. It judges nothing else: what is wrong with
 * a message is for the consumer of these queues.
 */
export class PriorityRouter {
  private readonly consumer: QueueConsumer;

  constructor(
    connection: BrokerConnection,
    private readonly plan: Topology,
    private readonly context: MessageContext,
    private readonly classify: Classify,
    private readonly moved: () => void,
  ) {
    const receive = (channel: Channel, message: Message) =>
      inSpan(processing(message, plan.intake.name), () => this.route(channel, message));
    const prepare = async (open: ChannelModel) => {
      await declare(open, plan);
      // Before anything is moved: what is queued earlier than the marker does not count as lost when its worker dies.
      await brokerSeenSince(open, plan.restartMarker.name);
    };
    this.consumer = new QueueConsumer(connection, {
      name: 'intake',
      queue: plan.intake.name,
      prefetch: PREFETCH,
      prepare,
      receive,
    });
  }

  /** Takes no more and waits up to `graceMs` milliseconds for what it has; the rest goes back to the intake. */
  async stop(graceMs: number): Promise<void> {
    await this.consumer.stop(graceMs);
  }

  /**
   * A message that comes by again after a delay keeps its priority. One that is redelivered is passed on like any
   * other: nothing was done with it.
   */
  private async route(channel: Channel, message: Message): Promise<void> {
    const headers: MessageHeaders = message.properties.headers ?? {};
    const known = priorityOf(headers);
    const priority = known ?? (await this.classify(message.content).catch(() => null));
    const way = wayHeaders(headers);
    describeSpan({ 'hilum.priority': priority ?? 'undecided' });
    // After a delay the waiting starts anew; the first time through, it began when the event was published.
    const timestamp = known === undefined ? timestampOf(message) : undefined;
    await settler(channel, message, this.context).move(
      this.plan[priority ?? 'routine'].name,
      priority === null ? way : { ...way, [PRIORITY_HEADER]: priority },
      timestamp,
    );
    this.moved();
  }
}
