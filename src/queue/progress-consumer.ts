import type { ConsumeMessage } from 'amqplib';
import { describeFailure } from '../base/errors';
import type { Log } from '../base/log';
import { parseProgressEvent, type ProgressEvent } from '../events/progress-event';
import type { BrokerConnection } from './connection';
import { declare, declareProgressQueue } from './declare';
import { type MessageContext, settler } from './message';
import { QueueConsumer } from './queue-consumer';
import type { Topology } from './topology';

const PREFETCH = 50;

/**
 * Passes the progress events of other workers to `receive`, in order, and acknowledges each at once: they may get lost
 * and are not retried. The queue is declared here only, so that there is none where no process keeps a list.
 */
export function progressConsumer(
  connection: BrokerConnection,
  plan: Topology,
  context: MessageContext,
  receive: (event: ProgressEvent) => void,
): QueueConsumer {
  return new QueueConsumer(connection, {
    name: 'progress',
    queue: plan.progress.queue.name,
    prefetch: PREFETCH,
    prepare: async (open) => {
      await declare(open, plan);
      await declareProgressQueue(open, plan);
    },
    receive: (channel, message) => {
      note(message, context.log, receive);
      settler(channel, message, context).tell('ack');
      return Promise.resolve();
    },
  });
}

function note({ content }: ConsumeMessage, log: Log, receive: (event: ProgressEvent) => void): void {
  try {
    receive(parseProgressEvent(content));
  } catch (error) {
    log.warn(
      { event: 'list.note-unreadable', error: describeFailure(error) },
      'a note of a worker can not be read; the reading list leaves that step out',
    );
  }
}
