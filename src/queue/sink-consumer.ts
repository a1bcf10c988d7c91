import type { Channel, ConsumeMessage } from 'amqplib';
import { brokerSeenSince } from './broker-restart-marker';
import type { BrokerConnection } from './connection';
import { declare } from './declare';
import { consumedMessage, handle, type MessageContext, type MessageHandler } from './message';
import { QueueConsumer } from './queue-consumer';
import type { SinkQueues, Topology } from './topology';

/**
 * Passes the results in a sink's queue to `handler`, one at a time. The queue has a single active consumer, so that
 * results stay in order with several processes; when that process ends, the broker activates the next one.
 */
export function sinkConsumer(
  connection: BrokerConnection,
  plan: Topology,
  queues: SinkQueues,
  context: MessageContext,
  handler: MessageHandler,
): QueueConsumer {
  let brokerSince = 0;
  return new QueueConsumer(connection, {
    name: `result.${queues.sink}`,
    queue: queues.queue.name,
    prefetch: 1,
    prepare: async (open) => {
      await declare(open, plan);
      brokerSince = await brokerSeenSince(open, plan.restartMarker.name);
      context.log.info(
        { event: 'broker.consuming', broker: connection.where, queues: [queues.queue.name], prefetch: 1 },
        'waiting for results to deliver',
      );
    },
    receive: (channel: Channel, message: ConsumeMessage) =>
      handle(consumedMessage(channel, message, queues.queue.name, context, brokerSince), handler, context),
  });
}
