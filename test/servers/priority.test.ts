import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dicomWebArchive } from '../../src/archive/dicomweb';
import type { ResultEvent } from '../../src/events/result-event';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { RULE_ATTRIBUTES } from '../../src/triage/config';
import { type Orthanc, type Rabbit, Servers, until } from '../support/servers/servers';

/** The service as users start it, with a real broker and a real archive: an urgent study that comes late is first. */
const ROOT = resolve(__dirname, '../..');
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-priority-'));
let rabbit: Rabbit;
let orthanc: Orthanc;
let service: ChildProcess | undefined;
let connection: ChannelModel | undefined;
let channel: ConfirmChannel;
let port = 0;
const done: string[] = [];

beforeAll(async () => {
  [rabbit, orthanc] = await Promise.all([servers.rabbit(), servers.orthanc()]);
  connection = await connect(rabbit.amqpUrl);
  channel = await connection.createConfirmChannel();
}, 180_000);

afterAll(async () => {
  await connection?.close();
  if (service?.exitCode === null) {
    service.kill('SIGTERM');
    await until('the service ends', () => service!.exitCode !== null || service!.signalCode !== null);
  }
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
}, 90_000);

async function startService(): Promise<void> {
  const priority = {
    rules: [{ StudyPriorityID: ['STAT'] }, { Modality: ['CR', 'DX'], ViewPosition: ['AP'] }],
    routineEvery: 10,
  };
  writeFileSync(
    join(dir, 'hilum.yaml'),
    JSON.stringify({
      archive: { url: orthanc.dicomWebUrl },
      broker: { url: rabbit.amqpUrl },
      http: { port: 0 },
      catchUp: { kind: 'off' },
      priority,
    }),
  );
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli.js'), 'serve', '--config', join(dir, 'hilum.yaml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  service = child;
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  port = await until(
    'the service says its port',
    () => {
      if (child.exitCode !== null) throw new Error(`the service ended: ${log}`);
      return Number(/"event":"http.listening"[^\n]*"port":(\d+)/.exec(log)?.[1]) || undefined;
    },
    120_000,
  );
  await until(
    'the service is ready',
    async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status === 200,
    120_000,
  );
}

const drawn = (seed: number, view: 'PA' | 'AP' = 'PA'): SyntheticObject => ({ seed, view, rows: 320, columns: 280 });

async function put(bytes: Uint8Array): Promise<string> {
  return ((await (await fetch(`${orthanc.url}/instances`, { method: 'POST', body: bytes })).json()) as { ID: string })
    .ID;
}

/** Puts the film there as if its order had said STAT. */
async function putStat(film: SyntheticObject): Promise<void> {
  const id = await put(syntheticDicom(film));
  const change = {
    Replace: { '0032,000c': 'STAT' },
    Keep: ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'],
    Force: true,
  };
  const changed = await fetch(`${orthanc.url}/instances/${id}/modify`, {
    method: 'POST',
    body: JSON.stringify(change),
  });
  const bytes = new Uint8Array(await changed.arrayBuffer());
  await fetch(`${orthanc.url}/instances/${id}`, { method: 'DELETE' });
  await put(bytes);
}

async function tell(film: SyntheticObject, more: Record<string, unknown> = {}): Promise<string> {
  const study = syntheticUids(film).studyInstanceUid;
  channel.publish(
    'hilum.study',
    'study.stable',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 1,
        type: 'study-stable',
        studyInstanceUid: study,
        occurredAt: new Date().toISOString(),
        ...more,
      }),
    ),
    { persistent: true, mandatory: true },
  );
  await channel.waitForConfirms();
  return study;
}

test("Orthanc tells a film's view and priority, which its query does not", async () => {
  const film = drawn(50, 'AP');
  await putStat(film);
  const archive = dicomWebArchive({ url: orthanc.dicomWebUrl });
  const { studyInstanceUid, seriesInstanceUid } = syntheticUids(film);
  expect(await archive.sampleAttributes(studyInstanceUid, seriesInstanceUid, RULE_ATTRIBUTES)).toEqual({
    Modality: ['CR'],
    ViewPosition: ['AP'],
    StudyPriorityID: ['STAT'],
    BodyPartExamined: ['CHEST'],
    StudyDescription: ['Drawn chest film, no patient'],
    SeriesDescription: ['Synthetic chest AP'],
  });
  expect(await archive.findSeries(studyInstanceUid)).toEqual([
    expect.objectContaining({ seriesInstanceUid, modality: 'CR' }),
  ]);
  await archive.close();
});

test('a STAT film, an AP film and an urgent event, sent last, are done before routine ones sent first', async () => {
  await startService();
  const results = await connection!.createChannel();
  const { queue } = await results.assertQueue('', { exclusive: true });
  await results.bindQueue(queue, 'hilum.result', '#');
  await results.consume(
    queue,
    (message) => message && done.push((JSON.parse(message.content.toString('utf8')) as ResultEvent).studyInstanceUid),
    { noAck: true },
  );
  const routine = Array.from({ length: 8 }, (_, index) => drawn(100 + index));
  const [stat, portable, told] = [drawn(201), drawn(202, 'AP'), drawn(203)];
  for (const film of [...routine, portable, told]) await put(syntheticDicom(film));
  await putStat(stat);
  const first: string[] = [];
  for (const film of routine) first.push(await tell(film));
  const last = [await tell(stat), await tell(portable), await tell(told, { priority: 'urgent' })];
  await until('all', () => done.length === routine.length + 3, 500_000);
  expect(new Set(done)).toEqual(new Set([...first, ...last]));
  // Some routine ones were begun before the others came; the rest came after them.
  const places = last.map((study) => done.indexOf(study));
  expect(Math.max(...places)).toBeLessThan(done.length - 4);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const line of [
    'hilum_wait_seconds_count{priority="urgent"} 3',
    'hilum_wait_seconds_count{priority="routine"} 8',
    'hilum_queue_messages{queue="intake"} 0',
    'hilum_queue_messages{queue="urgent"} 0',
    'hilum_queue_messages{queue="routine"} 0',
    'hilum_queue_age_seconds{queue="urgent"} 0',
    'hilum_queue_age_seconds{queue="routine"} 0',
  ])
    expect(metrics).toContain(`${line}\n`);
}, 600_000);
