import express from 'express';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HilumError } from '../../src/base/errors';
import type { ResultEvent } from '../../src/events/result-event';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { TIMED_STAGES } from '../../src/pipeline/stage';
import type { ConsumedMessage } from '../../src/queue/message';
import { createStudyConsumer, STUDY_RESULTS, type StudyConsumerOptions } from '../../src/study-consumer';
import { open } from '../../src/web/access/user';
import { addHealth, listen } from '../../src/web/health';
import { createMetrics, METRIC_NAMES, type MetricsSources } from '../../src/web/metrics';
import { consumedMessage } from '../support/broker/consumed-message';
import { fakePipeline, MemoryAnnouncer, MemoryArchive, runStudyHere } from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';

const STATES = ['connected', 'disconnected'] as const;
const make = (more: Partial<MetricsSources> = {}) =>
  createMetrics({
    version: '1.2.3',
    studyResults: STUDY_RESULTS,
    failureCodes: ['NOT_FOUND'],
    brokerStates: STATES,
    brokerState: () => 'connected',
    queues: async () => ({ urgent: 3, retry: 2, dead: 1 }),
    queueAges: async () => ({ urgent: 42.5, routine: 0 }),
    sinks: ['hl7'],
    deliveryResults: ['done', 'dead'],
    sinkWays: [{ sink: 'dicom', ways: ['commitment', 'find'] }],
    sinkQueues: async () => [{ sink: 'hl7', waiting: 4, retry: 1, dead: 2 }],
    now: () => new Date(1_772_359_200_000),
    ...more,
  });

/** name{labels} -> value, ours only. */
async function samples(metrics: { text(): Promise<string> }): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('hilum_'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

test('docs/operations.md lists every metric and no other; all are served from the start', async () => {
  const page = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
  const table = page.slice(page.indexOf('## Metrics'), page.indexOf('\n## ', page.indexOf('## Metrics') + 1));
  expect([...table.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])).toEqual([...METRIC_NAMES]);
  const served = [...(await make().text()).matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!);
  expect(served.filter((name) => !/^(process|nodejs)_/.test(name)).sort()).toEqual([...METRIC_NAMES].sort());
});

test('how long the event loop was held up is told of the time since the last scrape', async () => {
  const metrics = make();
  const longest = async () => Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await metrics.text())?.[1]);
  await longest();
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const end = performance.now() + 300; performance.now() < end;);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const text = await metrics.text();
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
  expect(Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0.2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await longest()).not.toBe(Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]));
});

test('what it is told is counted', async () => {
  const metrics = make();
  metrics.film({ outcome: 'analysed', reason: null });
  metrics.film({ outcome: 'not-analysed', reason: 'lateral-view' });
  metrics.study('done');
  metrics.study('retry', 'ARCHIVE_TIMEOUT');
  metrics.stage('infer', 0.3);
  metrics.waited('urgent', 40);
  metrics.delivery('hl7', 'done');
  metrics.verified('dicom', 'find', 3);
  metrics.failingSince('hl7', 1_772_359_200_000);
  expect(await samples(metrics)).toMatchObject({
    'hilum_info{version="1.2.3"}': 1,
    'hilum_films_total{outcome="analysed",reason="none"}': 1,
    'hilum_films_total{outcome="not-analysed",reason="lateral-view"}': 1,
    'hilum_studies_total{result="done"}': 1,
    'hilum_studies_total{result="retry"}': 1,
    'hilum_studies_total{result="dead"}': 0,
    'hilum_failures_total{code="ARCHIVE_TIMEOUT"}': 1,
    'hilum_failures_total{code="NOT_FOUND"}': 0,
    'hilum_stage_seconds_bucket{le="0.25",stage="infer"}': 0,
    'hilum_stage_seconds_bucket{le="0.5",stage="infer"}': 1,
    'hilum_stage_seconds_count{stage="store"}': 0,
    'hilum_wait_seconds_bucket{le="30",priority="urgent"}': 0,
    'hilum_wait_seconds_bucket{le="60",priority="urgent"}': 1,
    'hilum_wait_seconds_count{priority="routine"}': 0,
    'hilum_deliveries_total{sink="hl7",result="done"}': 1,
    'hilum_deliveries_total{sink="hl7",result="dead"}': 0,
    'hilum_delivery_verified_objects_total{sink="dicom",by="find"}': 3,
    'hilum_delivery_verified_objects_total{sink="dicom",by="commitment"}': 0,
    'hilum_delivery_messages{sink="hl7",state="waiting"}': 4,
    'hilum_delivery_messages{sink="hl7",state="retry"}': 1,
    'hilum_delivery_messages{sink="hl7",state="dead"}': 2,
    'hilum_delivery_failing_since_timestamp_seconds{sink="hl7"}': 1_772_359_200,
    'hilum_queue_age_seconds{queue="urgent"}': 42.5,
    'hilum_queue_age_seconds{queue="routine"}': 0,
    'hilum_queue_messages{queue="urgent"}': 3,
    'hilum_queue_messages{queue="retry"}': 2,
    'hilum_queue_messages{queue="dead"}': 1,
    'hilum_broker_state{state="connected"}': 1,
    'hilum_broker_state{state="disconnected"}': 0,
    hilum_last_result_timestamp_seconds: 1_772_359_200,
  });
});

test('a broker that fails or hangs leaves the depths out, in bounded time, and keeps no old number', async () => {
  let queues: MetricsSources['queues'] = async () => ({ urgent: 3 });
  let state: string = 'connected';
  const metrics = make({
    queues: () => queues(),
    queueAges: () => queues(),
    queuesTimeoutMs: 50,
    brokerState: () => state,
  });
  expect(await samples(metrics)).toHaveProperty(['hilum_queue_messages{queue="urgent"}'], 3);
  state = 'disconnected';
  for (const bad of [async () => Promise.reject(new Error('gone')), () => new Promise<never>(() => {})]) {
    queues = bad;
    const found = await samples(metrics);
    expect(Object.keys(found).filter((key) => key.startsWith('hilum_queue'))).toEqual([]);
    expect(found).toMatchObject({
      'hilum_broker_state{state="connected"}': 0,
      'hilum_broker_state{state="disconnected"}': 1,
    });
  }
});

describe('the pipeline', () => {
  const FILM = syntheticDicom({ seed: 1, view: 'PA', rows: 280, columns: 240 });

  function watched(lateral = 0.01) {
    const metrics = make();
    const archive = new MemoryArchive();
    const reference = archive.put(FILM);
    const line = { ...fakePipeline({ lateral }).pipeline, observer: metrics };
    const ports = { archive, announcer: new MemoryAnnouncer() };
    const run = () => runStudyHere(reference.studyInstanceUid, { redelivered: false }, line, ports);
    const stages = async () => {
      const found = await samples(metrics);
      return TIMED_STAGES.map((stage) => found[`hilum_stage_seconds_count{stage="${stage}"}`]);
    };
    return { metrics, archive, reference, run, stages };
  }

  test('each stage once per film; a study without news counts no film', async () => {
    const { metrics, run, stages } = watched();
    await run();
    await run();
    expect(await stages()).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(await samples(metrics)).toHaveProperty(['hilum_films_total{outcome="analysed",reason="none"}'], 1);
  });

  test('a refused film ends after the networks; no label names it', async () => {
    const { metrics, run, stages, reference } = watched(0.99);
    await run();
    expect(await stages()).toEqual([1, 1, 1, 0, 1, 1, 1]);
    expect(await samples(metrics)).toHaveProperty(
      ['hilum_films_total{outcome="not-analysed",reason="lateral-view"}'],
      1,
    );
    expect(await metrics.text()).not.toContain(reference.studyInstanceUid);
  });

  test('a stage that fails is timed too; the film is not counted', async () => {
    const { metrics, archive, run, stages } = watched();
    archive.before = (call) => {
      if (call === 'store') throw new HilumError('ARCHIVE_TIMEOUT', 'transient', 'late');
    };
    await expect(run()).rejects.toMatchObject({ code: 'ARCHIVE_TIMEOUT' });
    expect(await stages()).toEqual([1, 1, 1, 1, 1, 1, 0]);
    expect(await samples(metrics)).toHaveProperty(['hilum_films_total{outcome="analysed",reason="none"}'], 0);
  });
});

describe('the study consumer', () => {
  const body = Buffer.from(
    JSON.stringify({
      schemaVersion: 1,
      type: 'study-stable',
      studyInstanceUid: '1.2.3',
      occurredAt: '2026-03-01T10:15:30Z',
    }),
  );
  const message = (more: Partial<ConsumedMessage> = {}) => consumedMessage(body, more);
  const event = { films: [], skipped: [] } as unknown as ResultEvent;
  const answering =
    (result: ResultEvent | null): StudyConsumerOptions['runStudy'] =>
    () =>
      Promise.resolve(result);
  const failing =
    (error: HilumError): StudyConsumerOptions['runStudy'] =>
    () =>
      Promise.reject(error);

  test.each([
    ['done', answering(event), message(), null],
    ['nothing-new', answering(null), message(), null],
    ['retry', failing(new HilumError('ARCHIVE_TIMEOUT', 'transient', 'late')), message(), 'ARCHIVE_TIMEOUT'],
    ['dead', failing(new HilumError('NOT_FOUND', 'permanent', 'gone')), message(), 'NOT_FOUND'],
    ['dead', answering(event), message({ body: Buffer.from('?') }), 'EVENT_INVALID'],
    ['put-back', answering(event), message({ redelivered: true }), null],
  ] as const)('%s is counted once', async (result, run, taken, code) => {
    const metrics = make();
    await createStudyConsumer({
      runStudy: run,
      retry: { delaysMs: [1], limit: 1 },
      log: recordingLog(),
      observer: metrics,
    })(taken);
    const counted = Object.entries(await samples(metrics)).filter(
      ([key, value]) => /^hilum_(studies|failures)_total/.test(key) && value > 0,
    );
    expect(Object.fromEntries(counted)).toEqual({
      [`hilum_studies_total{result="${result}"}`]: 1,
      ...(code === null ? {} : { [`hilum_failures_total{code="${code}"}`]: 1 }),
    });
  });
});

test('the port serves it beside health', async () => {
  const metrics = make();
  let full = false;
  const app = express();
  addHealth(
    app,
    { maySeeDetails: () => true, forMachines: open },
    [{ name: 'disk', look: async () => (full ? '12 MB free in /tmp, less than 100 MB' : null) }],
    metrics,
  );
  const web = await listen(app, '127.0.0.1', 0);
  const get = (path: string) => fetch(`http://127.0.0.1:${web.port}${path}`);
  try {
    const answer = await get('/metrics');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/plain; version=0.0.4') as string,
    ]);
    expect(await answer.text()).toContain('hilum_queue_messages{queue="dead"} 1\n');
    expect((await get('/health/ready')).status).toBe(200);
    full = true;
    const ready = await get('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { ready: false, checks: { disk: '12 MB free in /tmp, less than 100 MB' } },
    ]);
    expect((await get('/health/live')).status).toBe(200);
  } finally {
    await web.close();
  }
});

test('turnaround is told by priority and step, of all hours together, and is missing until it is known', async () => {
  const none = { studies: 0, medianMs: null, p90Ms: null, notYet: 3 };
  const steps = {
    result: { studies: 4, medianMs: 61_500, p90Ms: 90_000, notYet: 0 },
    opened: none,
    read: none,
    total: none,
    'first-come': none,
  };
  let known: ReturnType<NonNullable<NonNullable<MetricsSources['turnaround']>>> = null;
  const metrics = make({ turnaround: () => known });
  const told = async () =>
    Object.entries(await samples(metrics)).filter(([name]) => name.startsWith('hilum_turnaround'));
  expect(await told()).toEqual([]);
  known = {
    groups: [
      { priority: 'urgent', hour: null, arrived: 4, steps },
      { priority: 'urgent', hour: 7, arrived: 2, steps: { ...steps, result: none } },
    ],
  };
  expect(Object.fromEntries(await told())).toEqual({
    'hilum_turnaround_seconds{priority="urgent",step="result",quantile="0.5"}': 61.5,
    'hilum_turnaround_seconds{priority="urgent",step="result",quantile="0.9"}': 90,
    'hilum_turnaround_studies{priority="urgent",step="result"}': 4,
    'hilum_turnaround_studies{priority="urgent",step="opened"}': 0,
    'hilum_turnaround_studies{priority="urgent",step="read"}': 0,
    'hilum_turnaround_studies{priority="urgent",step="total"}': 0,
    'hilum_turnaround_studies{priority="urgent",step="first-come"}': 0,
    'hilum_turnaround_unread_studies{priority="urgent"}': 3,
  });
});
