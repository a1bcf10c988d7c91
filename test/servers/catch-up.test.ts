import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCatchUp } from '../../src/app/catch-up';
import { dicomWebArchive } from '../../src/archive/dicomweb';
import { orthancChanges } from '../../src/archive/orthanc';
import { type Config, parseConfig } from '../../src/config/config';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import type { Pipeline } from '../../src/pipeline/pipeline';
import { connectBroker } from '../../src/queue/broker';
import { createStudyConsumer } from '../../src/study-consumer';
import { fakePipeline, runStudyHere } from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';
import { type Orthanc, type Rabbit, Servers, until } from '../support/servers/servers';

/** No plug-in and no study event from outside: catch-up finds every study. The networks are fake, all else is real. */
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-catch-up-'));
const USER = { username: 'hilum', password: 'p:äss' };
const AUTHORIZATION = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
let rabbit: Rabbit;
let orthanc: Orthanc;
const running: Service[] = [];

beforeAll(async () => {
  [rabbit, orthanc] = await Promise.all([
    servers.rabbit(),
    servers.orthanc({ users: { [USER.username]: USER.password } }),
  ]);
}, 180_000);

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
});

afterAll(async () => {
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Service {
  readonly log: ReturnType<typeof recordingLog>;
  rounds(): { looked: number; told: number }[];
  stop(): Promise<void>;
}

/**
 * Consumer, pipeline and catch-up, put together as app.ts does, but for the networks. Nothing in memory outlives a
 * service; the state folder does.
 */
async function start(
  catchUp: Partial<Config['catchUp']> = {},
  pipeline: Pipeline = fakePipeline().pipeline,
): Promise<Service> {
  const log = recordingLog();
  const config = parseConfig({
    archive: { url: orthanc.dicomWebUrl, auth: { kind: 'basic', ...USER } },
    broker: { url: rabbit.amqpUrl },
    catchUp: { windowDays: 36_500, intervalMs: 500, studiesPerMinute: 6_000, ...catchUp },
    state: { dir: join(dir, 'state') },
  });
  const archive = dicomWebArchive(config.archive, log);
  const broker = connectBroker({ ...config.broker, reconnect: { baseMs: 100, maxMs: 500 } }, log);
  const consumer = createStudyConsumer({
    runStudy: (study, options) => runStudyHere(study, options, pipeline, { archive, announcer: broker }),
    retry: { delaysMs: [5_000], limit: 3 },
    log,
  });
  const found = openCatchUp(config, archive, broker, log);
  await broker.consume((message) => consumer(message), 1);
  found?.start();
  const service = {
    log,
    rounds: () =>
      log.lines
        .filter(({ fields }) => fields.event === 'catch-up.round')
        .map(({ fields }) => ({ looked: Number(fields['looked']), told: Number(fields['told']) })),
    stop: async () => {
      await found?.stop();
      await broker.stop(5_000);
      await archive.close();
    },
  };
  running.push(service);
  return service;
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (
    await fetch(`${orthanc.url}${path}`, { ...init, headers: { authorization: AUTHORIZATION } })
  ).json()) as T;
}

const instances = async () => (await ask<{ CountInstances: number }>('/statistics')).CountInstances;
const drawn = (seed: number, more: Partial<SyntheticObject> = {}): SyntheticObject => ({
  seed,
  view: 'PA',
  rows: 200,
  columns: 180,
  ...more,
});
const put = (film: SyntheticObject) => ask('/instances', { method: 'POST', body: syntheticDicom(film) });

/** Modalities of the instances of a film's study, sorted. */
async function modalitiesOf(film: SyntheticObject): Promise<string[]> {
  const series = await ask<{ MainDicomTags: { Modality: string }; Instances: string[] }[]>('/tools/find', {
    method: 'POST',
    body: JSON.stringify({
      Level: 'Series',
      Expand: true,
      Query: { StudyInstanceUID: syntheticUids(film).studyInstanceUid },
    }),
  });
  return series.flatMap(({ MainDicomTags, Instances }) => Instances.map(() => MainDicomTags.Modality)).sort();
}

/** Two more rounds from now on, all of whose studies were done. */
async function twoRounds(service: Service): Promise<{ looked: number; told: number }[]> {
  const before = service.rounds().length;
  return until('two rounds', () => service.rounds().length >= before + 2 && service.rounds().slice(before), 60_000);
}

const FILMS = Array.from({ length: 6 }, (_, i) => drawn(100 + i));

test('studies that were stored without any message have their results, each once', async () => {
  for (const film of FILMS) await put(film);
  const service = await start({ queueLimit: 2 });
  await until('all results', async () => (await instances()) >= 3 * FILMS.length, 240_000);
  await twoRounds(service);
  for (const film of FILMS) expect(await modalitiesOf(film)).toEqual(['CR', 'OT', 'SR']);
  expect(service.rounds().reduce((sum, { told }) => sum + told, 0)).toBe(FILMS.length);
  expect(service.log.lines.filter(({ fields }) => fields.event === 'study.done')).toHaveLength(FILMS.length);
  expect(JSON.stringify(service.log.lines)).not.toContain('Synthetic');
}, 300_000);

test('after a restart nothing is doubled, and what is done is no event', async () => {
  const service = await start();
  const rounds = await twoRounds(service);
  expect(service.rounds()[0]).toEqual({ looked: FILMS.length, told: 0 });
  // Remembered: not asked for again.
  expect(rounds.at(-1)).toEqual({ looked: 0, told: 0 });
  expect(await instances()).toBe(3 * FILMS.length);
}, 120_000);

test('another version of Hilum leaves what is done alone, and does what is new', async () => {
  const { pipeline } = fakePipeline();
  const upgraded: Pipeline = {
    ...pipeline,
    identity: () => ({
      ...pipeline.identity(),
      models: pipeline.identity().models.map((model) => ({ ...model, version: '2.0.0' })),
    }),
  };
  const before = await instances();
  const service = await start({}, upgraded);
  await twoRounds(service);
  expect(await instances()).toBe(before);
  // A second film in a study whose first one was read by the old version.
  const late = drawn(100, { view: 'AP' });
  await put(late);
  await until('the result of the new film', async () => (await instances()) >= before + 3, 60_000);
  await twoRounds(service);
  expect(await modalitiesOf(late)).toEqual(['CR', 'CR', 'OT', 'OT', 'SR', 'SR']);
  expect(await instances()).toBe(before + 3);
}, 180_000);

test('with the broker away at the start, it is done when the broker is back', async () => {
  const film = drawn(110);
  await put(film);
  await rabbit.kill();
  const service = await start();
  await until('a try to connect', () => service.log.lines.some(({ fields }) => fields.event === 'broker.unreachable'));
  expect(await modalitiesOf(film)).toEqual(['CR']);
  await rabbit.start();
  await until('the result', async () => (await modalitiesOf(film)).length === 3, 90_000);
  await twoRounds(service);
  expect(await modalitiesOf(film)).toEqual(['CR', 'OT', 'SR']);
}, 240_000);

test("by Orthanc's changes: the cursor survives a restart, finds what came since, asks for nothing twice", async () => {
  const orthancUrl = orthanc.url;
  const first = await start({ kind: 'orthanc', orthancUrl });
  await twoRounds(first);
  expect(first.rounds().every(({ told }) => told === 0)).toBe(true);
  const cursor = () =>
    JSON.parse(readFileSync(join(dir, 'state', 'orthanc-changes.json'), 'utf8')) as { seen: number; gaps: unknown[] };
  const { seen } = cursor();
  expect(seen).toBeGreaterThan(0);
  await first.stop();
  running.length = 0;
  const films = [drawn(120), drawn(121)];
  for (const film of films) await put(film);
  const second = await start({ kind: 'orthanc', orthancUrl });
  await until(
    'both results',
    async () => (await Promise.all(films.map(modalitiesOf))).every((found) => found.length === 3),
    90_000,
  );
  // Only what is new was looked at (and the study of the test before, should it have become stable meanwhile), not the
  // studies before.
  expect(second.rounds()[0]!.told).toBe(2);
  expect(second.rounds()[0]!.looked).toBeLessThanOrEqual(3);
  const client = orthancChanges({ url: orthancUrl, auth: { kind: 'basic', ...USER } });
  await until(
    'the cursor reaches our own results',
    async () => cursor().seen === (await client.last()) && cursor().gaps.length === 0,
    60_000,
  );
  await client.close();
  expect(second.rounds().reduce((sum, { told }) => sum + told, 0)).toBe(2);
  expect((await Promise.all(films.map(modalitiesOf))).map((found) => found.length)).toEqual([3, 3]);
}, 240_000);

test("Orthanc's changes: place, page, deleted studies, and a refused sign-in", async () => {
  const client = orthancChanges({ url: `${orthanc.url}/`, auth: { kind: 'basic', ...USER } });
  const last = await client.last();
  const page = await client.changes(0, 5);
  expect(page.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(await client.changes(last, 5)).toEqual([]);
  const study = page.find(({ type }) => type === 'NewStudy')!;
  expect(study).toMatchObject({ resource: { level: 'Study' }, date: expect.stringMatching(/^\d{8}T\d{6}$/) as string });
  const uid = await client.studyOf(study.resource);
  expect(FILMS.map((film) => syntheticUids(film).studyInstanceUid)).toContain(uid);
  expect(await client.studyOf(page.find(({ type }) => type === 'NewSeries')!.resource)).toBe(uid);
  expect(await client.studyOf({ level: 'Study', id: '0-0' })).toBeNull();
  await client.close();
  const stranger = orthancChanges({ url: orthanc.url });
  await expect(stranger.last()).rejects.toMatchObject({ code: 'ARCHIVE_UNAUTHORISED' });
  await stranger.close();
  const elsewhere = orthancChanges({ url: `${orthanc.url}/system?`, auth: { kind: 'basic', ...USER } });
  await expect(elsewhere.last()).rejects.toMatchObject({ code: 'ARCHIVE_RESPONSE_INVALID' });
  await elsewhere.close();
}, 60_000);
