import { ExportResultCode } from '@opentelemetry/core';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { AsyncResource } from 'node:async_hooks';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { openTracing } from '../../src/app/tracing';
import { HilumError } from '../../src/base/errors';
import { createLog } from '../../src/base/log';
import {
  carrierOf,
  describeSpan,
  inChildSpan,
  inSpan,
  outsideTrace,
  pastSpan,
  traceCarrier,
  traceIds,
} from '../../src/base/trace';
import { parseConfig } from '../../src/config/config';
import { httpClient } from '../../src/net/http';
import { processing, sending } from '../../src/queue/trace';
import { WatchedExporter } from '../../src/tracing/exporter';
import { OtlpReceiver } from '../support/receivers/otlp-receiver';
import { recordingLog } from '../support/records/logs';

const config = (tracing: Record<string, unknown>) =>
  parseConfig({ archive: { url: 'http://127.0.0.1:9' }, broker: { url: 'amqp://127.0.0.1:9' }, tracing });

let receiver: OtlpReceiver;
let stop: (() => Promise<void>) | undefined;

beforeEach(async () => {
  receiver = await OtlpReceiver.open();
});

afterEach(async () => {
  await sent();
  await receiver.close();
  expect(receiver.problems).toEqual([]);
});

async function start(more: Record<string, unknown> = {}, log = recordingLog()) {
  const opened = await openTracing(config({ enabled: true, endpoint: receiver.url, ...more }), log);
  stop = () => opened!.close();
  return log;
}

/** Ends the tracing: all that ended is sent. */
async function sent(): Promise<void> {
  await stop?.();
  stop = undefined;
}

test('off by default: nothing is loaded, work is done as it is, and no variable switches it on', async () => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
  try {
    expect(await openTracing(config({}), recordingLog())).toBeNull();
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  }
  expect(await inSpan({ name: 'step' }, async () => traceCarrier())).toEqual({});
  expect(traceIds()).toBeUndefined();
  expect(receiver.headers).toEqual([]);
});

test('a step within a step, what is said of it, and how it failed', async () => {
  await start({ serviceName: 'chest', headers: { Authorization: 'Bearer secret' } });
  const broken = inSpan({ name: 'outer', kind: 'consumer', attributes: { 'hilum.attempt': 2, none: undefined } }, () =>
    inSpan({ name: 'inner' }, async () => {
      describeSpan({ 'hilum.study': '1.2.3' });
      throw new HilumError('ARCHIVE_TIMEOUT', 'transient', 'late for Doe^Jane');
    }),
  );
  await expect(broken).rejects.toThrow('late');
  await sent();
  const [inner, outer] = [receiver.named('inner')[0]!, receiver.named('outer')[0]!];
  expect(outer).toMatchObject({
    kind: 'consumer',
    parentSpanId: undefined,
    attributes: { 'hilum.attempt': 2, 'error.type': 'ARCHIVE_TIMEOUT' },
    hasFailed: true,
    resource: { 'service.name': 'chest', 'hilum.roles': 'worker,list,catch-up,sinks' },
  });
  expect(inner).toMatchObject({
    kind: 'internal',
    traceId: outer.traceId,
    parentSpanId: outer.spanId,
    attributes: { 'hilum.study': '1.2.3', 'error.type': 'ARCHIVE_TIMEOUT' },
  });
  expect(receiver.bodies.join()).not.toContain('Doe');
  expect(receiver.headers[0]).toMatchObject({ authorization: 'Bearer secret' });
});

test('a message carries its trace on, and one with nonsense begins another', async () => {
  await start();
  const carrier = await inSpan({ name: 'publish', kind: 'producer' }, async () => traceCarrier());
  expect(carrier.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  await inSpan({ name: 'other', parent: {} }, () =>
    inSpan({ name: 'taken', parent: carrierOf({ ...carrier, 'x-other': 1 }) }, async () => {}),
  );
  for (const traceparent of ['nonsense', '00-0-0-01', 'x'.repeat(9_000), 7])
    await inSpan({ name: 'begun', parent: carrierOf({ traceparent }) }, async () => {});
  await sent();
  const [publish] = receiver.named('publish');
  expect(receiver.named('taken')).toMatchObject([{ traceId: publish!.traceId, parentSpanId: publish!.spanId }]);
  expect(receiver.named('begun').map(({ parentSpanId }) => parentSpanId)).toEqual(Array(4).fill(undefined));
  expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(6);
});

test('a step told by another thread is in the trace of its film; work outside of a trace is in none', async () => {
  await start();
  let told: (seconds: number) => void = () => {};
  let ids: unknown = 'unset';
  await inSpan({ name: 'film' }, async () => {
    told = AsyncResource.bind((seconds: number) => pastSpan({ name: 'infer' }, seconds));
    await outsideTrace(async () => (ids = traceIds()));
  });
  expect(ids).toBeUndefined();
  told(0.5);
  pastSpan({ name: 'nobody' }, 1);
  expect(await inChildSpan({ name: 'nobody' }, async () => 'done')).toBe('done');
  await sent();
  const [film, infer] = [receiver.named('film')[0]!, receiver.named('infer')[0]!];
  expect(infer).toMatchObject({ traceId: film.traceId, parentSpanId: film.spanId });
  expect(infer.end - infer.start).toBe(500);
  expect(Math.abs(infer.end - film.end)).toBeLessThan(1_000);
  expect(receiver.named('nobody')).toEqual([]);
});

test('who begins a trace decides whether it is sent', async () => {
  await start({ sampleRatio: 0 });
  const id = (digit: string) => `${digit.repeat(32)}-${digit.repeat(16)}`;
  await inSpan({ name: 'own' }, async () => {
    expect(traceCarrier().traceparent).toMatch(/-00$/);
  });
  await inSpan({ name: 'wanted', parent: { traceparent: `00-${id('a')}-01` } }, async () => {});
  await inSpan({ name: 'unwanted', parent: { traceparent: `00-${id('b')}-00` } }, async () => {});
  await sent();
  expect(receiver.spans.map(({ name }) => name)).toEqual(['wanted']);
});

test('standard variables fill in what the file leaves out', async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    OTEL_SERVICE_NAME: 'by-variable',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=ward',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=radiology',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  });
  try {
    await start({ endpoint: undefined });
    await inSpan({ name: 'step' }, async () => {});
    await sent();
  } finally {
    process.env = before;
  }
  expect(receiver.spans).toMatchObject([
    { resource: { 'service.name': 'by-variable', 'deployment.environment.name': 'ward' } },
  ]);
  expect(receiver.headers[0]).toMatchObject({ 'x-tenant': 'radiology' });
});

test('a receiver that refuses is told of once, by its status alone', async () => {
  const log = await start({ timeoutMs: 300 });
  receiver.status = 401;
  await inSpan({ name: 'missed' }, async () => {});
  await sent();
  expect(log.lines.map(({ fields }) => fields)).toEqual([
    expect.objectContaining({ event: 'tracing.started', where: new URL(receiver.url).host }),
    expect.objectContaining({ event: 'tracing.export-failed', error: '401' }),
  ]);
});

test('a receiver that takes connections and says nothing holds up neither work nor the end', async () => {
  const silent = createTcpServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const held: Socket[] = [];
  silent.on('connection', (socket) => held.push(socket));
  const log = await start({
    endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    timeoutMs: 600_000,
  });
  const began = performance.now();
  for (let film = 0; film < 6_000; film++) await inSpan({ name: 'film' }, async () => {});
  await sent();
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(held.length).toBeGreaterThan(0);
  expect(log.lines.map(({ fields }) => fields.event)).toEqual(['tracing.started']);
  held.forEach((socket) => socket.destroy());
  await new Promise((resolve) => silent.close(resolve));
});

test('a receiver that is away: the end of its outage is told too', async () => {
  const log = recordingLog();
  const { FAILED, SUCCESS } = ExportResultCode;
  const results = [FAILED, FAILED, SUCCESS, SUCCESS, FAILED];
  const exporter = new WatchedExporter(
    {
      export: (_spans, done) => done({ code: results.shift()!, error: Object.assign(new Error(), { code: 'EPIPE' }) }),
      shutdown: async () => {},
    },
    'host:1',
    log,
  );
  for (const spans of [3, 4, 5, 6, 7]) exporter.export(Array(spans).fill({}), () => {});
  expect(log.lines.map(({ fields: { event, error, spansLost } }) => [event, error ?? spansLost])).toEqual([
    ['tracing.export-failed', 'EPIPE'],
    ['tracing.export-recovered', 7],
    ['tracing.export-failed', 'EPIPE'],
  ]);
});

test('a request within a step is one of its own, goes on at the other side, and names no path', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers['traceparent'] as string | undefined);
    response.writeHead(request.url!.includes('missing') ? 404 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const http = httpClient({});
  const ask = (path: string) =>
    http.send(`http://127.0.0.1:${port}/${path}?PatientID=4711`, { headers: {} }, async ({ status }) => status);
  await start();
  await ask('studies');
  await inSpan({ name: 'step' }, async () => [await ask('studies'), await ask('missing')]);
  await sent();
  await http.close();
  await new Promise((resolve) => server.close(resolve));
  const [first, second] = receiver.named('GET');
  const [step] = receiver.named('step');
  expect(receiver.named('GET')).toHaveLength(2);
  expect(first).toMatchObject({
    kind: 'client',
    parentSpanId: step!.spanId,
    hasFailed: false,
    attributes: {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': port,
      'url.scheme': 'http',
    },
  });
  expect(second).toMatchObject({ hasFailed: true, attributes: { 'error.type': '404' } });
  expect(seen).toEqual([
    undefined,
    `00-${step!.traceId}-${first!.spanId}-01`,
    `00-${step!.traceId}-${second!.spanId}-01`,
  ]);
  expect(receiver.bodies.join()).not.toMatch(/4711|studies/);
});

test('log lines within a step carry its ids', async () => {
  await start();
  const lines: string[] = [];
  const log = createLog('info', false, { write: (line) => void lines.push(line) }).child({ study: '1.2.3' });
  const say = () => log.info({ event: 'study.done' }, 'done');
  say();
  await inSpan({ name: 'step' }, async () => say());
  await sent();
  const [outside, inside] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(outside).not.toHaveProperty('trace_id');
  const [{ traceId, spanId } = { traceId: '', spanId: '' }] = receiver.spans;
  expect(inside).toMatchObject({ event: 'study.done', study: '1.2.3', trace_id: traceId, span_id: spanId });
});

test('attributes are those of the semantic conventions, or ours', async () => {
  const message = { content: Buffer.alloc(3), fields: { routingKey: 'study.stable' }, properties: { headers: {} } };
  const starts = [
    sending('hilum.result', 'result.urgent', Buffer.alloc(3)),
    processing(message as never, 'hilum.study', { 'hilum.attempt': 1 }),
  ];
  const names = starts.flatMap(({ attributes = {} }) => Object.keys(attributes));
  const known = new Set<unknown>(
    Object.entries(conventions).flatMap(([key, name]) => (key.startsWith('ATTR_') ? [name] : [])),
  );
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !known.has(name) && !name.startsWith('hilum.'))).toEqual([]);
});
