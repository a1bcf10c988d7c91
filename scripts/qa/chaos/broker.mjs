/** What the broker holds at the end: result events, and what was given up. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const RESULTS = 'chaos.results';

/** A durable queue that gathers result events, also while nobody of ours is connected. */
export async function gatherResults(amqpUrl) {
  await withChannel(amqpUrl, async (channel) => {
    await channel.assertExchange('hilum.result', 'topic', { durable: true });
    await channel.assertQueue(RESULTS, { durable: true });
    await channel.bindQueue(RESULTS, 'hilum.result', '#');
  });
}

export async function takeResults(amqpUrl) {
  return withChannel(amqpUrl, async (channel) => {
    const events = [];
    for (
      let message = await channel.get(RESULTS, { noAck: true });
      message;
      message = await channel.get(RESULTS, { noAck: true })
    )
      events.push(JSON.parse(message.content.toString('utf8')));
    return events;
  });
}

/**
 * How many study messages wait, are held by a worker, or were given up; whichever queues of Hilum there are for them.
 */
export async function countMessages(rabbit) {
  const queues = [...(await rabbit.queues())].filter(([name]) => name.startsWith('hilum.study'));
  const sum = (wanted) => queues.filter(([name]) => wanted(name)).reduce((total, [, messages]) => total + messages, 0);
  return {
    open: sum((name) => !isDead(name)),
    dead: sum(isDead),
    byQueue: Object.fromEntries(queues.filter(([, messages]) => messages > 0)),
    deadQueues: queues.map(([name]) => name).filter(isDead),
  };
}

const isDead = (name) => name.endsWith('.dead');

/** Study, reason and history of each dead letter; what is not acknowledged goes back when the connection closes. */
export async function readDead(amqpUrl, queues) {
  return withChannel(amqpUrl, async (channel) => {
    const letters = [];
    for (const queue of queues) {
      for (let message = await channel.get(queue); message; message = await channel.get(queue)) {
        const { headers = {} } = message.properties;
        letters.push({
          study: /"studyInstanceUid":"([\d.]+)"/.exec(message.content.toString('utf8'))?.[1],
          reason: headers['x-hilum-reason'],
          lost: headers['x-hilum-lost'],
          history: headers['x-hilum-history'],
        });
      }
    }
    return letters;
  });
}

async function withChannel(amqpUrl, work) {
  const connection = await require('amqplib').connect(amqpUrl);
  connection.on('error', () => {});
  try {
    return await work(await connection.createChannel());
  } finally {
    await connection.close().catch(() => {});
  }
}
