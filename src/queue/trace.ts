import type { Message } from 'amqplib';
import { carrierOf, type SpanAttributes, type SpanStart } from '../base/trace';

/**
 * Spans of a message, named by OpenTelemetry's semantic conventions for messaging and RabbitMQ (1.45, in development).
 */
const SYSTEM = { 'messaging.system.name': 'rabbitmq' };

/** Span for publishing a message to an exchange. */
export function sending(exchange: string, routingKey: string, body: Buffer): SpanStart {
  return {
    name: `send ${exchange}`,
    kind: 'producer',
    attributes: {
      ...SYSTEM,
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': exchange,
      'rabbitmq.destination.routing_key': routingKey,
      'messaging.message.body.size': body.length,
    },
  };
}

/** Span for work on a received message, in the trace that came with it. */
export function processing(
  { content, fields, properties }: Message,
  queue: string,
  more: SpanAttributes = {},
): SpanStart {
  return {
    name: `process ${queue}`,
    kind: 'consumer',
    parent: carrierOf(properties.headers ?? {}),
    attributes: {
      ...SYSTEM,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue,
      'rabbitmq.destination.routing_key': fields.routingKey,
      'messaging.message.id': properties.messageId as string | undefined,
      'messaging.message.body.size': content.length,
      ...more,
    },
  };
}
