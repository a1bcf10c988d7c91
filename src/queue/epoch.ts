import type { Channel, ChannelModel } from 'amqplib';
import { sleep } from '../base/retry';
import { onOwnChannel } from './declare';

/** Another worker may hold the mark for a moment while it reads it. */
const LOOKS = 4;
const PAUSE_MS = 50;

/**
 * When the broker was first seen after its last start (milliseconds since 1970). AMQP does not tell, so a mark that is
 * not persistent lies in a queue of its own: a restart loses it, and whoever connects first makes the next. A RabbitMQ
 * that was killed calls every message redelivered; what was queued before this moment may have been waiting all the
 * time, and is no sign of a worker that died. To be awaited before a message is queued or taken: the time is that
 * before the first look, so that what is queued by whoever saw a mark is younger than a mark made meanwhile by somebody
 * who did not see it yet.
 */
export function brokerSeenSince(connection: ChannelModel, queue: string): Promise<number> {
  return onOwnChannel(connection, async (channel) => {
    const now = Date.now();
    for (let look = 1; ; look++) {
      const mark = await read(channel, queue);
      if (mark !== null) return mark;
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
  const mark = Number(message.content.toString('utf8'));
  return Number.isFinite(mark) ? mark : null;
}
