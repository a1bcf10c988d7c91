import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { mllpClient, type MllpClient, type MllpOptions } from '../../src/hl7/mllp';
import { type Broker, connectBroker } from '../../src/queue/broker';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { controlIdOf } from '../../src/sinks/hl7/message';
import { hl7Sink } from '../../src/sinks/hl7/sink';
import { createRunner } from '../../src/sinks/runner';
import { hl7Receiver, type Hl7Receiver, type Step } from '../support/receivers/hl7-receiver';
import { recordingLog } from '../support/records/logs';
import { RECORD, RESULT, resultOf } from '../support/records/result-record';
import { authority, type Authority } from '../support/servers/certificates';
import { type Rabbit, Servers, until } from '../support/servers/servers';

const OPTIONS = hl7Schema.parse({ enabled: true, host: '127.0.0.1' });
const KEY = controlIdOf(RECORD.key, 'short');
const receivers: Hl7Receiver[] = [];
const clients: MllpClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

async function receive(plan: readonly Step[], tls: Parameters<typeof hl7Receiver>[1] = []): Promise<Hl7Receiver> {
  const receiver = await hl7Receiver(plan, tls);
  receivers.push(receiver);
  return receiver;
}

function sinkTo({ port }: Hl7Receiver, more: Partial<MllpOptions> = {}) {
  const client = mllpClient({
    host: '127.0.0.1',
    port,
    keepOpen: true,
    connectTimeoutMs: 5_000,
    ackTimeoutMs: 5_000,
    ...more,
  });
  clients.push(client);
  return hl7Sink(client, OPTIONS);
}

test('the receiver of another make understands every field as it was meant', async () => {
  const receiver = await receive([]);
  await sinkTo(receiver).deliver(resultOf(RECORD));
  const [noted] = receiver.noted();
  expect(noted).toMatchObject({
    controlId: KEY,
    type: 'ORU^R01^ORU_R01',
    version: '2.5.1',
    charset: 'UNICODE UTF-8',
    accession: 'A-77',
    status: 'P',
    note: 'Research use only - not for diagnosis. Unverified.',
    patientId: [['P|1^2', '', '', 'HOSP']],
    patientName: [['Müller', 'Jörg', '', '', 'Dr.', '', 'L']],
    service: [['36554-4', 'XR Chest Single view', 'LN', 'RP1', 'Röntgen Thorax', 'L']],
  });
  expect(noted!.segments.slice(0, 6)).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'OBR', 'NTE']);
  const said = noted!.observations.map(({ concept, group, value, unit }) => [
    group,
    concept[0]![0],
    value[0]![0],
    unit.split('^')[0],
  ]);
  for (const row of [
    ['', 'priority', 'urgent', ''],
    ['1', 'probability', '0.93', '1'],
    ['1', 'operating-point', '0.5', '1'],
    ['1', 'lung-fraction', '0.31', '1'],
    ['1', 'report', RECORD.films[0]!.outputs[1]!.sopInstanceUid, ''],
    ['2', 'reason', 'lateral-view', ''],
    ['3', 'outcome', 'rejected', ''],
  ])
    expect(said).toContainEqual(row);
  expect(new Set(noted!.observations.map(({ status }) => status))).toEqual(new Set(['P']));
});

test.each([
  [true, [1, 1, 1]],
  [false, [1, 2, 3]],
])('keepOpen %s: connections of three messages', async (keepOpen, expected) => {
  const receiver = await receive([]);
  const sink = sinkTo(receiver, { keepOpen });
  for (let n = 0; n < 3; n++) await sink.deliver(resultOf(RECORD));
  expect(receiver.noted().map(({ connection }) => connection)).toEqual(expected);
});

test.each([
  ['AE', 'RECEIVER_UNAVAILABLE', 'transient'],
  ['AR', 'RECEIVER_REFUSED', 'permanent'],
  ['other', 'RECEIVER_RESPONSE_INVALID', 'transient'],
  ['noise', 'RECEIVER_RESPONSE_INVALID', 'transient'],
  ['silent', 'RECEIVER_TIMEOUT', 'transient'],
  ['cut', 'RECEIVER_UNREACHABLE', 'transient'],
] as const)('HL7 receiver: %s is %s, and the next try sends the same MSH-10', async (step, code, lasting) => {
  const receiver = await receive([step]);
  const sink = sinkTo(receiver, { ackTimeoutMs: 1_500 });
  await expect(sink.deliver(resultOf(RECORD))).rejects.toMatchObject({ code, lasting });
  await sink.deliver(resultOf(RECORD));
  expect(receiver.noted().map(({ step: done, controlId }) => [done, controlId])).toEqual([
    [step, KEY],
    ['AA', KEY],
  ]);
});

test('nobody listens', async () => {
  const receiver = await receive([]);
  await receiver.stop();
  await expect(sinkTo(receiver).deliver(resultOf(RECORD))).rejects.toMatchObject({
    code: 'RECEIVER_UNREACHABLE',
    message: expect.stringContaining('ECONNREFUSED') as string,
  });
});

describe('TLS', () => {
  let certificates: Authority;
  beforeAll(() => void (certificates = authority()));
  afterAll(() => certificates.remove());
  const show = ({ good, caFile }: Authority) => [good.certFile, good.keyFile, caFile] as const;

  test('HL7 by TLS with a client certificate', async () => {
    const { good, caFile } = certificates;
    const receiver = await receive([], show(certificates));
    await sinkTo(receiver, { tls: { caFile, certFile: good.certFile, keyFile: good.keyFile } }).deliver(
      resultOf(RECORD),
    );
    expect(receiver.noted()).toHaveLength(1);
  });

  test('HL7 by TLS: an untrusted authority and a missing client certificate are named, nothing is sent', async () => {
    const { good, caFile } = certificates;
    const receiver = await receive([], show(certificates));
    await expect(
      sinkTo(receiver, { tls: { certFile: good.certFile, keyFile: good.keyFile } }).deliver(resultOf(RECORD)),
    ).rejects.toMatchObject({
      code: 'RECEIVER_UNREACHABLE',
      message: expect.stringMatching(/UNABLE_TO_|SELF_SIGNED/) as string,
    });
    const without = sinkTo(receiver, { tls: { caFile } });
    await expect(without.deliver(resultOf(RECORD))).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE' });
    await expect(without.probe()).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE' });
    expect(receiver.noted()).toEqual([]);
  });
});

describe('through the broker', () => {
  const servers = new Servers();
  let broker: Broker;
  let rabbit: Rabbit;
  beforeAll(async () => {
    rabbit = await servers.rabbit();
    broker = connectBroker({ url: rabbit.amqpUrl, sinks: ['hl7'], retryDelaysMs: [300] }, recordingLog());
    await broker.ready(30_000);
  }, 120_000);
  afterAll(async () => {
    await broker.stop(1_000);
    await servers.stop();
  });

  test('SIGKILL between delivery and acknowledgement: delivered again, with the same MSH-10', async () => {
    const receiver = await receive([]);
    const worker = (stall: boolean) =>
      spawn(
        process.execPath,
        [
          resolve(__dirname, '../support/threads/delivery-worker.cjs'),
          JSON.stringify({ amqpUrl: rabbit.amqpUrl, port: receiver.port, record: RECORD, hl7: OPTIONS, stall }),
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
    await broker.announce(RESULT);
    for (const [stall, told] of [
      [true, 1],
      [false, 2],
    ] as const) {
      const child = worker(stall);
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      try {
        await until(`delivery ${told}`, () => said.includes('delivered'));
        if (!stall)
          await until('it is acknowledged', async () =>
            (await broker.sinkDepths()).every(({ waiting, retry, dead }) => waiting + retry + dead === 0),
          );
      } finally {
        const ended = new Promise((done) => child.once('exit', done));
        child.kill('SIGKILL');
        await ended;
      }
    }
    expect(receiver.noted().map(({ controlId }) => controlId)).toEqual([KEY, KEY]);
  });

  test('HL7 receiver: AE, silence, a cut and a kill, then back: told at least once, with one MSH-10', async () => {
    const receiver = await receive(['AE', 'silent', 'cut', 'die']);
    const log = recordingLog();
    await broker.consumeSink(
      'hl7',
      createRunner({
        sink: { name: 'hl7', ...sinkTo(receiver, { ackTimeoutMs: 1_000 }) },
        loadRecord: () => Promise.resolve(RECORD),
        retry: { delaysMs: [300], limit: 100 },
        log,
      }),
    );
    await broker.announce(RESULT);
    await until('the receiver is dead', () => receiver.noted().length === 4);
    await until('it is missed', () => log.lines.some(({ fields }) => JSON.stringify(fields).includes('ECONNREFUSED')));
    await receiver.restart();
    await until('it is delivered', () => log.lines.some(({ fields }) => fields.event === 'delivery.done'));
    expect(receiver.noted().map(({ step }) => step)).toEqual(['AE', 'silent', 'cut', 'die', 'AA']);
    expect(new Set(receiver.noted().map(({ controlId }) => controlId))).toEqual(new Set([KEY]));
    await until('it is acknowledged', async () =>
      (await broker.sinkDepths()).every(({ waiting, retry, dead }) => waiting + retry + dead === 0),
    );
  });
});
