import type { Channel, ChannelModel } from 'amqplib';
import { sleep } from '../base/retry';
import { onOwnChannel } from './declare';

/** Another process may hold the marker for a moment while it reads it. */
const LOOKS = 4;
const PAUSE_MS = 50;

/**
 * When the broker was first seen after its last start (milliseconds since 1970). AMQP does not tell, so a marker
 * that is not persistent lies in a queue of its own: a restart loses it, and whoever connects first makes the next. A
 * RabbitMQ that was killed calls every message redelivered; what was queued before this moment may have been waiting
 * all the time, and is no sign of a worker that died. To be awaited before a message is queued or taken: the time is
 * that before the first look, so that what is queued by whoever saw a marker is younger than a marker made meanwhile by
 * somebody who did not see it yet.
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
  channel.nack(message, false, true);
  const marker = Number(message.content.toString('utf8'));
  return Number.isFinite(marker) ? marker : null;
}
