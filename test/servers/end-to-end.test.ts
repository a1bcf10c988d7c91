import { type ChannelModel, connect } from 'amqplib';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ResultEvent } from '../../src/events/result-event';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { dciodvfy, dcmdump, dsrdump } from '../support/servers/judges';
import { type Orthanc, type Rabbit, Servers, until } from '../support/servers/servers';

const ROOT = resolve(__dirname, '../..');
const FILMS = join(process.env['HILUM_DATA_DIR'] ?? join(ROOT, '../shared/data'), 'dicom');
const REAL = ['pydicom-data__RG1_J2KI.dcm', 'pylibjpeg-data__RG1_JLSN.dcm'];

const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-end-to-end-'));
let rabbit: Rabbit;
let orthanc: Orthanc;
let service: ChildProcess;
let port = 0;
let connection: ChannelModel;
const events: ResultEvent[] = [];

beforeAll(async () => {
  rabbit = await servers.rabbit();
  orthanc = await servers.orthanc({ amqpUrl: rabbit.amqpUrl, plugin: true, stableAge: 1 });
  writeFileSync(
    join(dir, 'hilum.yaml'),
    JSON.stringify({ archive: { url: orthanc.dicomWebUrl }, broker: { url: rabbit.amqpUrl }, http: { port: 0 } }),
  );
  await startService();
  connection = await connect(rabbit.amqpUrl);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'hilum.result', '#');
  await channel.consume(
    queue,
    (message) => message && events.push(JSON.parse(message.content.toString('utf8')) as ResultEvent),
    { noAck: true },
  );
}, 180_000);

afterAll(async () => {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await connection?.close();
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  if (service?.exitCode === null) {
    service.kill('SIGTERM');
    await until('the service ends', () => service.exitCode !== null || service.signalCode !== null);
  }
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
}, 90_000);

/** The service as users start it. Its log tells the port. */
async function startService(): Promise<void> {
  service = spawn(process.execPath, [join(ROOT, 'dist/cli.js'), 'serve', '--config', join(dir, 'hilum.yaml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  service.stderr!.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  port = await until(
    'the service says its port',
    () => {
      if (service.exitCode !== null) throw new Error(`the service ended: ${log}`);
      return Number(/"event":"http.listening"[^\n]*"port":(\d+)/.exec(log)?.[1]) || undefined;
    },
    60_000,
  );
  await until(
    'the service is ready',
    async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status === 200,
    60_000,
  );
}

/** C-STORE by HTTP: `uid` is the film's SOP Instance UID, the others are Orthanc's names. */
async function send(bytes: Uint8Array): Promise<{ Status: string; ParentStudy: string; uid: string }> {
  const sent = (await (await fetch(`${orthanc.url}/instances`, { method: 'POST', body: bytes })).json()) as {
    ID: string;
    Status: string;
    ParentStudy: string;
  };
  const instance = (await (await fetch(`${orthanc.url}/instances/${sent.ID}`)).json()) as {
    MainDicomTags: { SOPInstanceUID: string };
  };
  return { ...sent, uid: instance.MainDicomTags.SOPInstanceUID };
}

async function instancesOf(study: string): Promise<{ ID: string; MainDicomTags: { SOPInstanceUID: string } }[]> {
  return (await (await fetch(`${orthanc.url}/studies/${study}/instances`)).json()) as {
    ID: string;
    MainDicomTags: { SOPInstanceUID: string };
  }[];
}

/** The result objects of a film, as Orthanc gives them back. */
async function download(
  outputs: ResultEvent['films'][number]['outputs'],
): Promise<{ sopClassUid: string; bytes: Uint8Array }[]> {
  return Promise.all(
    outputs.map(async ({ sopInstanceUid, sopClassUid }) => {
      const [id] = (await (
        await fetch(`${orthanc.url}/tools/lookup`, { method: 'POST', body: sopInstanceUid })
      ).json()) as { ID: string }[];
      return {
        sopClassUid,
        bytes: new Uint8Array(await (await fetch(`${orthanc.url}/instances/${id!.ID}/file`)).arrayBuffer()),
      };
    }),
  );
}

const eventOf = (film: string) =>
  events.find(({ films }) => films.some(({ sopInstanceUid }) => sopInstanceUid === film));

test('a drawn film ends in a clear outcome with its objects in the study; sent again, nothing changes', async () => {
  const film = syntheticDicom({ seed: 11, view: 'PA', rows: 700, columns: 600 });
  const { ParentStudy, uid } = await send(film);
  const event = await until('the result event', () => eventOf(uid), 60_000);
  const [result] = event.films;
  expect(['analysed', 'not-analysed']).toContain(result!.outcome);
  const present = (await instancesOf(ParentStudy)).map(({ MainDicomTags }) => MainDicomTags.SOPInstanceUID);
  expect(present.sort()).toEqual([uid, ...result!.outputs.map(({ sopInstanceUid }) => sopInstanceUid)].sort());
  expect((await send(film)).Status).toBe('AlreadyStored');
  const channel = await connection.createConfirmChannel();
  channel.publish(
    'hilum.study',
    'study.stable',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 1,
        type: 'study-stable',
        studyInstanceUid: event.studyInstanceUid,
        source: { system: 'test' },
        occurredAt: new Date().toISOString(),
      }),
    ),
  );
  await channel.waitForConfirms();
  await new Promise((done) => setTimeout(done, 6_000));
  expect(await instancesOf(ParentStudy)).toHaveLength(present.length);
  expect(events.filter(({ studyInstanceUid }) => studyInstanceUid === event.studyInstanceUid)).toHaveLength(1);
}, 120_000);

const realTest = existsSync(FILMS) ? test : test.skip;
if (!existsSync(FILMS)) console.warn(`SKIPPED: tests on real films, there is no folder ${FILMS} (HILUM_DATA_DIR)`);

realTest.each(REAL)(
  'the real film %s gets a heat map and a report that the judges accept',
  async (name) => {
    const { uid } = await send(readFileSync(join(FILMS, name)));
    const event = await until('the result event', () => eventOf(uid), 90_000);
    const result = event.films.find(({ sopInstanceUid }) => sopInstanceUid === uid)!;
    expect(result.outcome).toBe('analysed');
    const objects = await download(result.outputs);
    expect(objects.map(({ sopClassUid }) => sopClassUid)).toEqual([
      '1.2.840.10008.5.1.4.1.1.7',
      '1.2.840.10008.5.1.4.1.1.88.34',
    ]);
    for (const { bytes } of objects) {
      expect(dciodvfy(bytes).errors).toEqual([]);
      expect(dcmdump(bytes)).toMatchObject({ status: 0, errors: [] });
    }
    expect(dsrdump(objects[1]!.bytes).text).toContain('840544004');
  },
  180_000,
);

test('a worker killed at its work loses nothing: the next one finishes the study, once', async () => {
  const { ParentStudy, uid } = await send(syntheticDicom({ seed: 12, view: 'AP', rows: 900, columns: 800 }));
  await new Promise((done) => setTimeout(done, 2_200));
  service.kill('SIGKILL');
  await until('the service is dead', () => service.signalCode === 'SIGKILL');
  await startService();
  const event = await until('the result event', () => eventOf(uid), 90_000);
  const outputs = event.films.find(({ sopInstanceUid }) => sopInstanceUid === uid)!.outputs;
  expect(await instancesOf(ParentStudy)).toHaveLength(1 + outputs.length);
}, 180_000);

test('a message that is no study event is dead-lettered with its reason and holds up nothing', async () => {
  const channel = await connection.createConfirmChannel();
  channel.publish('hilum.study', 'study.stable', Buffer.from('{"schemaVersion": 7}'));
  await channel.waitForConfirms();
  const message = await until(
    'the dead letter',
    async () => (await channel.get('hilum.study.dead', { noAck: true })) || undefined,
  );
  expect(String(message.properties.headers?.['x-hilum-reason'])).toContain('EVENT_INVALID');
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const line of [
    'hilum_failures_total{code="EVENT_INVALID"} 1',
    'hilum_studies_total{result="dead"} 1',
    'hilum_queue_messages{queue="dead"} 0',
    'hilum_broker_state{state="connected"} 1',
  ])
    expect(metrics).toContain(`${line}\n`);
}, 60_000);
