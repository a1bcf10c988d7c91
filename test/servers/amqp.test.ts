import { type GetMessage, connect as rawConnect } from 'amqplib';
import { type AddressInfo, connect as connectSocket, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { sleep } from '../../src/base/retry';
import type { ResultEvent } from '../../src/events/result-event';
import type { Broker, BrokerOptions } from '../../src/queue/broker';
import { brokerSeenSince } from '../../src/queue/broker-restart-marker';
import { type ConsumedMessage, readHistory } from '../../src/queue/message';
import { BrokerBench } from '../support/broker/broker-bench';
import { recordingLog } from '../support/records/logs';
import { certificate } from '../support/servers/certificates';
import { until } from '../support/servers/servers';

const bench = BrokerBench.forTests();
let log = recordingLog();

beforeEach(() => void (log = recordingLog()));

function open(options: Partial<BrokerOptions> = {}): Broker {
  return bench.connect({ retryDelaysMs: [300, 60_000], ...options }, log);
}

/** A client that consumes into a list, each message as `settle` says. */
async function consuming(
  settle: (message: ConsumedMessage) => Promise<void>,
  options: Partial<BrokerOptions> = {},
  prefetch = 1,
): Promise<{ broker: Broker; seen: ConsumedMessage[] }> {
  const broker = open(options);
  const seen: ConsumedMessage[] = [];
  await broker.consume(async (message) => {
    seen.push(message);
    await settle(message);
  }, prefetch);
  await broker.ready(20_000);
  return { broker, seen };
}

const say = (broker: Broker, text: string) =>
  broker.publish(`${bench.prefix}.study`, 'study.stable', Buffer.from(text), { mandatory: true });
const texts = (seen: readonly ConsumedMessage[]) => seen.map(({ body }) => Buffer.from(body).toString());

/** The one message that arrives in a queue, taken out of it. */
async function take(queue: string): Promise<GetMessage> {
  const channel = await bench.raw.createChannel();
  const message = await until(`a message in ${queue}`, () => channel.get(queue, { noAck: true }));
  await channel.close();
  return message;
}

describe('publish and consume', () => {
  test('a study event reaches the handler, and is gone once acknowledged', async () => {
    const { broker, seen } = await consuming((message) => message.ack());
    expect(broker.state()).toBe('connected');
    await say(broker, 'one');
    await until('the message', () => seen.length === 1);
    expect(seen[0]).toMatchObject({ attempt: 1, lost: 0, redelivered: false, isSettled: true });
    expect(await broker.depth()).toBe(0);
  });

  test('prefetch bounds what is in hand, and stop finishes it', async () => {
    const release: (() => void)[] = [];
    const { broker, seen } = await consuming(
      (message) => new Promise<void>((resolve) => release.push(resolve)).then(() => message.ack()),
      {},
      2,
    );
    for (const text of ['a', 'b', 'c']) await say(broker, text);
    await until('two deliveries', () => seen.length === 2);
    await until('one waits', async () => (await broker.depth()) === 1);
    const stopping = broker.stop(10_000);
    release.forEach((free) => free());
    await stopping;
    expect(broker.state()).toBe('stopped');
    await expect(say(broker, 'too late')).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
    expect(texts(seen)).toEqual(['a', 'b']);
    expect(Buffer.from((await take(`${bench.prefix}.study.routine`)).content).toString()).toBe('c');
    expect(log.lines.at(-1)?.fields).toMatchObject({ event: 'broker.stopped', unfinished: 0 });
  });

  test('stop does not wait longer than it may; the message in hand goes back', async () => {
    const { broker, seen } = await consuming(() => new Promise<void>(() => {}));
    await say(broker, 'endless');
    await until('the message', () => seen.length === 1);
    const started = Date.now();
    await broker.stop(300);
    expect(Date.now() - started).toBeLessThan(5_000);
    const back = await take(`${bench.prefix}.study.routine`);
    expect(back.fields.redelivered).toBe(true);
  });

  test('a result is announced with its priority as routing key, persistent', async () => {
    const broker = open();
    await broker.ready(20_000);
    const channel = await bench.raw.createChannel();
    await channel.assertQueue(`${bench.prefix}.reader`, { durable: true });
    await channel.bindQueue(`${bench.prefix}.reader`, `${bench.prefix}.result`, 'result.*');
    for (const priority of ['urgent', 'routine', null] as const)
      await broker.announce({ schemaVersion: 1, type: 'study-result', priority } as unknown as ResultEvent);
    const got = [
      await take(`${bench.prefix}.reader`),
      await take(`${bench.prefix}.reader`),
      await take(`${bench.prefix}.reader`),
    ];
    expect(got.map(({ fields }) => fields.routingKey)).toEqual(['result.urgent', 'result.routine', 'result.none']);
    expect(got[0]?.properties).toMatchObject({ deliveryMode: 2, contentType: 'application/json' });
  });

  test('a message that no queue takes is an error, not a confirm', async () => {
    const broker = open();
    await broker.ready(20_000);
    await expect(
      broker.publish(`${bench.prefix}.study`, 'nobody.listens', Buffer.from('x'), { mandatory: true }),
    ).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', lasting: 'transient' });
    await expect(broker.publish(`${bench.prefix}.study`, 'nobody.listens', Buffer.from('x'))).resolves.toBeUndefined();
  });
});

describe('settling', () => {
  test('a retry arrives after its delay as the next attempt, with its history', async () => {
    const at: number[] = [];
    const { broker, seen } = await consuming(async (message) => {
      at.push(Date.now());
      await (message.attempt === 1 ? message.retry(300, 'ARCHIVE_TIMEOUT') : message.ack());
    });
    await say(broker, 'again');
    await until('the second try', () => seen.length === 2);
    expect(seen[1]).toMatchObject({ attempt: 2, lost: 0, redelivered: false });
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(300);
    expect(seen[1]?.messageId).toBe(seen[0]?.messageId);
  });

  test('a dead letter carries reason and history', async () => {
    const { broker } = await consuming((message) =>
      message.attempt < 3 ? message.retry(300, 'ARCHIVE_UNREACHABLE') : message.deadLetter('NOT_FOUND'),
    );
    await say(broker, 'hopeless');
    const dead = await take(`${bench.prefix}.study.dead`);
    expect(Buffer.from(dead.content).toString()).toBe('hopeless');
    expect(dead.properties.deliveryMode).toBe(2);
    expect(dead.properties.headers).toMatchObject({ 'x-hilum-reason': 'NOT_FOUND', 'x-hilum-attempt': 3 });
    const history = readHistory(dead.properties.headers?.['x-hilum-history']);
    expect(history.map(({ attempt, code }) => [attempt, code])).toEqual([
      [1, 'ARCHIVE_UNREACHABLE'],
      [2, 'ARCHIVE_UNREACHABLE'],
      [3, 'NOT_FOUND'],
    ]);
    expect(history.every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 60_000)).toBe(true);
    expect(await broker.depth()).toBe(0);
  });

  test('a nacked message comes again as redelivered; requeued as a copy, as one that was lost once', async () => {
    const { broker, seen } = await consuming((message) =>
      message.redelivered ? message.requeue(0) : message.lost === 0 ? message.nack() : message.ack(),
    );
    await say(broker, 'back');
    await until('the third message', () => seen.length === 3);
    expect(seen[1]).toMatchObject({ attempt: 1, lost: 0, redelivered: true });
    expect(seen[2]).toMatchObject({ attempt: 1, lost: 1, redelivered: false, messageId: seen[0]?.messageId });
  });

  test('a message that goes on comes after those that wait, as the same try, neither failed nor lost, and keeps what it carries', async () => {
    const release: (() => void)[] = [];
    const { broker, seen } = await consuming(async (message) => {
      if (message.attempt === 1 && message.lost === 0 && texts([message])[0] === 'long')
        return message.redelivered ? message.requeue(0) : message.nack();
      if (message.attempt === 1 && message.lost === 1) return message.retry(300, 'ARCHIVE_TIMEOUT');
      if (message.attempt === 2 && message.slices === 0) await new Promise<void>((resolve) => release.push(resolve));
      await (message.attempt === 2 && message.slices < 2 ? message.continueLater() : message.ack());
    });
    await say(broker, 'long');
    await until('the second try', () => release.length === 1);
    await say(broker, 'short');
    release.forEach((free) => free());
    await until('the end', () => seen.length === 7);
    expect(texts(seen).slice(3)).toEqual(['long', 'short', 'long', 'long']);
    expect(seen.filter((message) => texts([message])[0] === 'long').slice(3)).toMatchObject(
      [0, 1, 2].map((slices) => ({ attempt: 2, lost: 1, slices, redelivered: false, messageId: seen[0]?.messageId })),
    );
    await until('an empty queue', async () => (await broker.depth()) === 0);
  });

  test('losses are kept over a retry, and may wait like one', async () => {
    const { broker, seen } = await consuming((message) =>
      message.lost === 0
        ? message.requeue(300)
        : message.attempt === 1
          ? message.retry(300, 'ARCHIVE_TIMEOUT')
          : message.ack(),
    );
    await say(broker, 'back');
    await until('the third message', () => seen.length === 3);
    expect(seen.map(({ attempt, lost }) => [attempt, lost])).toEqual([
      [1, 0],
      [1, 1],
      [2, 1],
    ]);
  });

  test('a second settlement is refused before anything is sent', async () => {
    const problems: unknown[] = [];
    const { broker } = await consuming(async (message) => {
      await message.ack();
      await message.deadLetter('TWICE').catch((error: unknown) => problems.push(error));
    });
    await say(broker, 'once');
    await until('the refusal', () => problems.length === 1);
    expect(await broker.depth(broker.topology.dead.name)).toBe(0);
    expect(broker.state()).toBe('connected');
  });

  test('a handler that throws or forgets to settle loses nothing', async () => {
    const { broker, seen } = await consuming(async (message) => {
      if (!message.redelivered) throw new Error('a defect');
      if (seen.length === 3) await message.ack();
    });
    await say(broker, 'kept');
    await until('the third message', () => seen.length === 3);
    expect(log.lines.filter(({ fields }) => fields.event === 'broker.handler-failed')).toHaveLength(2);
  });

  test('of two copies with one id, the one that no queue takes is the one that fails', async () => {
    const broker = open();
    await broker.ready(20_000);
    const copies = Array.from({ length: 20 }, (_, index) =>
      broker.publish(`${bench.prefix}.study`, index % 2 ? 'nobody.listens' : 'study.stable', Buffer.from('x'), {
        mandatory: true,
        messageId: 'same',
      }),
    );
    const outcomes = (await Promise.allSettled(copies)).map(({ status }) => status);
    expect(outcomes).toEqual(copies.map((_, index) => (index % 2 ? 'rejected' : 'fulfilled')));
    expect(await broker.depth()).toBe(10);
  });

  test('what can not be moved on goes back to its queue', async () => {
    const { broker, seen } = await consuming((message) =>
      message.redelivered ? message.ack() : message.retry(300, 'ARCHIVE_TIMEOUT'),
    );
    const channel = await bench.raw.createChannel();
    await channel.deleteQueue(`${bench.prefix}.study.retry.300ms`);
    await say(broker, 'held');
    await until('the second message', () => seen.length === 2);
    expect(log.lines.map(({ fields }) => fields.event)).toContain('broker.settle-failed');
  });
});

describe('urgent and routine', () => {
  const classify = (body: Uint8Array) =>
    Promise.resolve(Buffer.from(body).toString().startsWith('u') ? ('urgent' as const) : ('routine' as const));

  /** A client that sorts by the first letter; its handler takes `workMs` for each. */
  async function sorting(workMs: number, routineEvery = 4): Promise<{ broker: Broker; seen: ConsumedMessage[] }> {
    const broker = open();
    const seen: ConsumedMessage[] = [];
    const handler = async (message: ConsumedMessage) => {
      seen.push(message);
      await sleep(workMs);
      await message.ack();
    };
    await broker.consume(handler, 1, { classify, routineEvery });
    await broker.ready(20_000);
    return { broker, seen };
  }

  test('urgent overtakes thirty routine ones that wait', async () => {
    const { broker, seen } = await sorting(100);
    for (let n = 1; n <= 30; n++) await say(broker, `r${n}`);
    await until('some are done', () => seen.length >= 3);
    await say(broker, 'u1');
    const before = texts(seen).length;
    await until('the urgent one', () => texts(seen).includes('u1'));
    expect(texts(seen).indexOf('u1')).toBeLessThan(before + 3);
    await until('all', () => seen.length === 31);
    expect(texts(seen).filter((text) => text !== 'u1')).toEqual(Array.from({ length: 30 }, (_, n) => `r${n + 1}`));
    expect(seen[texts(seen).indexOf('u1')]).toMatchObject({ redelivered: false, attempt: 1, lost: 0 });
  });

  test('under steady urgent load routine goes on, one in each five', async () => {
    const filler = open();
    await filler.ready(20_000);
    for (let n = 1; n <= 40; n++)
      await filler.publish('', `${bench.prefix}.study.urgent`, Buffer.from(`u${n}`), { mandatory: true });
    for (let n = 1; n <= 5; n++)
      await filler.publish('', `${bench.prefix}.study.routine`, Buffer.from(`r${n}`), { mandatory: true });
    const { broker, seen } = await sorting(5);
    await until('all', () => seen.length === 45);
    expect(texts(seen).flatMap((text, place) => (text.startsWith('r') ? [place] : []))).toEqual([4, 9, 14, 19, 24]);
    expect(await broker.depth()).toBe(0);
  });

  test('a try again, a loss, a requeue and a going on stay in their class; the archive is asked once', async () => {
    const asked: string[] = [];
    const broker = open();
    const seen: ConsumedMessage[] = [];
    const priorities: string[] = [];
    const handler = async (message: ConsumedMessage, priority: string) => {
      seen.push(message);
      priorities.push(priority);
      if (seen.length === 1) return message.retry(300, 'ARCHIVE_TIMEOUT');
      if (seen.length === 2) return message.requeue(0);
      if (seen.length === 3) return message.nack();
      return seen.length === 4 ? message.continueLater() : message.ack();
    };
    await broker.consume(handler, 1, {
      classify: (body) => (asked.push(Buffer.from(body).toString()), classify(body)),
    });
    await broker.ready(20_000);
    await say(broker, 'u1');
    await until('the fifth message', () => seen.length === 5);
    expect(
      seen.map(({ attempt, lost, redelivered }, index) => [priorities[index], attempt, lost, redelivered]),
    ).toEqual([
      ['urgent', 1, 0, false],
      ['urgent', 2, 0, false],
      ['urgent', 2, 1, false],
      ['urgent', 2, 1, true],
      ['urgent', 2, 1, false],
    ]);
    expect(new Set(seen.map(({ messageId }) => messageId)).size).toBe(1);
    expect(asked).toEqual(['u1']);
  });

  test('sorting keeps what a message carries, and is asked again about what could not be told', async () => {
    const broker = open();
    await broker.ready(20_000);
    const timestamp = 1_700_000_000;
    const headers = { 'x-hilum-attempt': 2, 'x-hilum-lost': 1, 'x-hilum-history': '[]', 'x-other': 'gone' };
    await broker.publish(`${bench.prefix}.study`, 'study.stable', Buffer.from('u1'), {
      headers,
      messageId: 'm1',
      timestamp,
    });
    await broker.publish(`${bench.prefix}.study`, 'study.stable', Buffer.from('?'), {
      headers: { ...headers, 'x-hilum-priority': 'at once' },
      messageId: 'm2',
      timestamp,
    });
    const never = new Promise<void>(() => {});
    let failing = 0;
    let inHand = 0;
    await broker.consume(() => (inHand++, never), 1, {
      classify: (body) =>
        Buffer.from(body).toString() === '?' ? (failing++, Promise.reject(new Error('a defect'))) : classify(body),
    });
    // Whichever was sorted first is in hand; the other waits.
    await until('both are sorted', async () => {
      const { urgent, routine } = await broker.depths();
      return inHand === 1 && urgent + routine === 1;
    });
    expect(failing).toBe(1);
    await broker.stop(0);
    const first = await take(`${bench.prefix}.study.urgent`);
    const other = await take(`${bench.prefix}.study.routine`);
    const kept = {
      'x-hilum-attempt': 2,
      'x-hilum-lost': 1,
      'x-hilum-history': '[]',
      'x-hilum-queued': expect.any(Number) as number,
    };
    expect([first.properties.messageId, first.properties.timestamp, first.properties.deliveryMode]).toEqual([
      'm1',
      timestamp,
      2,
    ]);
    expect(first.properties.headers).toEqual({ ...kept, 'x-hilum-priority': 'urgent' });
    expect([other.properties.messageId, other.properties.timestamp, other.properties.headers]).toEqual([
      'm2',
      timestamp,
      kept,
    ]);
  });

  test('what was being sorted when its worker died is no lost work', async () => {
    const first = open();
    await first.consume(() => Promise.resolve(), 1, { classify: () => new Promise(() => {}) });
    await first.ready(20_000);
    await say(first, 'r1');
    await until('it is in hand', async () => (await first.depth()) === 0);
    await first.stop(0);
    const { seen } = await consuming((message) => message.ack());
    await until('the message', () => seen.length === 1);
    expect(seen[0]).toMatchObject({ lost: 0, redelivered: false, attempt: 1 });
  });

  test('a slow question does not hold up those behind it', async () => {
    const broker = open();
    const seen: ConsumedMessage[] = [];
    await broker.consume(async (message) => (seen.push(message), message.ack()), 1, {
      classify: (body) => (Buffer.from(body).toString() === 'slow' ? sleep(3_000).then(() => null) : classify(body)),
    });
    await broker.ready(20_000);
    for (const text of ['slow', 'u1', 'r1']) await say(broker, text);
    await until('all', () => seen.length === 3);
    expect(texts(seen)).toEqual(['u1', 'r1', 'slow']);
  });

  test('the age of what waits: 0 for nothing, at least its wait, never older than the last empty queue', async () => {
    const free: (() => void)[] = [];
    const broker = open();
    const seen: ConsumedMessage[] = [];
    await broker.consume(
      async (message) => {
        seen.push(message);
        await new Promise<void>((resolve) => free.push(resolve));
        await message.ack();
      },
      1,
      { classify },
    );
    await broker.ready(20_000);
    const old = Math.floor(Date.now() / 1000) - 100;
    await broker.publish(`${bench.prefix}.study`, 'study.stable', Buffer.from('r1'), {
      timestamp: old,
      mandatory: true,
    });
    await until('the first', () => seen.length === 1);
    expect(seen[0]!.waitedSeconds).toBeGreaterThanOrEqual(100);
    expect(await broker.ages()).toEqual({ urgent: 0, routine: 0 });
    await say(broker, 'r2');
    await until('the second waits', async () => (await broker.depths()).routine === 1);
    await sleep(1_200);
    const { urgent, routine } = await broker.ages();
    expect(urgent).toBe(0);
    expect(routine).toBeGreaterThanOrEqual(1.2);
    expect(routine).toBeLessThan(60);
    await until('both', () => (free.splice(0).forEach((go) => go()), seen.length === 2));
    free.forEach((go) => go());
  });

  test('a busy worker leaves what waits to an idle one', async () => {
    const busy = open();
    await busy.consume(() => new Promise<void>(() => {}), 1);
    await busy.ready(20_000);
    await say(busy, 'long');
    await until('it is in hand', async () => (await busy.depth()) === 0);
    const { seen } = await consuming((message) => message.ack());
    for (const text of ['a', 'b', 'c', 'd']) await say(busy, text);
    await until('all', () => seen.length === 4, 5_000);
    expect(texts(seen)).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('when the broker goes', () => {
  test('killed and back: the consumer resumes, unsettled work comes again, publishes are confirmed', async () => {
    const release: (() => void)[] = [];
    const { broker, seen } = await consuming(
      async (message) => {
        if (seen.length === 1) await new Promise<void>((resolve) => release.push(resolve));
        await message.ack();
      },
      { publishTimeoutMs: 60_000 },
    );
    await say(broker, 'in hand');
    await until('the message', () => seen.length === 1);
    await bench.rabbit.kill();
    await until('the loss to be seen', () => broker.state() === 'disconnected');
    const late = say(broker, 'said while away');
    release.forEach((free) => free());
    await bench.rabbit.start();
    await late;
    const again = () => seen.slice(1).filter(({ redelivered }) => redelivered);
    await until(
      'both messages',
      async () => again().length > 0 && texts(seen).includes('said while away') && (await broker.depth()) === 0,
      40_000,
    );
    expect(texts(again())).toEqual(['in hand']);
    expect(texts(seen).filter((text) => text === 'said while away')).toHaveLength(1);
    // A kill may undo the acknowledgement in the intake: then a copy comes by, never nothing.
    const copies = seen.slice(1).filter(({ messageId }) => messageId === seen[0]?.messageId);
    expect(copies.length).toBeLessThanOrEqual(2);
    await until('the state', () => broker.state() === 'connected');
    expect(log.lines.map(({ fields }) => fields.event)).toEqual(
      expect.arrayContaining([
        'broker.disconnected',
        'broker.unreachable',
        'broker.settle-dropped',
        'broker.connected',
      ]),
    );
  }, 120_000);

  test('messages survive it in every queue', async () => {
    const broker = open({ retryDelaysMs: [3_000] });
    await broker.ready(20_000);
    await say(broker, 'waiting');
    for (const name of ['urgent', 'routine', 'retry.3s', 'dead'])
      await broker.publish('', `${bench.prefix}.study.${name}`, Buffer.from(name), { mandatory: true });
    await bench.rabbit.kill();
    await bench.rabbit.start();
    await broker.ready(40_000);
    const seen: ConsumedMessage[] = [];
    await broker.consume(async (message) => {
      seen.push(message);
      await message.ack();
    }, 1);
    await until('all', () => seen.length === 4);
    expect(texts(seen).slice(0, 1)).toEqual(['urgent']);
    expect(texts(seen).sort()).toEqual(['retry.3s', 'routine', 'urgent', 'waiting']);
    expect(await broker.depths()).toEqual({ intake: 0, urgent: 0, routine: 0, retry: 0, dead: 1 });
  }, 120_000);

  test('what waited while the broker was killed is no lost work; what a worker died over is', async () => {
    const first = open();
    await first.ready(20_000);
    await say(first, 'waits');
    await first.consume(() => new Promise(() => {}), 1);
    await until('it is taken', async () => (await first.depth()) === 0);
    await say(first, 'behind it');
    await until('the next is sorted', async () => (await first.depths()).routine === 1);
    await bench.rabbit.kill();
    await first.stop(0);
    await bench.rabbit.start();
    const killed = await consuming((message) => (message.redelivered ? message.continueLater() : message.nack()));
    await until('all came by', () => killed.seen.length >= 2 && killed.seen.some(({ redelivered }) => !redelivered));
    const outlived = killed.seen.filter(({ outlivedBroker }) => outlivedBroker);
    expect(outlived.length).toBeGreaterThan(0);
    expect(outlived.every(({ redelivered }) => redelivered)).toBe(true);
    await until('the same ones again', () =>
      killed.seen.some(({ redelivered, outlivedBroker, slices }) => redelivered && !outlivedBroker && slices > 0),
    );
  }, 120_000);

  test('what the first worker on this broker dies over is lost work, also where it was queued before', async () => {
    const publisher = open();
    await publisher.ready(20_000);
    await say(publisher, 'deadly');
    const first = await consuming(() => new Promise(() => {}));
    await until('it is taken', () => first.seen.length === 1);
    await first.broker.stop(0);
    const next = await consuming((message) => message.ack());
    await until('it comes again', () => next.seen.length === 1);
    expect(next.seen[0]).toMatchObject({ redelivered: true, outlivedBroker: false });
  }, 60_000);

  test('the mark of a restart is the same for everybody, and another one after the next', async () => {
    await open().ready(20_000);
    const connection = await rawConnect(bench.rabbit.amqpUrl);
    const mark = await brokerSeenSince(connection, `${bench.prefix}.epoch`);
    expect(await Promise.all([1, 2, 3].map(() => brokerSeenSince(connection, `${bench.prefix}.epoch`)))).toEqual([
      mark,
      mark,
      mark,
    ]);
    connection.on('error', () => {});
    await bench.rabbit.kill();
    await bench.rabbit.start();
    const next = await rawConnect(bench.rabbit.amqpUrl);
    expect(await brokerSeenSince(next, `${bench.prefix}.epoch`)).toBeGreaterThan(mark);
    await next.close();
  }, 120_000);

  test('a publish rejects within its time-out while it stays away', async () => {
    const nobody = await closedPort();
    const broker = open({ url: `amqp://guest:guest@127.0.0.1:${nobody}`, publishTimeoutMs: 500 });
    const started = Date.now();
    await expect(say(broker, 'never')).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', lasting: 'transient' });
    expect(Date.now() - started).toBeLessThan(3_000);
    await expect(broker.ready(200)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
    expect(broker.state()).toBe('connecting');
  });

  test('a peer that accepts and says nothing is given up in time, and stop does not hang on it', async () => {
    const silent = await silentServer();
    const broker = open({ url: `amqp://guest:guest@127.0.0.1:${silent.port}`, connectTimeoutMs: 200 });
    await until('a failed try', () => log.lines.some(({ fields }) => fields.event === 'broker.unreachable'));
    const started = Date.now();
    await broker.stop(1_000);
    expect(Date.now() - started).toBeLessThan(5_000);
    silent.server.close();
  });

  test('a wrong password is told, and never logged', async () => {
    const broker = open({ url: bench.rabbit.amqpUrl.replace('guest:guest', 'guest:s3cret') });
    await expect(broker.ready(1_000)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
    const text = JSON.stringify(log.lines);
    expect(text).toContain('ACCESS_REFUSED');
    expect(text).not.toContain('s3cret');
  });

  test('user name and password with letters beyond ASCII, as they are or as UTF-8 in percent signs', async () => {
    await bench.rabbit.ctl('add_user', 'röntgen', 'grün%20');
    await bench.rabbit.ctl('set_permissions', 'röntgen', '.*', '.*', '.*');
    for (const account of ['röntgen:grün%2520', 'r%C3%B6ntgen:gr%C3%BCn%2520'])
      await open({ url: bench.rabbit.amqpUrl.replace('guest:guest', account) }).ready(20_000);
  });

  test.each(['study', 'study.urgent', 'study.routine'])(
    'the queue %s is deleted: it is declared and consumed again',
    async (name) => {
      const { broker, seen } = await consuming((message) => message.ack());
      const channel = await bench.raw.createChannel();
      await channel.deleteQueue(`${bench.prefix}.${name}`);
      await until('the loss', () => log.lines.some(({ fields }) => fields.event === 'broker.channel-lost'));
      await until('the state', () => broker.state() === 'connected');
      await say(broker, 'after');
      await until('the message', () => seen.length === 1);
    },
  );

  test('a channel that the broker closes alone is opened again', async () => {
    const { broker, seen } = await consuming((message) => message.ack(), { publishTimeoutMs: 1_500 });
    await expect(broker.publish(`${bench.prefix}.no-such-exchange`, 'x', Buffer.from('x'))).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
    });
    await until('the state', () => broker.state() === 'connected');
    await say(broker, 'still there');
    await until('the message', () => seen.length === 1);
  });

  test('a queue with other arguments is a clear error, and heals when it goes', async () => {
    const channel = await bench.raw.createChannel();
    await channel.assertQueue(`${bench.prefix}.study`, { durable: true, arguments: { 'x-max-length': 5 } });
    const broker = open();
    await expect(broker.ready(2_000)).rejects.toMatchObject({ code: 'CONFIG_INVALID', lasting: 'permanent' });
    expect(broker.state()).toBe('misconfigured');
    await channel.deleteQueue(`${bench.prefix}.study`);
    await broker.ready(10_000);
    expect(broker.state()).toBe('connected');
  });
});

describe('TLS', () => {
  const own = certificate();
  /** What a broker with a TLS listener is to a client: asks for its certificate, then speaks AMQP. */
  const gate = createTlsServer(
    { key: own.key, cert: own.cert, ca: own.cert, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      const broker = connectSocket(bench.rabbit.port, '127.0.0.1');
      for (const end of [socket, broker])
        end.on('error', () => {}).on('close', () => [socket, broker].forEach((other) => other.destroy()));
      socket.pipe(broker).pipe(socket);
    },
  ).on('tlsClientError', () => {});
  const url = () => `amqps://guest:guest@127.0.0.1:${(gate.address() as AddressInfo).port}`;

  beforeAll(() => new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve)));

  afterAll(() => {
    gate.close();
    own.remove();
  });

  test('with the authority and a client certificate of ours', async () => {
    const broker = open({ url: url(), tls: { caFile: own.certFile, certFile: own.certFile, keyFile: own.keyFile } });
    await broker.ready(10_000);
    await say(broker, 'sealed');
    expect(await broker.depth()).toBe(1);
  });

  test('an authority that is not trusted is no connection, and the reason is logged', async () => {
    const broker = open({ url: url() });
    await expect(broker.ready(1_000)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
    expect(JSON.stringify(log.lines)).toMatch(/self.signed/);
  });
});

async function silentServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as { port: number }).port };
}

async function closedPort(): Promise<number> {
  const { server, port } = await silentServer();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('why there is no connection', () => {
  const failure = async (broker: Broker) => {
    const error: unknown = await broker.ready(8_000).catch((reason: unknown) => reason);
    const line = await until('a failed try', () =>
      log.lines.find(({ fields }) => fields.event === 'broker.unreachable' || fields.event === 'broker.disconnected'),
    );
    return { error, line };
  };
  const elsewhere = (change: (url: URL) => void) => {
    const url = new URL(bench.rabbit.amqpUrl);
    change(url);
    return url.href;
  };

  test.each<[string, (url: URL) => void, string]>([
    [
      'a virtual host that is not there',
      (url) => void (url.pathname = '/radiology'),
      'the virtual host "radiology" of broker.url is not there',
    ],
    [
      'refused credentials',
      (url) => void (url.password = 'wrong'),
      'the broker refuses the user name or the password of broker.url',
    ],
  ])('no connection, and the sentence says why: %s', async (_name, change, sentence) => {
    const { error, line } = await failure(open({ url: elsewhere(change) }));
    expect(error).toMatchObject({ code: 'BROKER_UNREACHABLE', message: expect.stringContaining(sentence) as string });
    expect(line.text).toContain(sentence);
    expect(JSON.stringify([line, String(error)])).not.toContain('wrong');
  });

  test('closed before the sign-in ends: the sentence says so', async () => {
    const closing = createServer((socket) => void socket.on('error', () => {}).once('data', () => socket.destroy()));
    await new Promise<void>((listening) => closing.listen(0, '127.0.0.1', listening));
    const url = `amqp://guest:guest@127.0.0.1:${(closing.address() as AddressInfo).port}`;
    const { error, line } = await failure(open({ url }));
    closing.close();
    expect((error as Error).message).toContain('the connection was closed from the other side');
    expect(line.text).toContain('the connection was closed from the other side');
  });

  test('closed by an administrator: the sentence says so', async () => {
    const broker = open();
    await broker.ready(20_000);
    await bench.rabbit.ctl('close_all_connections', 'maintenance');
    const line = await until('the loss', () => log.lines.find(({ fields }) => fields.event === 'broker.disconnected'));
    expect(line.text).toContain('the broker closed the connection');
  });
});
