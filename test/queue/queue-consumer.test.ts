import { EventEmitter } from 'node:events';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { ChannelKeeper } from '../../src/queue/channel-keeper';
import type { BrokerConnection } from '../../src/queue/connection';
import { QueueConsumer } from '../../src/queue/queue-consumer';
import { until } from '../support/servers/servers';

/**
 * A queue with a single active consumer as RabbitMQ 4 keeps it: the next consumer is active as soon as the one before
 * is cancelled, also while that one holds a message. Prefetch is 1.
 */
class SingleActiveQueue {
  readonly events: string[] = [];
  private readonly consumers: { tag: string; deliver: (message: ConsumeMessage) => void; held: string | null }[] = [];

  constructor(private readonly messages: string[]) {}

  /** What one process opens. */
  connection(name: string): BrokerConnection {
    const channel = Object.assign(new EventEmitter(), {
      prefetch: () => Promise.resolve(),
      consume: (_: string, deliver: (message: ConsumeMessage) => void) => {
        this.consumers.push({ tag: name, deliver, held: null });
        setImmediate(() => this.pump());
        return Promise.resolve({ consumerTag: name });
      },
      cancel: () => {
        this.events.push(`${name} cancelled`);
        this.gone.add(name);
        this.pump();
        return Promise.resolve();
      },
      ack: (message: ConsumeMessage) => this.settle(name, message, false),
      nack: (message: ConsumeMessage) => this.settle(name, message, true),
    }) as unknown as Channel;
    const model = { createChannel: () => Promise.resolve(channel) } as unknown as ChannelModel;
    return {
      keep: (_: string, open: (model: ChannelModel) => Promise<Channel>) => {
        const keeper = new ChannelKeeper<Channel>({
          name,
          open,
          openTimeoutMs: 1_000,
          backoff: { baseMs: 1, maxMs: 1 },
          onLost: () => {},
        });
        setImmediate(() => keeper.attach(model));
        return keeper;
      },
    } as unknown as BrokerConnection;
  }

  get left(): readonly string[] {
    return this.messages;
  }

  private readonly gone = new Set<string>();

  private settle(name: string, { content }: ConsumeMessage, requeue: boolean): void {
    this.events.push(`${name} ${requeue ? 'gives back' : 'settles'} ${content.toString()}`);
    if (requeue) this.messages.unshift(content.toString());
    this.consumers.find(({ tag }) => tag === name)!.held = null;
    this.pump();
  }

  private pump(): void {
    const active = this.consumers.find(({ tag }) => !this.gone.has(tag));
    const next = active?.held === null ? this.messages.shift() : undefined;
    if (active === undefined || next === undefined) return;
    active.held = next;
    active.deliver({ content: Buffer.from(next) } as ConsumeMessage);
  }
}

function consumerOf(queue: SingleActiveQueue, name: string, work: (text: string) => Promise<void>): QueueConsumer {
  return new QueueConsumer(queue.connection(name), {
    name,
    queue: 'results',
    prefetch: 1,
    prepare: () => Promise.resolve(),
    receive: async (channel, message) => {
      queue.events.push(`${name} begins ${message.content.toString()}`);
      await work(message.content.toString());
      channel.ack(message);
    },
  });
}

test('the next consumer begins when the result in hand is settled, with what came meanwhile', async () => {
  const queue = new SingleActiveQueue(['r1', 'r2']);
  let finish = () => {};
  const first = consumerOf(queue, 'first', () => new Promise<void>((resolve) => (finish = resolve)));
  await until('the first has one', () => queue.events.includes('first begins r1'));
  consumerOf(queue, 'second', () => Promise.resolve());
  await until('the second is there', () => queue.left.length === 1);
  const stopping = first.stop(5_000);
  await new Promise(setImmediate);
  expect(queue.events).toEqual(['first begins r1']);
  finish();
  expect(await stopping).toBe(0);
  await until('all is done', () => queue.events.includes('second settles r2'));
  expect(queue.events).toEqual([
    'first begins r1',
    'first settles r1',
    'first cancelled',
    'first gives back r2',
    'second begins r2',
    'second settles r2',
  ]);
});

test('what does not end in time is left to the broker', async () => {
  const queue = new SingleActiveQueue(['r1']);
  const consumer = consumerOf(queue, 'only', () => new Promise<void>(() => {}));
  await until('it has one', () => queue.events.length === 1);
  expect(await consumer.stop(20)).toBe(1);
  expect(queue.events).toEqual(['only begins r1', 'only cancelled']);
});
