import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ResultEvent } from '../../src/events/result-event';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { type Orthanc, type Rabbit, Servers, until } from '../support/servers/servers';

/**
 * The service as users start it, stopped and slowed down in the middle of a study, and `hilum reanalyze`. All events
 * come from the test: there is no plug-in and no catch-up.
 */
const ROOT = resolve(__dirname, '../..');
const CLI = join(ROOT, 'dist/cli.js');
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-slices-'));
const events: ResultEvent[] = [];
let rabbit: Rabbit;
let orthanc: Orthanc;
let connection: ChannelModel | undefined;
let channel: ConfirmChannel;
let service: { process: ChildProcess; log: () => string } | undefined;

beforeAll(async () => {
  [rabbit, orthanc] = await Promise.all([servers.rabbit(), servers.orthanc()]);
  connection = await connect(rabbit.amqpUrl);
  channel = await connection.createConfirmChannel();
  await channel.assertExchange('hilum.result', 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'hilum.result', '#');
  await channel.consume(
    queue,
    (message) => message && events.push(JSON.parse(message.content.toString('utf8')) as ResultEvent),
    { noAck: true },
  );
}, 180_000);

afterAll(async () => {
  if (service?.process.exitCode === null) service.process.kill('SIGKILL');
  await connection?.close();
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
}, 90_000);

function configure(more: Record<string, unknown>): string {
  const file = join(dir, 'hilum.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      archive: { url: orthanc.dicomWebUrl },
      // One study at a time: the order of two is looked at.
      broker: { url: rabbit.amqpUrl, prefetch: 1 },
      http: { port: 0 },
      catchUp: { kind: 'off' },
      ...more,
    }),
  );
  return file;
}

async function startService(more: Record<string, unknown> = {}): Promise<() => string> {
  const child = spawn(process.execPath, [CLI, 'serve', '--config', configure(more)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  service = { process: child, log: () => log };
  await until(
    'the service waits for studies',
    () => {
      if (child.exitCode !== null) throw new Error(`the service ended: ${log}`);
      return log.includes('"event":"broker.consuming"');
    },
    90_000,
  );
  return () => log;
}

/** SIGTERM; how the process ended, and after how long (seconds). */
async function stopService(): Promise<{ status: number | null; seconds: number; log: string }> {
  const { process: child, log } = service!;
  const started = Date.now();
  child.kill('SIGTERM');
  await until('the service ends', () => child.exitCode !== null || child.signalCode !== null, 120_000);
  return { status: child.exitCode, seconds: (Date.now() - started) / 1000, log: log() };
}

async function hilum(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: dir });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const status = await new Promise<number | null>((done) => child.on('close', done));
  return { status, out, err };
}

const drawn = (seed: number, instance: number): SyntheticObject => ({
  seed,
  view: 'PA',
  rows: 200,
  columns: 180,
  instance,
});

/** Stores a study of `count` films without telling anybody. */
async function put(seed: number, count: number): Promise<string> {
  for (let instance = 1; instance <= count; instance++) {
    const response = await fetch(`${orthanc.url}/instances`, {
      method: 'POST',
      body: syntheticDicom(drawn(seed, instance)),
    });
    expect(response.status).toBe(200);
  }
  return syntheticUids(drawn(seed, 1)).studyInstanceUid;
}

async function tell(studyInstanceUid: string): Promise<void> {
  channel.publish(
    'hilum.study',
    'study.stable',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 1,
        type: 'study-stable',
        studyInstanceUid,
        occurredAt: new Date().toISOString(),
      }),
    ),
    { persistent: true, mandatory: true },
  );
  await channel.waitForConfirms();
}

/** How many instances of each modality a study has. */
async function modalitiesOf(study: string): Promise<Record<string, number>> {
  const response = await fetch(`${orthanc.url}/tools/find`, {
    method: 'POST',
    body: JSON.stringify({ Level: 'Series', Expand: true, Query: { StudyInstanceUID: study } }),
  });
  const counts: Record<string, number> = {};
  for (const { MainDicomTags, Instances } of (await response.json()) as {
    MainDicomTags: { Modality: string };
    Instances: string[];
  }[])
    counts[MainDicomTags.Modality] = (counts[MainDicomTags.Modality] ?? 0) + Instances.length;
  return counts;
}

const reportsOf = async (study: string) => (await modalitiesOf(study))['SR'] ?? 0;
const eventsOf = (study: string) => events.filter(({ studyInstanceUid }) => studyInstanceUid === study);
const logged = (log: string, event: string, study: string) =>
  log.split('\n').filter((line) => line.includes(`"event":"${event}"`) && line.includes(study)).length;

/** Each film has one report, one event tells of all films, and the archive has what the event says and nothing else. */
async function expectComplete(study: string, films: number): Promise<void> {
  expect(eventsOf(study)).toHaveLength(1);
  const told = eventsOf(study)[0]!.films;
  expect(new Set(told.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(films);
  expect(told).toHaveLength(films);
  const outputs = told.flatMap((film) => film.outputs);
  const { CR = 0, OT = 0, SR = 0 } = await modalitiesOf(study);
  expect({ CR, SR, all: CR + OT + SR }).toEqual({ CR: films, SR: films, all: films + outputs.length });
}

test('SIGTERM in a study of 12 films: the film in hand is finished, the study given back; the next start does the others, each once, and tells of all', async () => {
  const study = await put(50, 12);
  await startService();
  await tell(study);
  await until('the first report', async () => (await reportsOf(study)) >= 1, 120_000);
  const { status, seconds, log } = await stopService();
  expect(status).toBe(0);
  expect(seconds).toBeLessThan(60);
  expect(logged(log, 'study.returned', study)).toBe(1);
  const before = await reportsOf(study);
  expect(before).toBeGreaterThanOrEqual(1);
  expect(before).toBeLessThan(12);
  expect(eventsOf(study)).toEqual([]);
  const next = await startService();
  await until('the result event', () => eventsOf(study).length > 0, 240_000);
  await expectComplete(study, 12);
  expect(logged(next(), 'study.put-back', study)).toBe(0);
  expect(logged(next(), 'film.analysed', study) + logged(next(), 'film.not-analysed', study)).toBe(12);
  expect((await stopService()).status).toBe(0);
}, 600_000);

test('a film that does not end in time: the process ends all the same, the broker has the study, nothing is lost or doubled', async () => {
  const study = await put(51, 3);
  await startService({ stopTimeoutMs: 1 });
  await tell(study);
  await until('the first report', async () => (await reportsOf(study)) >= 1, 120_000);
  const { status, seconds } = await stopService();
  expect(status).toBe(0);
  expect(seconds).toBeLessThan(15);
  await startService({ studySliceMs: 1 });
  await until('the result event', () => eventsOf(study).length > 0, 240_000);
  await expectComplete(study, 3);
}, 600_000);

test('a study that takes longer than studySliceMs goes to the end of the queue between two films, and is told once, with all', async () => {
  const [long, short] = [await put(52, 3), await put(53, 1)];
  await tell(long);
  await until('the first report', async () => (await reportsOf(long)) >= 1, 120_000);
  await tell(short);
  await until('both result events', () => eventsOf(long).length > 0 && eventsOf(short).length > 0, 240_000);
  for (const [study, films] of [
    [long, 3],
    [short, 1],
  ] as const)
    await expectComplete(study, films);
  const log = service!.log();
  expect(logged(log, 'study.returned', long)).toBe(2);
  expect(logged(log, 'study.retry', long) + logged(log, 'study.put-back', long)).toBe(0);
  // The short one did not wait for all of the long one.
  const order = events.map(({ studyInstanceUid }): string => studyInstanceUid);
  expect(order.indexOf(short)).toBeLessThan(order.indexOf(long));
  await stopService();
}, 600_000);

test('with other settings an event leaves the study alone; reanalyze has it read anew, and the same version reads nothing twice', async () => {
  const study = syntheticUids(drawn(53, 1)).studyInstanceUid;
  const before = await modalitiesOf(study);
  const log = await startService({ results: { reportClass: 'comprehensive' } });
  const config = join(dir, 'hilum.yaml');
  await tell(study);
  await until('nothing new', () => logged(log(), 'study.nothing-new', study) === 1, 60_000);
  expect(await modalitiesOf(study)).toEqual(before);
  const dry = await hilum(
    'reanalyze',
    '--since',
    '2020-01-01',
    '--until',
    '2020-01-01',
    '--dry-run',
    '--json',
    '--config',
    config,
  );
  expect(dry.status).toBe(0);
  expect(
    dry.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { studyInstanceUid: string }).studyInstanceUid)
      .sort(),
  ).toEqual([50, 51, 52, 53].map((seed) => syntheticUids(drawn(seed, 1)).studyInstanceUid).sort());
  const asked = await hilum('reanalyze', study, '--config', config);
  expect(asked).toMatchObject({ status: 0, out: `${study}  asked for\n1 study asked for\n` });
  await until('the new result', () => eventsOf(study).length === 2, 120_000);
  const after = await modalitiesOf(study);
  expect(after['SR']).toBe(before['SR']! + 1);
  expect((await hilum('reanalyze', study, '--config', config)).status).toBe(0);
  await until('nothing new again', () => logged(log(), 'study.nothing-new', study) === 2, 60_000);
  expect(await modalitiesOf(study)).toEqual(after);
}, 300_000);

test('what reanalyze does not find is told, and wrong use is clear', async () => {
  const config = configure({});
  expect(await hilum('reanalyze', '1.2.3.4', '--config', config)).toMatchObject({
    status: 1,
    out: '1.2.3.4  not in the archive\n0 studies asked for\n',
  });
  expect(await hilum('reanalyze', '--since', '2019-01-01', '--until', '2019-12-31', '--config', config)).toMatchObject({
    status: 0,
    out: '0 studies asked for\n',
  });
  expect(await hilum('reanalyze', '--config', config)).toMatchObject({
    status: 2,
    err: expect.stringContaining('needs Study Instance UIDs or --since') as string,
  });
  expect(await hilum('reanalyze', '1.2.x', '--config', config)).toMatchObject({
    status: 2,
    err: expect.stringContaining('1.2.x is no Study Instance UID') as string,
  });
  expect(await hilum('reanalyze', '--since', '2020-02-30', '--config', config)).toMatchObject({
    status: 2,
    err: expect.stringContaining('is no date') as string,
  });
  const lost = configure({ broker: { url: 'amqp://127.0.0.1:9' } });
  expect(await hilum('reanalyze', '1.2.3.4', '--config', lost)).toMatchObject({
    status: 1,
    err: expect.stringContaining('BROKER_UNREACHABLE') as string,
  });
}, 120_000);
