import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import { OtlpReceiver, type ReceivedSpan } from '../support/receivers/otlp-receiver';
import { FaultProxy } from '../support/servers/fault-proxy';
import { answering } from '../support/servers/faults';
import { type Orthanc, type Rabbit, Servers, until } from '../support/servers/servers';

/**
 * The service as users start it, with its own networks in their threads; Orthanc with the plug-in, RabbitMQ, and a
 * receiver of traces.
 */
const ROOT = resolve(__dirname, '../..');
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-tracing-'));
let receiver: OtlpReceiver;
let rabbit: Rabbit;
let orthanc: Orthanc;
let proxy: FaultProxy;
let webhook: Server;
let service: ChildProcess;
let log = '';
/** Answers of the webhook's receiver, the last one for good. */
const statuses = [503, 200];
const told: (string | undefined)[] = [];

beforeAll(async () => {
  [receiver, rabbit] = await Promise.all([OtlpReceiver.open(), servers.rabbit()]);
  orthanc = await servers.orthanc({
    plugin: true,
    stableAge: 1,
    config: { Hilum: { AmqpUrl: rabbit.amqpUrl, OtlpEndpoint: receiver.url } },
  });
  proxy = await FaultProxy.open(orthanc.url);
  webhook = createServer((request, response) => {
    told.push(request.headers['traceparent'] as string | undefined);
    request.resume().on('end', () => response.writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!).end());
  });
  await new Promise<void>((done) => webhook.listen(0, '127.0.0.1', done));
  const settings = {
    archive: { url: proxy.dicomWebUrl },
    broker: { url: rabbit.amqpUrl, retryDelaysMs: [300] },
    deliveries: {
      webhook: {
        enabled: true,
        when: 'all',
        url: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/hook`,
        secret: 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz',
      },
    },
    list: { enabled: true },
    http: { port: 0 },
    state: { dir },
    tracing: { enabled: true, endpoint: receiver.url },
  };
  writeFileSync(join(dir, 'hilum.yaml'), JSON.stringify(settings));
  service = spawn(process.execPath, [join(ROOT, 'dist/cli.js'), 'serve', '--config', join(dir, 'hilum.yaml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  service.stderr!.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  await until(
    () => `the service waits for studies: ${log}`,
    () => {
      if (service.exitCode !== null) throw new Error(`the service ended: ${log}`);
      return log.includes('"queues":["hilum.study.urgent"');
    },
    60_000,
  );
}, 180_000);

afterAll(async () => {
  await stop();
  webhook.close();
  await proxy.close();
  await servers.stop();
  await receiver.close();
  rmSync(dir, { recursive: true, force: true });
}, 90_000);

async function stop(): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  service.kill('SIGTERM');
  await until('the service ends', () => service.exitCode !== null || service.signalCode !== null);
}

const linesOf = (event: string) =>
  log
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('one film is one trace: plug-in, queues, stages, store and each sink, with the tries that failed', async () => {
  const film = { seed: 21, view: 'PA', rows: 512, columns: 480 } as const;
  const study = syntheticUids(film).studyInstanceUid;
  // The archive refuses the first store: the study comes back through a delay queue.
  proxy.on(({ kind }) => kind === 'store', answering(503));
  const sent = await fetch(`${orthanc.url}/instances`, { method: 'POST', body: syntheticDicom(film) });
  expect(sent.status).toBe(200);
  await until(
    () => `the delivery: ${log}`,
    () => linesOf('delivery.done').length === 2,
    120_000,
  );
  await stop();
  const root = await until('the span of the plug-in', () => receiver.named('send hilum.study')[0]);
  expect(receiver.problems).toEqual([]);

  const inTrace = receiver.spans.filter(({ traceId }) => traceId === root.traceId);
  const named = (name: string) => inTrace.filter((span) => span.name === name).sort((a, b) => a.start - b.start);
  const parentOf = (span: ReceivedSpan | undefined) => inTrace.find(({ spanId }) => spanId === span?.parentSpanId);
  expect(root).toMatchObject({
    kind: 'producer',
    parentSpanId: undefined,
    resource: { 'service.name': 'hilum-orthanc' },
  });
  // The parent of each span is in the trace.
  expect(inTrace.filter((span) => span !== root && parentOf(span) === undefined)).toEqual([]);

  const tries = inTrace.filter(({ name }) => /^process hilum\.study\.(urgent|routine)$/.test(name));
  tries.sort((a, b) => a.start - b.start);
  expect(tries.map(({ kind, attributes, hasFailed }) => [kind, attributes['hilum.settlement'], hasFailed])).toEqual([
    ['consumer', 'retry', true],
    ['consumer', 'ack', false],
  ]);
  const [failed, done] = tries;
  expect(failed!.attributes).toMatchObject({ 'hilum.study': study, 'hilum.attempt': 1, 'hilum.delay_ms': 300 });
  expect(done!.attributes).toMatchObject({ 'hilum.attempt': 2, 'hilum.result': 'done' });
  for (const span of [...named('process hilum.study'), ...tries]) expect(parentOf(span)).toBe(root);

  const [film1, film2] = named('film');
  expect([parentOf(film1), parentOf(film2)]).toEqual([failed, done]);
  expect(film2!.attributes).toMatchObject({ 'hilum.film': syntheticUids(film).sopInstanceUid });
  for (const stage of ['fetch', 'decode', 'infer', 'encode', 'store']) {
    expect([stage, named(stage).length]).toEqual([stage, 2]);
    expect(named(stage).map(parentOf)).toEqual([film1, film2]);
  }
  const [refused, stored] = named('store').map((store) => named('POST').find((post) => parentOf(post) === store));
  expect(refused).toMatchObject({ hasFailed: true, attributes: { 'http.response.status_code': 503 } });
  expect(stored).toMatchObject({ kind: 'client', hasFailed: false, attributes: { 'server.address': '127.0.0.1' } });
  expect(parentOf(named('verify')[0])).toBe(done);

  const [announced] = named('send hilum.result');
  expect(parentOf(announced)).toBe(done);
  const deliveries = named('process hilum.result.webhook');
  expect(deliveries.map(({ attributes }) => attributes['hilum.settlement'])).toEqual(['retry', 'ack']);
  const listed = named('process hilum.result.list');
  expect(listed).toHaveLength(1);
  for (const span of [...deliveries, ...listed]) expect(parentOf(span)).toBe(announced);
  expect(named('deliver webhook').map(parentOf)).toEqual(deliveries);
  expect(told.map((header) => header!.split('-')[1])).toEqual([root.traceId, root.traceId]);

  for (const event of ['study.retry', 'study.done', 'delivery.retry', 'delivery.done'])
    expect([event, ...linesOf(event).map((line) => line['trace_id'])]).toEqual([
      event,
      ...linesOf(event).map(() => root.traceId),
    ]);
  expect(linesOf('study.done')[0]!['span_id']).toBe(done!.spanId);

  // Nothing about the patient, and no address but hosts.
  const { PatientMainDicomTags: patient } = (
    (await (
      await fetch(`${orthanc.url}/tools/find`, {
        method: 'POST',
        body: JSON.stringify({ Level: 'Study', Expand: true, Query: { StudyInstanceUID: study } }),
      })
    ).json()) as { PatientMainDicomTags: { PatientID: string; PatientName: string } }[]
  )[0]!;
  expect(patient.PatientID.length).toBeGreaterThan(3);
  for (const secret of [patient.PatientID, patient.PatientName, '/dicom-web', '/hook'])
    expect(receiver.bodies.join()).not.toContain(secret);
}, 200_000);
