import type { Channel, ChannelModel } from 'amqplib';
import { sleep } from '../base/retry';
import { onOwnChannel } from './declare';

/** Attempts to read the marker, as another process may hold it for a moment. */
const LOOKS = 4;
const PAUSE_MS = 50;

/**
 * Time when the broker was first seen after its last start (milliseconds since 1970). AMQP does not report it, so a
 * transient message, the marker, is kept in a queue of its own: a restart of the broker loses it, and the next process
 * to connect makes a new one. After RabbitMQ is killed it marks every message as redelivered; a message queued before
 * this time may simply have waited, and does not show that a worker died. Await it before messages are published or
 * consumed. The time is taken before the first look, so that a message published by a process that saw a marker is
 * younger than a marker that another process makes meanwhile.
 */
export function brokerSeenSince(connection: ChannelModel, queue: string): Promise<number> {
  return onOwnChannel(connection, async (channel) => {
    const now = Date.now();
    for (let look = 1; ; look++) {
      const marker = await read(channel, queue);
      if (marker !== null) return marker;
      if (look === LOOKS) break;
      await sleep(PAUSE_MS);
    }
    channel.sendToQueue(queue, Buffer.from(String(now)), { persistent: false });
    return now;
  });
}

async function read(channel: Channel, queue: string): Promise<number | null> {
  const message = await channel.get(queue);
  if (message === false) return null;
  const marker = Number(message.content.toString('utf8'));
  // Made while a clock was ahead: until then no loss would be counted.
  const isAhead = marker > Date.now();
  if (isAhead) channel.ack(message);
  else channel.nack(message, false, true);
  return Number.isFinite(marker) && !isAhead ? marker : null;
}
