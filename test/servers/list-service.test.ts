import { connect } from 'amqplib';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type App, createApp } from '../../src/app/app';
import { parseConfig } from '../../src/config/config';
import type { Uid } from '../../src/dicom/uid';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { type Database, openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';
import type { Postgres } from '../support/servers/postgres';
import { type Orthanc, type Rabbit, Servers, until } from '../support/servers/servers';

/** The service's own wiring with a real broker, archive and database; only the networks are made up. */
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-list-service-'));
const log = recordingLog();
let [rabbit, orthanc, postgres] = [] as unknown as [Rabbit, Orthanc, Postgres];
let url = '';
let app: App | undefined;
let database: Database | undefined;
let list: Worklist;

/** Films are read from then on. */
let startReading = () => {};
const reading = new Promise<void>((start) => (startReading = start));

const settings = (databaseUrl: string) => ({
  archive: { url: orthanc.dicomWebUrl },
  broker: { url: rabbit.amqpUrl, retryDelaysMs: [300] },
  http: { port: 0 },
  catchUp: { kind: 'off' as const },
  state: { dir },
  list: { enabled: true, database: databaseUrl },
});

beforeAll(async () => {
  [rabbit, orthanc, postgres] = await Promise.all([servers.rabbit(), servers.orthanc(), servers.postgres()]);
  url = await postgres.database('hospital');
  const { pipeline } = fakePipeline();
  const reader = { ...pipeline.reader, read: (bytes: Uint8Array) => reading.then(() => pipeline.reader.read(bytes)) };
  app = await createApp(parseConfig(settings(url)), log, { ...pipeline, reader });
  const { port } = await app.start();
  await until(
    'the service is ready',
    async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status === 200,
    120_000,
  );
  database = openDatabase(url, recordingLog());
  list = new Worklist(database);
}, 240_000);

afterAll(async () => {
  await app?.stop();
  await database?.close();
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
}, 120_000);

const drawn = (seed: number): SyntheticObject => ({ seed, view: 'PA', rows: 320, columns: 280 });

async function put(film: SyntheticObject): Promise<Uid> {
  await fetch(`${orthanc.url}/instances`, { method: 'POST', body: syntheticDicom(film) });
  return syntheticUids(film).studyInstanceUid;
}

async function tell(study: Uid, more: Record<string, unknown> = {}): Promise<void> {
  const connection = await connect(rabbit.amqpUrl);
  const channel = await connection.createConfirmChannel();
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
    { persistent: true },
  );
  await channel.waitForConfirms();
  await connection.close();
}

const done = (study: Uid) =>
  until(
    `${study} is done`,
    async () => ((await list.study(study))?.row.state === 'done' ? list.study(study) : undefined),
    150_000,
  );

test('a film that comes is on the list with patient, result and the steps of its way', async () => {
  const study = await put(drawn(1));
  await tell(study, { priority: 'urgent' });
  // Steps are written beside the analysis; one that comes after the result is left out.
  await until('it is analysed', async () => (await list.study(study))?.row.state === 'analysing', 100_000);
  startReading();
  const detail = (await done(study))!;
  expect(detail.row).toMatchObject({
    priority: 'urgent',
    priorities: { triage: 'urgent', finding: 'urgent' },
    findings: [{ probability: expect.closeTo(0.9, 3) as number, operatingPoint: 0.5, atOrAbove: true }],
    views: ['frontal'],
    studyDescription: 'Drawn chest film, no patient',
  });
  expect(detail.row.patient.PatientID).not.toBe('');
  expect(detail.row.lead!.heatMap).not.toBeNull();
  expect(detail.history.map(({ kind }) => kind)).toEqual(['result', 'analysing', 'waiting']);
  await tell(study);
  await new Promise((wait) => setTimeout(wait, 2_000));
  expect((await list.study(study))!.row).toEqual({ ...detail.row, change: expect.any(Number) as number });
}, 180_000);

test('a database that is away holds up no analysis, and is told when it is back', async () => {
  await postgres.kill();
  const study = await put(drawn(2));
  await tell(study);
  await until(
    'the report is stored all the same',
    async () =>
      (
        (await (
          await fetch(`${orthanc.dicomWebUrl}/studies/${study}/series?Modality=SR`, {
            headers: { accept: 'application/dicom+json' },
          })
        ).json()) as unknown[]
      ).length > 0,
    60_000,
  );
  await postgres.up();
  expect((await done(study))!.row).toMatchObject({
    priority: 'urgent',
    findings: [{ probability: expect.closeTo(0.9, 3) as number }],
  });
  const told = () => log.lines.map(({ fields }) => fields.event).filter((event) => event.startsWith('list.'));
  const events = await until(
    'the notes are written too',
    async () => (told().length === 3 ? told() : undefined),
    60_000,
  );
  expect(events).toEqual(['list.database-ready', 'list.database-away', 'list.database-back']);
}, 180_000);

test('hilum rebuild makes the same list from the archive alone, in a database of the other kind', async () => {
  const file = join(dir, 'hilum.yaml');
  const other = `file:${join(dir, 'rebuilt.db')}`;
  writeFileSync(file, JSON.stringify({ ...settings(other), audit: { dir: join(dir, 'rebuild-audit') } }));
  const rebuild = (...more: string[]) =>
    spawnSync(process.execPath, [resolve(__dirname, '../../dist/cli.js'), 'rebuild', '--config', file, ...more], {
      encoding: 'utf8',
    });
  const studies = [drawn(1), drawn(2)].map((film) => syntheticUids(film).studyInstanceUid);
  const first = rebuild(...studies, '--json');
  expect({ status: first.status, stderr: first.stderr }).toEqual({ status: 0, stderr: '' });
  expect(
    first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(studies.map((studyInstanceUid) => ({ studyInstanceUid, outcome: 'written' })));
  const trail = () => readFileSync(join(dir, 'rebuild-audit/audit.log'), 'utf8').trim().split('\n');
  expect(trail().map((xml) => /EventActionCode="(.)".*csd-code="(\d+)"/.exec(xml)!.slice(1))).toHaveLength(2);
  for (const [i, xml] of trail().entries()) {
    expect(xml).toMatch(/EventActionCode="C".*csd-code="110103".* UserID="command-line:/);
    expect(xml).toContain(`StudyIDs UID="${studies[i]}"`);
    expect(xml).toContain(`ParticipantObjectID="${(await list.study(studies[i]!))!.row.patient.PatientID}"`);
  }
  const rebuilt = openDatabase(other, recordingLog());
  const mirror = new Worklist(rebuilt);
  for (const study of studies) {
    // The archive has the time at which the report was written, not that at which the result was complete.
    const announced = (await list.study(study))!.record!;
    expect((await mirror.study(study))!.record).toEqual({ ...announced, completedAt: expect.any(String) as string });
  }
  await mirror.verdict(studies[0]!, { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
  const again = rebuild();
  expect(again.stdout).toMatch(/ 2 {2}has its result already/);
  // What does not change is not told.
  expect(trail()).toHaveLength(2);
  expect((await mirror.study(studies[0]!))!.row.verdict!.verdict).toBe('agree');
  await rebuilt.close();
}, 180_000);
