import type { Channel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from './connection';
import { declare } from './declare';
import { brokerDelivery, type DeliveryContext, type DeliveryHandler, handle } from './delivery';
import { brokerSeenSince } from './epoch';
import { Subscription } from './subscription';
import type { SinkQueues, Topology } from './topology';

/**
 * Hands the results in one sink's queue to `handler`, one at a time. The queue has a single active consumer, so that
 * also with several workers one result follows the other; when that worker goes, the broker turns to the next.
 */
export function sinkWorker(
  connection: BrokerConnection,
  plan: Topology,
  queues: SinkQueues,
  context: DeliveryContext,
  handler: DeliveryHandler,
): Subscription {
  let brokerSince = 0;
  return new Subscription(connection, {
    name: `result.${queues.sink}`,
    queue: queues.queue.name,
    prefetch: 1,
    prepare: async (open) => {
      await declare(open, plan);
      brokerSince = await brokerSeenSince(open, plan.epoch.name);
      context.log.info(
        { event: 'broker.consuming', broker: connection.where, queues: [queues.queue.name], prefetch: 1 },
        'waiting for results to deliver',
      );
    },
    receive: (channel: Channel, message: ConsumeMessage) =>
      handle(brokerDelivery(channel, message, queues.queue.name, context, brokerSince), handler, context),
  });
}
