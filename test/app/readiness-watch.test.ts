import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DicomWebArchive } from '../../src/archive/dicomweb';
import { Outages } from '../../src/web/outages';
import { readinessChecks, watchReadiness } from '../../src/app/readiness';
import { createLog } from '../../src/base/log';
import { parseConfig } from '../../src/config/config';
import type { Broker } from '../../src/queue/broker';
import { type Database, openDatabase } from '../../src/worklist/database';
import { recordingLog } from '../support/records/logs';

const dir = mkdtempSync(join(tmpdir(), 'hilum-readiness-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const broker = { state: () => 'connected' } as Broker;
const archive = { findStudySummary: () => Promise.resolve(null) } as unknown as DicomWebArchive;
const configOf = (more: object = {}) =>
  parseConfig({
    archive: { url: 'http://127.0.0.1:9/dicom-web' },
    broker: { url: 'amqp://127.0.0.1:9' },
    state: { dir },
    ...more,
  });
const openList = () => openDatabase(`file:${join(dir, 'list.db')}`, createLog('silent'));

async function closing<T>(database: Database, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await database.close();
  }
}

const lookedAt = async (more: object, database: Database | null) => {
  const { checks } = readinessChecks(configOf(more), { broker, archive, database, outages: new Outages() });
  return Object.fromEntries(await Promise.all(checks.map(async ({ name, look }) => [name, await look()] as const)));
};

test('what a process keeps itself is checked: database, audit trail and state folder, where it has them', async () => {
  const worker = { roles: ['worker'] };
  expect(Object.keys(await lookedAt(worker, null))).toEqual(['broker', 'archive', 'disk']);
  expect(Object.keys(await lookedAt({ roles: ['worker'], results: { mode: 'shadow' } }, null))).toContain('state');
  const database = openList();
  await closing(database, async () => {
    const well = await lookedAt({ list: { enabled: true } }, database);
    expect(well).toEqual({ broker: null, archive: null, disk: null, state: null, database: null, audit: null });
    const file = join(dir, 'a file');
    writeFileSync(file, '');
    const wrong = await lookedAt({ list: { enabled: true }, audit: { dir: file }, state: { dir: file } }, database);
    expect(wrong['audit']).toBe(`the folder ${file} can't be written to: it is no folder (ENOTDIR)`);
    expect(wrong['state']).toBe(wrong['audit']);
    rmSync(join(dir, 'list.db'));
    const { database: lost } = await lookedAt({ list: { enabled: true } }, database);
    expect(lost).toContain('was deleted or replaced while the service runs');
  });
});

test('the log tells of each outage and of its end once, whoever asks', async () => {
  const log = recordingLog();
  let problem: string | null = null;
  let looks = 0;
  const look = async () => (looks++, problem);
  const broken = async () => Promise.reject(new Error('it can not look'));
  const watch = watchReadiness(
    [
      { name: 'database', look },
      { name: 'audit', look: broken },
    ],
    log,
    1,
  );
  const rounds = async (count: number) => {
    for (const end = looks + count; looks < end;) await new Promise((wait) => setTimeout(wait, 1));
  };
  watch.start();
  await rounds(3);
  problem = 'it is away';
  await rounds(5);
  problem = 'it is away for longer';
  await rounds(5);
  problem = null;
  await rounds(5);
  watch.stop();
  const told = log.lines.map(({ level, fields }) => [level, fields.event, fields['check'], fields['problem']]);
  expect(told).toEqual([
    ['error', 'health.check-failed', 'audit', 'Error: it can not look'],
    ['error', 'health.check-failed', 'database', 'it is away'],
    ['info', 'health.check-passed', 'database', undefined],
  ]);
  const before = looks;
  await new Promise((wait) => setTimeout(wait, 30));
  expect(looks).toBeLessThanOrEqual(before + 1);
});
