import { connect } from 'amqplib';
import { type App, createApp } from '../../src/app/app';
import type { DeadLetterEntry, Overview, StudyDetail, StudyPage } from '../../src/web/api/api-types';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

/**
 * The service as app.ts puts it together, with a real Orthanc and a real RabbitMQ; only the networks are fake. Nobody
 * signs in: loopback only.
 */
let site: Site;
let app: App | undefined;
let url: string;

beforeAll(async () => {
  site = await Site.open();
  await site.begin();
  const config = site.config();
  const { pipeline } = fakePipeline();
  const withLungs = {
    ...pipeline,
    identity: () => ({
      ...pipeline.identity(),
      objects: { heatMap: true, segmentation: true, parametricMap: false, presentationState: false },
    }),
  };
  app = await createApp({ ...config, list: { ...config.list, enabled: true } }, recordingLog(), withLungs);
  url = `http://127.0.0.1:${(await app.start()).port}`;
}, 180_000);

afterAll(async () => {
  await app?.stop();
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await site?.end();
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await site?.close();
}, 90_000);

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(`${url}/api/v1${path}`);
  if (!answer.ok) throw new Error(`${path} is answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

const post = (path: string, headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' }) =>
  fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{}',
  });

test('a study that is told of is on the list, live, with pictures, outlines and report from the archive', async () => {
  const { change } = await get<StudyPage>('/studies');
  const stream = (await fetch(`${url}/api/v1/live?since=${change}`))
    .body!.pipeThrough(new TextDecoderStream())
    .getReader();
  const study = await site.put();
  await site.tell(study);
  let told = '';
  await until(
    'the result in the stream',
    async () => {
      told += (await stream.read()).value ?? '';
      return told.includes('"state":"done"') && told.includes(study);
    },
    90_000,
  );
  await stream.cancel();
  expect(told).toMatch(/event: change\nid: \d+\ndata: \{"kind":"study"/);
  const { row, films } = await get<StudyDetail>(`/studies/${study}`);
  expect(row).toMatchObject({
    state: 'done',
    priority: 'urgent',
    urgentBy: ['finding'],
    patient: { name: 'Synthetic, Film' },
  });
  for (const path of [`${films[0]!.picture}?size=96`, `${films[0]!.heatMap}size=256&part=film`]) {
    const picture = await fetch(`${url}${path}`);
    expect([path, picture.status, picture.headers.get('content-type')]).toEqual([path, 200, 'image/jpeg']);
  }
  expect(await get(films[0]!.report!.replace('/api/v1', ''))).toMatchObject({
    size: { rows: 64, columns: 56 },
    lungs: [expect.any(Array), expect.any(Array)],
  });
}, 150_000);

test('a dead letter of the real broker is shown, replayed and dropped; another web site is refused', async () => {
  const { amqpUrl } = site.rabbit;
  const connection = await connect(amqpUrl);
  const channel = await connection.createConfirmChannel();
  channel.publish(`${site.config().broker.prefix}.study`, 'study.stable', Buffer.from('{"schemaVersion": 7}'));
  await channel.waitForConfirms();
  await connection.close();
  const letters = async () => (await get<{ letters: DeadLetterEntry[] }>('/operators/dead-letters')).letters;
  const first = await until('the dead letter', async () => (await letters())[0], 30_000);
  expect(first).toMatchObject({ queue: 'study', reason: 'EVENT_INVALID', studyInstanceUid: null });
  expect((await post(`/operators/dead-letters/${first.id}/replay`, { 'sec-fetch-site': 'cross-site' })).status).toBe(
    403,
  );
  expect(await (await post(`/operators/dead-letters/${first.id}/replay`)).json()).toEqual({ done: 1 });
  // The message is still invalid: it becomes a dead letter again, with one more entry in its history.
  const second = await until(
    'the letter after its replay',
    async () => (await letters()).find(({ id }) => id !== first.id),
    30_000,
  );
  expect((await get<Overview>('/operators/overview')).queues).toMatchObject({ dead: 1 });
  expect(await (await post(`/operators/dead-letters/${second.id}/drop`)).json()).toEqual({ done: 1 });
  expect(await letters()).toEqual([]);
}, 120_000);

test('the page is served with its policy, and each check of the service is on the overview', async () => {
  const page = await fetch(`${url}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/);
  const { checks, states } = await get<Overview>('/operators/overview');
  expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(['broker', 'archive', 'disk']));
  expect(states.done).toBe(1);
}, 60_000);
