import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { allQueues, topology } from '../../src/queue/topology';
import { enabled, httpUrl } from '../../src/sinks/config';
import { defineSink } from '../../src/sinks/define-sink';
import { sinkRegistry, SINKS } from '../../src/sinks/registry';
import type { Sink, SystemSink } from '../../src/sinks/sink';
import { webhook } from '../../src/sinks/webhook';
import { listSink } from '../../src/worklist/sink';
import { recordingLog } from '../support/records/logs';
import { RECORD, resultOf } from '../support/records/result-record';

const CONTEXT = { archiveUrl: 'http://archive/dicom-web' };

test('the sinks, in the order of their queues', () => {
  expect(SINKS.names).toEqual(['list', 'hl7', 'fhir', 'ups', 'metadata', 'dicom', 'webhook', 'email']);
  expect(Object.keys(SINKS.schema.parse({}))).toEqual(['awayHours', ...SINKS.names.slice(1)]);
});

test.each([
  ['list', true],
  ['metadata', true],
  ['webhook.ris-2', true],
  ['study', false],
  ['list.a', false],
  ['orthanc-metadata', false],
  ['webhook.', false],
  ['webhook.a.b', false],
])('whether a sink may be called %s: %s', (name, expected) => expect(SINKS.isName(name)).toBe(expected));

test('every sink, the list too, is told of results, of what takes their place and of withdrawals', async () => {
  const url = 'http://127.0.0.1:9';
  const deliveries = SINKS.schema.parse({
    hl7: { enabled: true, host: '127.0.0.1' },
    fhir: { enabled: true, url },
    ups: { enabled: true, url },
    metadata: { enabled: true, url },
    dicom: { enabled: true, url, modality: 'pacs' },
    webhook: { enabled: true, url, secret: `whsec_${'A'.repeat(32)}` },
    email: { enabled: true, host: '127.0.0.1', from: 'a@b.example', to: ['c@d.example'] },
  });
  const sinks: Sink[] = SINKS.instances(deliveries).map((sink) => sink.open(CONTEXT));
  const list = listSink({ record: () => Promise.resolve(true) }, recordingLog());
  expect([list, ...sinks].map(({ name }) => name)).toEqual(SINKS.names);
  for (const { handles } of [list, ...sinks])
    expect(handles).toEqual(expect.arrayContaining(['result', 'replacement', 'withdrawal']));
  for (const sink of sinks) await sink.close?.();
});

/** A sink that notes what it is asked. */
function pager(noted: string[] = []) {
  const note = (what: string) => (noted.push(what), Promise.resolve());
  return defineSink({
    key: 'pager',
    schema: z.strictObject({ enabled, url: httpUrl('Where pages go'), tone: z.string().default('low') }),
    needs: ['url'],
    open: ({ url, tone }, { archiveUrl }): SystemSink => ({
      handles: ['result', 'withdrawal'],
      wants: () => true,
      deliver: ({ kind, record }) => note(`${kind} ${record.studyInstanceUid} to ${url.length} ${tone}`),
      probe: () => note(`probe ${url} ${archiveUrl}`),
      close: () => note('close'),
    }),
  });
}

test('a new entry is all that a new sink takes: configuration, name of its queue, probe', async () => {
  const noted: string[] = [];
  const registry = sinkRegistry([webhook, pager(noted)]);
  expect(registry.names).toEqual(['list', 'webhook', 'pager']);
  expect(registry.isName('pager.ward')).toBe(true);
  expect(registry.schema.safeParse({ pager: { enabled: true } }).error?.issues).toMatchObject([
    { path: ['pager', 'url'] },
  ]);
  const deliveries = registry.schema.parse({ pager: { enabled: true, url: 'http://p/' } });
  expect(deliveries).toMatchObject({ awayHours: 72, webhook: { enabled: false }, pager: { tone: 'low' } });
  const on = registry.instances(deliveries).filter((instance) => instance.enabled);
  expect(
    topology(
      'hilum',
      [5_000],
      on.map(({ name }) => name),
    ).sinks.map(({ queue }) => queue.name),
  ).toEqual(['hilum.result.pager']);
  const sink = on[0]!.open(CONTEXT);
  expect(sink).toMatchObject({ name: 'pager', handles: ['result', 'withdrawal'] });
  await sink.probe?.();
  await sink.deliver(resultOf(RECORD));
  expect(noted).toEqual([
    `probe http://p/ ${CONTEXT.archiveUrl}`,
    `result ${RECORD.studyInstanceUid} to ${'http://p/'.length} low`,
  ]);
});

test('an entry that lacks a part does not compile', () => {
  const { open } = pager();
  const schema = z.strictObject({ enabled, url: httpUrl('Where pages go') });
  const incomplete = () => [
    // @ts-expect-error: no `open`
    defineSink({ key: 'pager', schema, needs: [] }),
    // @ts-expect-error: a key that the schema does not have
    defineSink({ key: 'pager', schema, needs: ['address'], open }),
    // @ts-expect-error: no `enabled`
    defineSink({ key: 'pager', schema: z.strictObject({}), needs: [], open }),
    // @ts-expect-error: a sink without a probe
    defineSink({ key: 'pager', schema, needs: [], open: () => ({ handles: [], wants, deliver, close }) }),
    // @ts-expect-error: no schema
    sinkRegistry([{ key: 'pager', open }]),
  ];
  expect(incomplete).toBeDefined();
});
const wants = () => true;
const deliver = () => Promise.resolve();
const close = () => Promise.resolve();

describe('two webhooks', () => {
  const servers: Server[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done)))));

  async function receiver(status: number): Promise<{ url: string; methods: string[] }> {
    const methods: string[] = [];
    const server = createServer((request, response) => {
      methods.push(request.method!);
      request.resume().on('end', () => response.writeHead(status, { connection: 'close' }).end());
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, methods };
  }

  const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
  const instancesOf = (...urls: string[]) =>
    SINKS.instances(
      SINKS.schema.parse({
        webhook: [
          ...urls.map((url, index) => ({ name: `w${index + 1}`, enabled: true, url, secret, when: 'all' })),
          { name: 'off' },
        ],
      }),
    ).filter(({ name }) => name.startsWith('webhook'));

  test('each has queues, retries and dead letters of its own, none of them those of the plain one', () => {
    const instances = instancesOf('http://a/', 'http://b/');
    expect(instances.map(({ name, enabled: isOn }) => [name, isOn])).toEqual([
      ['webhook.w1', true],
      ['webhook.w2', true],
      ['webhook.off', false],
    ]);
    const plan = topology('hilum', [5_000], ['webhook', ...instances.map(({ name }) => name)]);
    const names = allQueues(plan).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(['', '.retry.5s', '.dead'].map((end) => `hilum.result.webhook.w2${end}`)),
    );
  });

  test('each is delivered to and probed by itself', async () => {
    const [well, broken] = [await receiver(204), await receiver(503)];
    const sinks = instancesOf(well.url, broken.url)
      .slice(0, 2)
      .map((instance): Sink => instance.open(CONTEXT));
    expect(sinks.map(({ name }) => name)).toEqual(['webhook.w1', 'webhook.w2']);
    await sinks[0]!.deliver(resultOf(RECORD));
    await sinks[0]!.probe?.();
    await expect(sinks[1]!.deliver(resultOf(RECORD))).rejects.toMatchObject({ code: 'RECEIVER_UNAVAILABLE' });
    await expect(sinks[1]!.probe?.()).rejects.toMatchObject({ code: 'RECEIVER_UNAVAILABLE' });
    expect([well.methods, broken.methods]).toEqual([
      ['POST', 'HEAD'],
      ['POST', 'HEAD'],
    ]);
    for (const sink of sinks) await sink.close?.();
  });
});
