import { connect } from 'amqplib';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Role } from '../../src/config/roles';
import type { Uid } from '../../src/dicom/uid';
import type { StudyDetail } from '../../src/web/api/api-types';
import { after, retrieves } from '../support/servers/faults';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

/** The service as users start it, a process for each part, with a real broker and a real archive. */
const CLI = resolve(__dirname, '../../dist/cli.js');
const dir = mkdtempSync(join(tmpdir(), 'hilum-roles-'));
const PREFIX = 't1';
let site: Site;
let receiver: Server;
let worker: Process;
let list: Process;
/** Studies that the receiver of the webhook was told of. */
const told: string[] = [];
const started: Process[] = [];

/** At a time: of three that are told together, two begin after the first. */
const ONE_STUDY = { prefetch: 1 };

interface Process {
  readonly child: ChildProcess;
  readonly stateDir: string;
  readonly config: string;
  readonly url: string;
  log(): string;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      told.push(/"studyInstanceUid":"([^"]+)"/.exec(body)?.[1] ?? body);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  site = await Site.open();
  await site.begin();
}, 180_000);

afterAll(async () => {
  for (const process of started) await process.end('SIGKILL');
  await site.end();
  await site.close();
  receiver.close();
  rmSync(dir, { recursive: true, force: true });
}, 90_000);

/** The same configuration for all, but for the roles and the folder. */
async function serve(roles: readonly Role[]): Promise<Process> {
  const name = `${roles.join('-')}-${started.length}`;
  const stateDir = join(dir, roles.join('-'));
  const config = join(dir, `${name}.yaml`);
  const webhook = {
    enabled: true,
    url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
    secret: `whsec_${Buffer.alloc(32).toString('base64')}`,
    when: 'all',
  };
  const parts = { roles, list: { enabled: true }, deliveries: { webhook } };
  writeFileSync(config, JSON.stringify({ ...site.config({ stateDir, broker: ONE_STUDY }), ...parts }));
  const child = spawn(process.execPath, [CLI, 'serve', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const port = await until(
    'the process says its port',
    () => {
      if (child.exitCode !== null) throw new Error(`the process ended: ${log}`);
      return Number(/"event":"http.listening"[^\n]*"port":(\d+)/.exec(log)?.[1]) || undefined;
    },
    120_000,
  );
  const one: Process = {
    child,
    stateDir,
    config,
    url: `http://127.0.0.1:${port}`,
    log: () => log,
    async end(signal) {
      child.kill(signal);
      await until('the process ends', () => child.exitCode !== null || child.signalCode !== null);
    },
  };
  started.push(one);
  await until('it is ready', async () => (await fetch(`${one.url}/health/ready`)).status === 200, 120_000);
  return one;
}

async function onList(study: Uid): Promise<StudyDetail | undefined> {
  const answer = await fetch(`${list.url}/api/v1/studies/${study}`);
  return answer.ok ? ((await answer.json()) as StudyDetail) : undefined;
}

const isShown = (study: Uid, state: StudyDetail['row']['state']) =>
  until(
    `${study} is ${state}`,
    async () => {
      const found = await onList(study);
      return found?.row.state === state && found;
    },
    90_000,
  );

/** Messages in a queue; null where there is none of this name. */
async function messagesIn(queue: string): Promise<number | null> {
  const connection = await connect(site.rabbit.amqpUrl);
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    return (await channel.checkQueue(`${PREFIX}.${queue}`).catch(() => null))?.messageCount ?? null;
  } finally {
    await connection.close();
  }
}

/** Holds the retrieval of the studies' films until `release`. */
function holding(studies: readonly Uid[]): { release(): void; hits(): number } {
  let release = () => {};
  const held = new Promise<void>((go) => (release = go));
  const rules = studies.map((study) =>
    site.proxy.on(
      retrieves(study),
      after(() => held),
      1,
    ),
  );
  return { release: () => release(), hits: () => rules.reduce((sum, { hits }) => sum + hits, 0) };
}

/** Names of what `hilum doctor` looked at. */
async function checksOf({ config }: Process): Promise<string[]> {
  const child = spawn(process.execPath, [CLI, 'doctor', '--config', config, '--json']);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  await new Promise((ended) => child.once('close', ended));
  return output
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { check: string }).check);
}

const metricsOf = async ({ url }: Process) => (await fetch(`${url}/metrics`)).text();

test('a worker and a list apart: the list shows a study waiting, analysing and its result; each process does its part alone', async () => {
  worker = await serve(['worker']);
  expect(await messagesIn('progress')).toBeNull();
  expect([await messagesIn('result.list'), await messagesIn('result.webhook')]).toEqual([0, 0]);
  list = await serve(['list', 'catch-up', 'sinks']);
  const study = await site.put();
  const { release } = holding([study]);
  await site.tell(study);
  await isShown(study, 'analysing');
  release();
  const { films, history } = await isShown(study, 'done');
  expect(films[0]!.heatMap).not.toBeNull();
  expect(history.map(({ text }) => text)).toHaveLength(3);
  await until('the receiver is told', () => told.includes(study));

  expect(existsSync(join(worker.stateDir, 'list.db'))).toBe(false);
  expect(existsSync(join(list.stateDir, 'list.db'))).toBe(true);
  expect(worker.log()).not.toMatch(/list\.database|delivery\.|catch-up\./);
  expect(worker.log()).toContain('model.loaded');
  expect(list.log()).not.toMatch(/model\.loaded|study\.|film\./);
  expect((await fetch(`${worker.url}/`)).status).toBe(404);
  expect((await fetch(`${list.url}/`)).status).toBe(200);
  expect(await metricsOf(worker)).toContain('hilum_studies_total{result="done"} 1\n');
  expect(await metricsOf(list)).not.toMatch(/^hilum_(studies_total|queue_age_seconds|drift_films)\{/m);
  expect(await metricsOf(list)).toMatch(/^hilum_deliveries_total\{sink="webhook",result="done"\} 1$/m);
}, 300_000);

test('doctor looks at what the roles of its configuration need', async () => {
  const [ofWorker, ofList] = [await checksOf(worker), await checksOf(list)];
  expect(ofWorker.filter((check) => check.startsWith('model: '))).toHaveLength(4);
  expect(ofWorker).toEqual(expect.arrayContaining(['clock', 'broker', 'archive: query']));
  expect(ofWorker.filter((check) => check.startsWith('receiver'))).toEqual([]);
  expect(ofList).toEqual(expect.arrayContaining(['receiver: webhook', 'broker', 'archive: query']));
  expect(ofList.filter((check) => check.startsWith('model') || check === 'clock')).toEqual([]);
}, 120_000);

test('the process with the list is killed while studies are analysed: no result is lost, and none is analysed again', async () => {
  const studies = [await site.put(), await site.put(), await site.put()];
  await site.results();
  const { release, hits } = holding(studies);
  for (const study of studies) await site.tell(study);
  await until('a study is analysed', () => hits() > 0);
  await list.end('SIGKILL');
  release();
  const announced: string[] = [];
  await until(
    'all results are announced',
    async () => {
      announced.push(...(await site.results()).map(({ studyInstanceUid }) => studyInstanceUid));
      return announced.length >= studies.length;
    },
    120_000,
  );
  expect(await messagesIn('result.list')).toBe(studies.length);
  expect(await messagesIn('progress')).toBeGreaterThan(0);
  list = await serve(['list', 'catch-up', 'sinks']);
  for (const study of studies) {
    await isShown(study, 'done');
    expect(await site.stored(study)).toEqual(['CR', 'OT', 'SR']);
  }
  // Of the two that were begun after the kill the steps waited, too.
  await until('the steps of the time without a list', async () => {
    const shown = await Promise.all(studies.map((study) => onList(study)));
    return shown.filter((found) => found!.history.some(({ text }) => text === 'analysis begun')).length >= 2;
  });
  expect([...announced].sort()).toEqual([...studies].sort());
  expect(await site.dead()).toEqual([]);
  expect([await messagesIn('result.list'), await messagesIn('progress')]).toEqual([0, 0]);
}, 300_000);

test('a process with sinks alone delivers what waited for it, and takes no study', async () => {
  await list.end('SIGTERM');
  const study = await site.put();
  await site.tell(study);
  await until('the result waits', async () => (await messagesIn('result.webhook')) === 1, 90_000);
  await worker.end('SIGTERM');
  expect(told).not.toContain(study);
  const sinks = await serve(['sinks']);
  await until('the receiver is told', () => told.includes(study));
  await site.tell(await site.put());
  await new Promise((wait) => setTimeout(wait, 2_000));
  expect(await site.waiting()).toBe(1);
  expect(await messagesIn('result.list')).toBe(1);
  expect(sinks.log()).not.toMatch(/model\.loaded|list\.database|study\./);
  expect(existsSync(join(sinks.stateDir, 'list.db'))).toBe(false);
}, 240_000);
