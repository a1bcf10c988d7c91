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
 * Priority of a study message; null where it can't be decided now: then it is treated as routine, and classified again
 * should it return.
 */
export type Classify = (body: Uint8Array) => Promise<Priority | null>;

/** Number of messages classified at the same time: little work, and a slow archive should not delay urgent ones. */
const PREFETCH = 10;

/**
 * Moves each message of the intake queue to the urgent or the routine queue. Errors in a message are left to the
 * consumers of these.
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
      // Before anything is moved: a message queued before the marker does not count as lost when its worker dies.
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

  /** Takes no more, and waits up to `graceMs` milliseconds for messages in work; the rest goes back to the intake. */
  async stop(graceMs: number): Promise<void> {
    await this.consumer.stop(graceMs);
  }

  /**
   * A message that returns after a delay keeps its priority. A redelivered one is passed on like any other, as nothing
   * was done with it.
   */
  private async route(channel: Channel, message: Message): Promise<void> {
    const headers: MessageHeaders = message.properties.headers ?? {};
    const known = priorityOf(headers);
    const priority = known ?? (await this.classify(message.content).catch(() => null));
    const way = wayHeaders(headers);
    describeSpan({ 'hilum.priority': priority ?? 'undecided' });
    // After a delay the waiting time starts again; the first time it starts with the publication.
    const timestamp = known === undefined ? timestampOf(message) : undefined;
    await settler(channel, message, this.context).move(
      this.plan[priority ?? 'routine'].name,
      priority === null ? way : { ...way, [PRIORITY_HEADER]: priority },
      timestamp,
    );
    this.moved();
  }
}
