import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createApp } from '../../src/app/app';
import { parseConfig } from '../../src/config/config';
import { type Role, ROLES } from '../../src/config/roles';
import type { ProgressEvent } from '../../src/events/progress-event';
import type { Broker, BrokerOptions, StudyHandler } from '../../src/queue/broker';
import { consumedMessage } from '../support/broker/consumed-message';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';

const STUDY = '1.2.3';
const EVENT = {
  schemaVersion: 1,
  type: 'study-stable',
  studyInstanceUid: STUDY,
  occurredAt: '2026-03-01T10:15:30.000Z',
};

/** What the composition root asked of the broker and of the catch-up, in its order. */
const mockAsked: string[] = [];
const mockTold: ProgressEvent[] = [];
let mockOptions: BrokerOptions | undefined;
let mockHandler: StudyHandler | undefined;

jest.mock('../../src/queue/broker', () => ({
  ...jest.requireActual<object>('../../src/queue/broker'),
  connectBroker: (options: BrokerOptions): Partial<Broker> => {
    mockOptions = options;
    return {
      state: () => 'connected',
      ages: () => Promise.resolve({}),
      depths: () => Promise.resolve({ intake: 0, urgent: 0, routine: 0, retry: 0, dead: 0 }),
      sinkDepths: () => Promise.resolve([]),
      publishProgress: (event) => void mockTold.push(event),
      consume: async (handler) => {
        mockHandler = handler;
        mockAsked.push('studies');
      },
      consumeSink: async (sink) => void mockAsked.push(`sink ${sink}`),
      consumeProgress: async () => void mockAsked.push('progress'),
      stop: () => Promise.resolve(),
    };
  },
}));
jest.mock('../../src/app/catch-up', () => ({
  openCatchUp: () => ({ start: () => void mockAsked.push('catch-up'), stop: () => Promise.resolve() }),
}));

let dir = '';
afterEach(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-test-roles-'));
  mockAsked.length = 0;
  mockTold.length = 0;
});

const settings = (roles: readonly Role[] | undefined, isListOn = true) => ({
  roles,
  archive: { url: 'http://127.0.0.1:9/dicom-web' },
  broker: { url: 'amqp://127.0.0.1:9' },
  http: { port: 0 },
  state: { dir },
  list: { enabled: isListOn },
  deliveries: {
    webhook: { enabled: true, url: 'http://127.0.0.1:9/', secret: `whsec_${Buffer.alloc(32).toString('base64')}` },
  },
});

async function running<T>(
  roles: readonly Role[] | undefined,
  use: (url: string) => Promise<T>,
  isListOn = true,
): Promise<T> {
  const app = await createApp(parseConfig(settings(roles, isListOn)), recordingLog(), fakePipeline().pipeline);
  try {
    return await use(`http://127.0.0.1:${(await app.start()).port}`);
  } finally {
    await app.stop();
  }
}

const ALL = ['studies', 'progress', 'sink webhook', 'sink list', 'catch-up'];

test.each<[string, readonly Role[] | undefined, readonly string[]]>([
  ['by default', undefined, ALL],
  ['all', ROLES, ALL],
  ['worker', ['worker'], ['studies']],
  ['list', ['list'], ['progress', 'sink list']],
  ['catch-up', ['catch-up'], ['catch-up']],
  ['sinks', ['sinks'], ['sink webhook']],
  ['all but worker', ['list', 'catch-up', 'sinks'], ['progress', 'sink webhook', 'sink list', 'catch-up']],
])('roles %s: what is started', async (_name, roles, expected) => {
  await running(roles, async () => {});
  expect(mockAsked).toEqual(expected);
  // The queues of all results, so that they wait for whoever reads them.
  expect([...(mockOptions?.sinks ?? [])].sort()).toEqual(['list', 'webhook']);
});

test('without the list switched on its role does nothing', async () => {
  await running(['list'], async (url) => expect((await fetch(`${url}/`)).status).toBe(404), false);
  expect(mockAsked).toEqual([]);
  expect(mockOptions?.sinks).toEqual(['webhook']);
});

test.each<[Role, number]>([
  ['worker', 404],
  ['list', 200],
  ['catch-up', 404],
  ['sinks', 404],
])('%s serves health and metrics; the pages are answered %d', async (role, status) => {
  await running([role], async (url) => {
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/`)).status).toBe(status);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('# TYPE hilum_studies_total counter');
    expect(metrics.includes('hilum_studies_total{result="done"} 0')).toBe(role === 'worker');
    expect(metrics.includes('hilum_deliveries_total{sink="webhook",result="done"} 0')).toBe(role === 'sinks');
    expect(metrics.includes('hilum_deliveries_total{sink="list",result="done"} 0')).toBe(role === 'list');
  });
});

test('no model is loaded without a worker', async () => {
  const nowhere = { ...settings(['list', 'catch-up', 'sinks']), models: { dir: join(dir, 'no-models') } };
  const app = await createApp(parseConfig(nowhere), recordingLog());
  await app.stop();
  const analysisWorker = resolve(__dirname, '../support/threads/analysis-worker.cjs');
  await expect(
    createApp(parseConfig({ ...nowhere, roles: ['worker'] }), recordingLog(), undefined, { analysisWorker }),
  ).rejects.toMatchObject({ code: 'MODEL_INVALID' });
});

const analyseOnce = () => mockHandler!(consumedMessage(Buffer.from(JSON.stringify(EVENT))), 'routine');

test('a worker without the list tells of its studies over the broker and opens no list database', async () => {
  await running(['worker'], analyseOnce);
  expect(mockTold.map(({ studyInstanceUid, step }) => [studyInstanceUid, step.kind])).toEqual([
    [STUDY, 'analysing'],
    [STUDY, 'retry'],
  ]);
  expect(existsSync(join(dir, 'list.db'))).toBe(false);
});

test('a worker beside the list tells it without the broker; where no list is kept nobody is told', async () => {
  await running(['worker'], analyseOnce, false);
  await running(['worker', 'list'], analyseOnce);
  expect(mockTold).toEqual([]);
  expect(existsSync(join(dir, 'list.db'))).toBe(true);
});
