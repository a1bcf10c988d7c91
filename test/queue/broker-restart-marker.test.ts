import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import { brokerSeenSince } from '../../src/queue/broker-restart-marker';

/** A broker's queue of one message, which is taken and given back or settled. */
class MarkerQueue {
  constructor(public marker: string | null = null) {}

  readonly connection = {
    createChannel: () =>
      Promise.resolve(
        Object.assign(new EventEmitter(), {
          get: () => Promise.resolve(this.marker === null ? false : { content: Buffer.from(this.marker) }),
          nack: () => {},
          ack: () => (this.marker = null),
          sendToQueue: (_: string, content: Buffer) => (this.marker = content.toString()),
          close: () => Promise.resolve(),
        }),
      ),
  } as unknown as ChannelModel;
}

test('the first process makes the mark, the others read it', async () => {
  const before = Date.now();
  const queue = new MarkerQueue();
  const mark = await brokerSeenSince(queue.connection, 'epoch');
  expect(mark).toBeGreaterThanOrEqual(before);
  expect(await brokerSeenSince(queue.connection, 'epoch')).toBe(mark);
});

test('a mark made while the clock was ahead is replaced: before its time no loss would be counted', async () => {
  const before = Date.now();
  const queue = new MarkerQueue(String(before + 86_400_000));
  const mark = await brokerSeenSince(queue.connection, 'epoch');
  expect(mark).toBeGreaterThanOrEqual(before);
  expect(mark).toBeLessThanOrEqual(Date.now());
  expect(queue.marker).toBe(String(mark));
});
