import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createApp } from '../../src/app/app';
import { examineRis } from '../../src/app/doctor/ris';
import { createLog } from '../../src/base/log';
import { type Config, parseConfig } from '../../src/config/config';
import { openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { MllpSender, framed, msaOf } from '../support/receivers/mllp-sender';
import { recordingLog } from '../support/records/logs';
import { order, PID, report, risMessage } from '../support/records/ris-message';
import { studyRecord } from '../support/records/study-record';
import { authority, type Authority } from '../support/servers/certificates';
import type { Postgres } from '../support/servers/postgres';
import { Servers, until } from '../support/servers/servers';
import { risTests } from '../support/suites/ris.suite';

const LOG = createLog('silent');
const servers = new Servers();
let postgres: Postgres;
let certificates: Authority;
let dir: string;
let count = 0;

beforeAll(async () => {
  postgres = await servers.postgres();
  certificates = authority();
}, 120_000);
afterAll(async () => {
  certificates.remove();
  await servers.stop();
});
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'hilum-ris-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const DATABASES = [
  ['the embedded database', () => Promise.resolve(`file:${join(dir, 'list.db')}`)],
  ['PostgreSQL', () => postgres.database(`ris${count++}`)],
] as const;

const A = studyRecord('a', { priority: 'routine' });
const READ = { how: 'ris', at: Date.parse('2026-03-02T11:00:00.000Z') };

/** What the list has, seen by a connection of its own. */
async function listed<T>(url: string, use: (list: Worklist) => Promise<T>): Promise<T> {
  const database = openDatabase(url, LOG);
  try {
    return await use(new Worklist(database));
  } finally {
    await database.close();
  }
}

const configOf = (database: string): Config => {
  const { good, caFile } = certificates;
  return parseConfig({
    archive: { url: 'http://127.0.0.1:9/dicom-web' },
    broker: { url: 'amqp://127.0.0.1:9' },
    roles: ['list'],
    http: { port: 0 },
    state: { dir },
    list: { enabled: true, database, timeZone: 'UTC' },
    ris: { listener: { enabled: true, port: 0, tls: { certFile: good.certFile, keyFile: good.keyFile, caFile } } },
  });
};

/** The service with a list and its listener, and nothing else. */
async function service(url: string) {
  const log = recordingLog();
  const app = await createApp(configOf(url), log);
  const { port: http } = await app.start();
  const port = Number(log.lines.find(({ fields }) => fields.event === 'ris.listening')!.fields['port']);
  return {
    log,
    port,
    metrics: async () => (await fetch(`http://127.0.0.1:${http}/metrics`)).text(),
    stop: () => app.stop(),
  };
}

/** What python-hl7 understood of the answers to these messages, which it sent on one TLS connection. */
async function sentByAnother(port: number, messages: readonly string[]): Promise<unknown[]> {
  const { good, caFile } = certificates;
  const child = spawn(
    '/usr/bin/python3',
    [join(__dirname, '../support/receivers/hl7_sender.py'), String(port), good.certFile, good.keyFile, caFile],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.on('error', () => {});
  child.stdin.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  await once(child, 'close');
  return said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe.each(DATABASES)('messages of the RIS over TLS, the list in %s', (_name, create) => {
  test('sent by another make: acknowledged as it understands it, the list and the audit trail have it', async () => {
    const url = await create();
    await listed(url, (list) => list.record(A));
    const { log, port, metrics, stop } = await service(url);
    const answers = await sentByAnother(port, [
      report('A-a', 'ID-a', {}, { 10: 'C1' }),
      order('A-a', 'S', 'ID-a', { 10: 'C2' }),
      risMessage('ADT^A08', { 10: 'C3' }, PID('ID-a', { 5: 'Neumann^Nora' })),
      report('LATER', 'ID-b', {}, { 10: 'C4' }),
      report('A-a', 'ID-a', {}, { 10: 'C1' }),
      risMessage('SIU^S12', { 10: 'C5' }),
    ]);
    const taken = (controlId: string, type: string) => ({
      to: ['RIS', 'HOSP'],
      type: `ACK^${type}^ACK`,
      version: '2.5.1',
      code: 'AA',
      controlId,
      errors: [],
    });
    expect(answers).toEqual([
      taken('C1', 'R01'),
      taken('C2', 'O01'),
      taken('C3', 'A08'),
      taken('C4', 'R01'),
      taken('C1', 'R01'),
      { ...taken('C5', 'S12'), code: 'AR', errors: ['200^Unsupported message type^HL70357'] },
    ]);
    const text = await metrics();
    for (const [type, outcome, times] of [
      ['ORU^R01', 'applied', 1],
      ['ORU^R01', 'kept', 1],
      ['ORU^R01', 'repeated', 1],
      ['ADT^A08', 'applied', 1],
      ['other', 'refused', 1],
    ] as const)
      expect(text).toContain(`hilum_ris_messages_total{type="${type}",outcome="${outcome}"} ${times}`);
    expect(text).toMatch(/^hilum_ris_last_message_timestamp_seconds [1-9]/m);
    await stop();
    await listed(url, async (list) => {
      const { row, history } = (await list.study(A.studyInstanceUid))!;
      expect(row).toMatchObject({
        read: READ,
        priority: 'urgent',
        priorities: { triage: 'urgent' },
        patient: { PatientName: 'Neumann^Nora' },
      });
      expect(history.map(({ kind }) => kind).reverse()).toEqual(['result', 'read', 'priority', 'attributes-corrected']);
    });
    const trail = readFileSync(join(dir, 'audit/audit.log'), 'utf8').split('\n');
    const updates = trail.filter((line) => line.includes('UserID="hl7:RIS|HOSP"'));
    expect(updates).toHaveLength(3);
    for (const line of updates) {
      expect(line).toContain('csd-code="110103"');
      expect(line).toContain(A.studyInstanceUid);
      expect(line).toContain('ParticipantObjectID="ID-a"');
    }
    expect(JSON.stringify(log.lines)).not.toMatch(/ID-a|A-a|Neumann/);
  }, 60_000);

  test('killed between the commit and the acknowledgement: sent again it is acknowledged, and taken once', async () => {
    const url = await create();
    await listed(url, (list) => list.record(A));
    const message = report('A-a', 'ID-a', {}, { 10: 'ONCE' });
    const first = await listener(url, true);
    const waiting = await MllpSender.connect(first.port);
    waiting.write(framed(message));
    await until('it is committed', () => first.said().includes('committed applied'));
    await first.kill();
    await waiting.closed;
    expect(waiting.answers).toEqual([]);
    const second = await listener(url, false);
    const again = await MllpSender.connect(second.port);
    expect(msaOf((await again.ask(message))[0]!)).toEqual(['AA', 'ONCE']);
    expect(second.said()).toContain('committed repeated');
    again.end();
    await second.kill();
    await listed(url, async (list) => {
      const { row, history } = (await list.study(A.studyInstanceUid))!;
      expect(row.read).toMatchObject(READ);
      expect(history.filter(({ kind }) => kind === 'read')).toHaveLength(1);
    });
  }, 60_000);

  test('what is kept for a study that is not there yet outlives the service', async () => {
    const url = await create();
    const { port, stop } = await service(url);
    await sentByAnother(port, [report('A-a', 'ID-a')]);
    await stop();
    await listed(url, async (list) => {
      await list.record(A);
      expect((await list.study(A.studyInstanceUid))!.row.read).toMatchObject(READ);
    });
  }, 60_000);
});

describe('what the RIS says, on PostgreSQL', () => {
  risTests(async () => openDatabase(await postgres.database(`ris${count++}`), LOG));
});

test('the database is away: no answer, the connection is closed; back again, what is sent again is taken', async () => {
  const url = await postgres.database(`ris${count++}`);
  await listed(url, (list) => list.record(A));
  const { log, port, stop } = await service(url);
  const message = report('A-a', 'ID-a', {}, { 10: 'LATER' });
  await postgres.kill();
  for (let i = 0; i < 2; i++) expect(await sentByAnother(port, [message])).toEqual([{ closed: true }]);
  await postgres.up();
  expect(await sentByAnother(port, [message])).toMatchObject([{ code: 'AA', controlId: 'LATER' }]);
  const events = log.lines.map(({ fields }) => fields.event).filter((event) => event.startsWith('ris.messages'));
  expect(events).toEqual(['ris.messages-unanswered', 'ris.messages-taken-again']);
  await stop();
  await listed(url, async (list) => expect((await list.study(A.studyInstanceUid))!.row.read).toMatchObject(READ));
}, 120_000);

test('doctor looks at the port and the certificate, and an idle RIS does not make the service unready', async () => {
  const config = configOf(`file:${join(dir, 'list.db')}`);
  const { port, stop } = await service(`file:${join(dir, 'list.db')}`);
  const withPort = (number: number): Config => ({
    ...config,
    ris: { ...config.ris, listener: { ...config.ris.listener, port: number } },
  });
  expect(await examineRis(withPort(port))).toEqual([
    {
      check: 'RIS listener',
      ok: false,
      text: expect.stringMatching(/LISTEN_FAILED.*see ris\.listener\.host/) as string,
    },
    // For two days, as certificates of tests are.
    { check: 'RIS listener: certificate', ok: false, text: expect.stringContaining('renew it') as string },
  ]);
  await stop();
  expect((await examineRis(withPort(port)))[0]).toEqual({
    check: 'RIS listener',
    ok: true,
    text: `${port} of 127.0.0.1 is free`,
  });
});

interface Listener {
  readonly port: number;
  said(): string;
  kill(): Promise<void>;
}

/** The listener in a process of its own; with `stall` it never acknowledges. */
async function listener(url: string, stall: boolean): Promise<Listener> {
  const script = resolve(__dirname, '../support/threads/ris-listener.cjs');
  const child: ChildProcess = spawn(process.execPath, [script, JSON.stringify({ url, stall })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('it listens', () => said.includes('port '), 30_000);
  return {
    port: Number(/^port (\d+)$/m.exec(said)![1]),
    said: () => said,
    kill: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
