import { type ChannelModel, connect } from 'amqplib';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import type { ShadowRecord } from '../../src/pipeline/shadow';
import { freePort } from '../../scripts/lib/servers.cjs';
import { type Orthanc, type Rabbit, Servers, until } from '../support/servers/servers';

const ROOT = resolve(__dirname, '../..');
const CLI = join(ROOT, 'dist/cli.js');
const FILMS = [0, 1, 2].map((seed) =>
  syntheticDicom({ seed, view: seed === 2 ? 'LL' : 'PA', rows: 500, columns: 420 }),
);
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-shadow-'));
const config = join(dir, 'hilum.yaml');
let rabbit: Rabbit;
let orthanc: Orthanc;
let service: ChildProcess | undefined;
let connection: ChannelModel | undefined;
let announced = 0;
let port: number;

beforeAll(async () => {
  rabbit = await servers.rabbit();
  orthanc = await servers.orthanc({ amqpUrl: rabbit.amqpUrl, plugin: true, stableAge: 1 });
  port = await freePort();
  // So low that every analysed film reaches it: the service must go by the site's operating point, not by the model's.
  writeFileSync(
    config,
    JSON.stringify({
      archive: { url: orthanc.dicomWebUrl },
      broker: { url: rabbit.amqpUrl },
      http: { port },
      results: { mode: 'shadow' },
      classification: { threshold: 0 },
      state: { dir: 'state' },
    }),
  );
  connection = await connect(rabbit.amqpUrl);
  service = startService();
}, 180_000);

afterAll(async () => {
  await connection?.close();
  await end('SIGTERM');
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
}, 90_000);

const startService = () => spawn(process.execPath, [CLI, 'serve', '--config', config], { stdio: 'ignore' });

async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const ending = service;
  if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
  ending.kill(signal);
  await until('the service ends', () => ending.exitCode !== null || ending.signalCode !== null);
}

const send = async (film: Uint8Array) => void (await fetch(`${orthanc.url}/instances`, { method: 'POST', body: film }));
const counted = async () =>
  ((await (await fetch(`${orthanc.url}/statistics`)).json()) as { CountInstances: number }).CountInstances;

function noted(): ShadowRecord[] {
  const path = join(dir, 'state', 'shadow.jsonl');
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as ShadowRecord)
    : [];
}

test('outcomes are collected, over a kill too, and archive and broker are as they were', async () => {
  await until(
    'the exchange is there',
    async () => {
      const asking = await connect(rabbit.amqpUrl);
      asking.on('error', () => undefined);
      const channel = await asking.createChannel();
      channel.on('error', () => undefined);
      return channel
        .checkExchange('hilum.result')
        .then(
          () => true,
          () => false,
        )
        .finally(() => void asking.close());
    },
    60_000,
  );
  const channel = await connection!.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'hilum.result', '#');
  await channel.consume(queue, () => void announced++, { noAck: true });

  await send(FILMS[0]!);
  await until('the first film is noted', () => noted().length === 1, 60_000);
  await end('SIGKILL');
  for (const film of FILMS.slice(1)) await send(film);
  service = startService();
  await until('all films are noted', () => noted().length >= FILMS.length, 90_000);
  // Stable again, and looked at by the catch-up: nothing is done twice.
  await new Promise((done) => setTimeout(done, 4_000));
  const records = noted();
  expect(new Set(records.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(FILMS.length);
  expect(records).toHaveLength(FILMS.length);
  for (const { outcome, probability, urgent } of records)
    expect(urgent).toBe(outcome === 'analysed' && probability !== null);
  expect(records.some(({ urgent }) => urgent)).toBe(true);
  expect(await counted()).toBe(FILMS.length);
  expect(announced).toBe(0);
}, 240_000);

test('drift tells of these films, the command and the metrics alike', async () => {
  interface Told {
    days: { outcomes: Record<string, number> }[];
    outcomes: Record<string, number>;
    measures: { measure: string; films: number; index: number }[];
  }
  const { days, outcomes, measures } = JSON.parse(
    execFileSync(process.execPath, [CLI, 'drift', '--config', config, '--json'], { encoding: 'utf8' }),
  ) as Told;
  // The count may lack the film in hand when the service was killed: that film was noted, and perhaps not counted yet.
  expect(Object.values(outcomes).reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(FILMS.length - 1);
  expect(days.length).toBeGreaterThan(0);
  const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const gauge = (name: string) =>
    Object.fromEntries(
      [...scraped.matchAll(new RegExp(`^${name}\\{measure="(\\w+)"\\} (\\S+)$`, 'gm'))].map(([, measure, value]) => [
        measure,
        Number(value),
      ]),
    );
  expect(gauge('hilum_drift_films')).toEqual(
    Object.fromEntries(measures.map(({ measure, films }) => [measure, films])),
  );
  expect(gauge('hilum_drift_psi')).toEqual(Object.fromEntries(measures.map(({ measure, index }) => [measure, index])));
  expect(gauge('hilum_drift_psi')['meanGrey']).toBeGreaterThan(0);
});
