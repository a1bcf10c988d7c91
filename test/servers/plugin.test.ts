import { type ChannelModel, connect, type ConsumeMessage } from 'amqplib';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Orthanc, type Rabbit, startOrthanc, startRabbit } from '../../scripts/lib/servers.cjs';
import { syntheticDicom } from '../../src/objects/synthetic-film';

const EXCHANGE = 'hilum.study';
const QUEUE = 'test.study';

let dir: string;
let rabbit: Rabbit;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-plugin-'));
  rabbit = await startRabbit({ dir: join(dir, 'rabbitmq') });
  const { connection, channel } = await open();
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
  await channel.assertQueue(QUEUE, { durable: true });
  await channel.bindQueue(QUEUE, EXCHANGE, 'study.*');
  await connection.close();
}, 120_000);

afterAll(async () => {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await rabbit?.stop();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

async function open() {
  const connection: ChannelModel = await connect(rabbit.amqpUrl);
  return { connection, channel: await connection.createChannel() };
}

/** Takes what is on the queue until `count` messages came, then listens a little longer for one too many. */
async function takeEvents(count: number, within = 20_000, longer = 2_500): Promise<ConsumeMessage[]> {
  const { connection, channel } = await open();
  const messages: ConsumeMessage[] = [];
  await channel.consume(QUEUE, (message) => message && messages.push(message), { noAck: true });
  const end = Date.now() + within;
  while (messages.length < count && Date.now() < end) await sleep(50);
  await sleep(longer);
  await connection.close();
  return messages;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const contentOf = (message: ConsumeMessage | undefined) =>
  JSON.parse(message!.content.toString('utf8')) as Record<string, unknown>;
const film = (seed: number, more: object = {}) => syntheticDicom({ seed, view: 'PA', rows: 64, columns: 64, ...more });

async function send(orthanc: Orthanc, bytes: Uint8Array): Promise<{ ParentStudy: string; Status: string }> {
  const response = await fetch(`${orthanc.url}/instances`, { method: 'POST', body: bytes });
  expect(response.status).toBe(200);
  return (await response.json()) as { ParentStudy: string; Status: string };
}

async function studyUid(orthanc: Orthanc, study: string): Promise<string> {
  const response = await fetch(`${orthanc.url}/studies/${study}`);
  return ((await response.json()) as { MainDicomTags: { StudyInstanceUID: string } }).MainDicomTags.StudyInstanceUID;
}

const logOf = (orthanc: Orthanc) =>
  readFileSync(orthanc.log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('Hilum:'));

describe('with the plug-in in a real Orthanc', () => {
  let orthanc: Orthanc;

  beforeAll(async () => {
    orthanc = await startOrthanc({ dir: join(dir, 'orthanc'), amqpUrl: rabbit.amqpUrl });
  }, 60_000);

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  afterAll(() => orthanc?.stop(), 60_000);

  test('a stored study raises one event that names it, and nothing about the patient', async () => {
    const { ParentStudy } = await send(orthanc, film(1));
    const messages = await takeEvents(1);
    expect(messages).toHaveLength(1);
    const uid = await studyUid(orthanc, ParentStudy);
    expect(contentOf(messages[0])).toEqual({
      schemaVersion: 1,
      type: 'study-stable',
      studyInstanceUid: uid,
      source: { system: 'orthanc', aet: orthanc.aet },
      occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    });
    expect(messages[0]!.fields).toMatchObject({ exchange: EXCHANGE, routingKey: 'study.stable' });
    expect(messages[0]!.properties).toMatchObject({
      deliveryMode: 2,
      contentType: 'application/json',
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  }, 60_000);

  test('a film that comes later into the same study raises another event; a repeated one does not', async () => {
    const first = await send(orthanc, film(2));
    expect(await takeEvents(1)).toHaveLength(1);
    expect((await send(orthanc, film(2))).Status).toBe('AlreadyStored');
    expect(await takeEvents(0)).toHaveLength(0);
    const late = await send(orthanc, film(2, { view: 'LL' }));
    expect(late.ParentStudy).toBe(first.ParentStudy);
    const messages = await takeEvents(1);
    expect(messages.map((message) => contentOf(message).studyInstanceUid)).toEqual([
      await studyUid(orthanc, first.ParentStudy),
    ]);
  }, 90_000);

  test('events of an outage of the broker arrive, each once, when it is back', async () => {
    await rabbit.kill();
    const studies = [await send(orthanc, film(3)), await send(orthanc, film(4))];
    await sleep(3_000);
    await rabbit.start();
    const messages = await takeEvents(2, 40_000);
    const expected = await Promise.all(studies.map((study) => studyUid(orthanc, study.ParentStudy)));
    expect(messages.map((message) => contentOf(message).studyInstanceUid).sort()).toEqual(expected.sort());
    expect(logOf(orthanc).filter((line) => line.includes('no link to the broker'))).not.toHaveLength(0);
  }, 120_000);

  test('an event without any queue is kept until a queue is bound', async () => {
    const admin = await open();
    await admin.channel.unbindQueue(QUEUE, EXCHANGE, 'study.*');
    await send(orthanc, film(5));
    await sleep(4_000);
    await admin.channel.bindQueue(QUEUE, EXCHANGE, 'study.*');
    await admin.connection.close();
    expect(await takeEvents(1)).toHaveLength(1);
    expect(logOf(orthanc).filter((line) => line.includes('no queue is bound'))).toHaveLength(1);
  }, 60_000);

  test('a hundred films of one study at once raise few events, the last one after the last film', async () => {
    for (let instance = 0; instance < 100; instance++)
      await send(orthanc, film(6, { instance, rows: 16, columns: 16 }));
    const messages = await takeEvents(1);
    expect(messages.length).toBeGreaterThanOrEqual(1);
    expect(messages.length).toBeLessThan(10);
  }, 60_000);
});

test('Orthanc starts and takes films while the broker is away from the start; the event arrives later', async () => {
  await rabbit.kill();
  const orthanc = await startOrthanc({ dir: join(dir, 'orthanc-early'), amqpUrl: rabbit.amqpUrl });
  try {
    await send(orthanc, film(10));
    await sleep(2_000);
    await rabbit.start();
    expect(await takeEvents(1, 40_000)).toHaveLength(1);
  } finally {
    await orthanc.stop();
  }
}, 120_000);

test('what waits is published before Orthanc stops', async () => {
  const orthanc = await startOrthanc({ dir: join(dir, 'orthanc-stop'), amqpUrl: rabbit.amqpUrl });
  await rabbit.kill();
  await send(orthanc, film(11));
  await sleep(3_000);
  await rabbit.start();
  await orthanc.stop();
  expect(await takeEvents(1)).toHaveLength(1);
}, 120_000);

describe('the spool', () => {
  const spoolOf = (name: string) => join(dir, name, 'storage', 'hilum-spool', 'spool.sqlite3');

  test('studies of an outage of the broker outlive a SIGKILL of Orthanc: their events arrive, each once, with the time at which they were stable', async () => {
    const orthanc = await startOrthanc({ dir: join(dir, 'orthanc-killed'), amqpUrl: rabbit.amqpUrl });
    try {
      await rabbit.kill();
      const studies = [await send(orthanc, film(20)), await send(orthanc, film(21)), await send(orthanc, film(22))];
      const uids = await Promise.all(studies.map((study) => studyUid(orthanc, study.ParentStudy)));
      await sleep(4_000);
      await orthanc.kill();
      const killed = Date.now();
      await orthanc.start();
      expect(logOf(orthanc).filter((line) => line.includes('3 study event(s) wait in the spool'))).toHaveLength(1);
      await rabbit.start();
      const messages = await takeEvents(3, 40_000);
      expect(messages.map((message) => contentOf(message).studyInstanceUid).sort()).toEqual(uids.sort());
      for (const message of messages) expect(Date.parse(String(contentOf(message)['occurredAt']))).toBeLessThan(killed);
      // Once told, they are not told again.
      await orthanc.kill();
      await orthanc.start();
      expect(await takeEvents(0)).toHaveLength(0);
      // Orthanc works on with the foreign folder in its storage.
      for (const { ParentStudy } of studies)
        expect((await fetch(`${orthanc.url}/studies/${ParentStudy}`, { method: 'DELETE' })).status).toBe(200);
      await send(orthanc, film(23));
      expect(await takeEvents(1)).toHaveLength(1);
      expect(existsSync(spoolOf('orthanc-killed'))).toBe(true);
    } finally {
      await orthanc.stop();
    }
  }, 180_000);

  test('what waits when Orthanc stops while the broker is away is told at its next start', async () => {
    const orthanc = await startOrthanc({ dir: join(dir, 'orthanc-stopped'), amqpUrl: rabbit.amqpUrl });
    try {
      await rabbit.kill();
      await send(orthanc, film(24));
      await sleep(3_000);
      await orthanc.stop();
      expect(logOf(orthanc).at(-1)).toContain(
        '1 study event(s) were not published before Orthanc stopped and wait in the spool',
      );
      await rabbit.start();
      await orthanc.start();
      expect(await takeEvents(1, 40_000)).toHaveLength(1);
    } finally {
      await orthanc.stop();
    }
  }, 120_000);

  test('it holds no more than QueueLimit: the newest arrive, and the log says how many went', async () => {
    const orthanc = await startOrthanc({
      dir: join(dir, 'orthanc-bounded'),
      amqpUrl: rabbit.amqpUrl,
      config: { Hilum: { AmqpUrl: rabbit.amqpUrl, QueueLimit: 2 } },
    });
    try {
      await rabbit.kill();
      const uids: string[] = [];
      for (const seed of [25, 26, 27]) {
        uids.push(await studyUid(orthanc, (await send(orthanc, film(seed))).ParentStudy));
        await sleep(2_500);
      }
      expect(
        logOf(orthanc).filter((line) => line.includes('the queue is full, 1 study event(s) dropped')),
      ).toHaveLength(1);
      await orthanc.kill();
      await orthanc.start();
      await rabbit.start();
      const messages = await takeEvents(2, 40_000);
      expect(messages.map((message) => contentOf(message).studyInstanceUid)).toEqual(uids.slice(1));
    } finally {
      await orthanc.stop();
    }
  }, 120_000);

  test('a damaged file is moved aside, and events go on', async () => {
    const file = spoolOf('orthanc-damaged');
    mkdirSync(resolve(file, '..'), { recursive: true });
    writeFileSync(file, 'this is no database'.repeat(500));
    const orthanc = await startOrthanc({ dir: join(dir, 'orthanc-damaged'), amqpUrl: rabbit.amqpUrl });
    try {
      await send(orthanc, film(28));
      expect(await takeEvents(1)).toHaveLength(1);
      expect(logOf(orthanc).filter((line) => line.includes('the spool was damaged'))).toHaveLength(1);
      expect(existsSync(`${file}.damaged`)).toBe(true);
    } finally {
      await orthanc.stop();
    }
  }, 60_000);

  test('a folder that can not be made is one line in the log, and events go on from memory', async () => {
    const config = {
      Hilum: { AmqpUrl: rabbit.amqpUrl, SpoolDirectory: join(dir, 'orthanc-nowhere', 'orthanc.json', 'spool') },
    };
    const orthanc = await startOrthanc({ dir: join(dir, 'orthanc-nowhere'), amqpUrl: rabbit.amqpUrl, config });
    try {
      await send(orthanc, film(29));
      expect(await takeEvents(1)).toHaveLength(1);
      expect(
        logOf(orthanc).filter(
          (line) => line.includes("can't be used (NotADirectoryError") && line.includes('going on in memory'),
        ),
      ).toHaveLength(1);
    } finally {
      await orthanc.stop();
    }
  }, 60_000);
});

test('an event says when only results came; a film that came or was overwritten is to be compared', async () => {
  const orthanc = await startOrthanc({
    dir: join(dir, 'orthanc-overwrite'),
    amqpUrl: rabbit.amqpUrl,
    config: { OverwriteInstances: true },
  });
  const compareFilms = async () => (await takeEvents(1)).map((message) => contentOf(message)['compareFilms']);
  const ids = { SeriesInstanceUID: '1.2.826.0.1.3680043.10.5', SOPInstanceUID: '1.2.826.0.1.3680043.10.6' };
  try {
    await send(orthanc, film(31));
    expect(await compareFilms()).toEqual([undefined]);
    await send(orthanc, film(31, { attributes: { ...ids, Modality: 'SR' } }));
    expect(await compareFilms()).toEqual([false]);
    await send(orthanc, film(31));
    expect(await compareFilms()).toEqual([undefined]);
    await send(orthanc, film(31, { view: 'LL' }));
    expect(await compareFilms()).toEqual([undefined]);
  } finally {
    await orthanc.stop();
  }
}, 120_000);

test("a script of the site's own passes changes on", async () => {
  const script = join(dir, 'own_script.py');
  writeFileSync(
    script,
    [
      'import sys',
      `sys.path.insert(0, ${JSON.stringify(resolve(__dirname, '../../plugin/orthanc'))})`,
      'import hilum_orthanc, orthanc',
      'hilum = hilum_orthanc.create()',
      'def on_change(change_type, level, resource):',
      '    hilum(change_type, level, resource)',
      'orthanc.RegisterOnChangeCallback(on_change)',
    ].join('\n'),
  );
  const orthanc = await startOrthanc({
    dir: join(dir, 'orthanc-own'),
    amqpUrl: rabbit.amqpUrl,
    config: { PythonScript: script },
  });
  try {
    await send(orthanc, film(13));
    expect(await takeEvents(1)).toHaveLength(1);
  } finally {
    await orthanc.stop();
  }
}, 60_000);

test('a missing pika is one line in the log, and Orthanc starts', async () => {
  const stub = join(dir, 'no-pika');
  mkdirSync(stub, { recursive: true });
  writeFileSync(join(stub, 'pika.py'), "raise ImportError('No module named pika')\n");
  const orthanc = await startOrthanc({
    dir: join(dir, 'orthanc-no-pika'),
    amqpUrl: rabbit.amqpUrl,
    env: { PYTHONPATH: stub },
  });
  try {
    expect((await send(orthanc, film(12))).Status).toBe('Success');
    expect(logOf(orthanc)).toHaveLength(1);
    expect(logOf(orthanc)[0]).toMatch(/^E.*"pika" can't be loaded.*install python3-pika/);
  } finally {
    await orthanc.stop();
  }
}, 60_000);

test('wrong settings are one line in the log that does not repeat the password, and Orthanc starts', async () => {
  const config = { Hilum: { AmqpUrl: 'http://hilum:secret@127.0.0.1', QueueLimit: 0, Exchnage: 'x' } };
  const orthanc = await startOrthanc({ dir: join(dir, 'orthanc-wrong'), plugin: true, config });
  try {
    const lines = logOf(orthanc);
    expect(lines).toHaveLength(1);
    for (const part of ['amqp://', '"QueueLimit"', '"Exchnage"']) expect(lines[0]).toContain(part);
    expect(lines[0]).not.toContain('secret');
  } finally {
    await orthanc.stop();
  }
}, 60_000);
