import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examineRetention } from '../../src/app/doctor/retention';
import { openRetention, retentionRound } from '../../src/app/retention';
import { createLog } from '../../src/base/log';
import { parseConfig } from '../../src/config/config';
import { deriveUid } from '../../src/dicom/uid';
import { type Database, openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { recordingLog } from '../support/records/logs';
import { studyRecord } from '../support/records/study-record';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-01T00:00:00.000Z');
const ago = (days: number) => new Date(NOW - days * DAY);

let dir: string;
let database: Database;
let list: Worklist;
let removed: Record<string, number>[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-retention-'));
  database = openDatabase(`file:${join(dir, 'list.db')}`, createLog('silent'));
  list = new Worklist(database, () => NOW);
  removed = [];
});
afterEach(async () => {
  await database.close();
  rmSync(dir, { recursive: true });
});

const configOf = (retention: object, more: object = {}) =>
  parseConfig(
    {
      archive: { url: 'http://127.0.0.1:1/dicom-web' },
      broker: { url: 'amqp://127.0.0.1' },
      list: { enabled: true },
      state: { dir },
      retention,
      ...more,
    },
    dir,
  );
const metrics = { removed: (counts: Readonly<Record<string, number>>) => void removed.push({ ...counts }) };
const round = (retention: object, log = recordingLog()) =>
  retentionRound(configOf(retention), { database, metrics }, log, { now: () => NOW, pauseMs: 0 }).then(() =>
    log.lines.filter(({ fields }) => fields.event.startsWith('retention.')).map(({ fields }) => fields),
  );
/** What each message of the trail says. */
const trail = () =>
  [...readFileSync(join(dir, 'audit', 'audit.log'), 'utf8').matchAll(/type="Alert Description" value="([^"]+)"/g)].map(
    ([, value]) => Buffer.from(value!, 'base64').toString('utf8'),
  );
const study = async (name: string, days: number) => {
  await list.advance(deriveUid(['study', name]), { kind: 'waiting', priority: null }, ago(days).getTime());
  await list.record(studyRecord(name, { completedAt: ago(days).toISOString() }));
};
function auditFile(name: string, days: number): void {
  mkdirSync(join(dir, 'audit'), { recursive: true });
  writeFileSync(join(dir, 'audit', name), '<AuditMessage/>\n');
  utimesSync(join(dir, 'audit', name), ago(days), ago(days));
}

test('what went is in the audit trail first, in log and metrics; a round without it says nothing', async () => {
  await study('old', 100);
  await study('young', 10);
  expect(await round({ listDays: 90 })).toEqual([
    { event: 'retention.removed', studies: 1, verdicts: 0, orders: 0, 'audit-files': 0 },
  ]);
  expect(removed).toEqual([{ studies: 1, verdicts: 0, orders: 0, 'audit-files': 0 }]);
  expect(trail()).toEqual(['retention: removed from the list are 1 rows of before 2026-03-03']);
  expect(await round({ listDays: 90 })).toEqual([]);
  expect(trail()).toHaveLength(1);
  expect(removed).toHaveLength(2);
});

test('where the audit trail takes nothing, nothing is removed', async () => {
  await study('old', 100);
  writeFileSync(join(dir, 'audit'), 'in the way');
  await expect(round({ listDays: 90 })).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
  expect(await list.hasResult(deriveUid(['study', 'old']))).toBe(true);
});

test('files of the audit trail go as a whole, by their last message; the one in use and others stay', async () => {
  auditFile('audit-2025-01-01T00-00-00-000Z.log', 400);
  // Written to after it was closed, by another process.
  auditFile('audit-2025-01-02T00-00-00-000Z.log', 100);
  auditFile('audit-2026-05-01T00-00-00-000Z.log', 31);
  auditFile('audit.log', 900);
  auditFile('notes.log', 900);
  expect(await round({ auditDays: 365 })).toMatchObject([{ 'audit-files': 1 }]);
  expect(readdirSync(join(dir, 'audit')).sort()).toEqual([
    'audit-2025-01-02T00-00-00-000Z.log',
    'audit-2026-05-01T00-00-00-000Z.log',
    'audit.log',
    'notes.log',
  ]);
  expect(trail().at(-1)).toContain('audit-2025-01-01T00-00-00-000Z.log');
});

test('all is kept for ever unless the site says otherwise', async () => {
  await study('old', 5_000);
  auditFile('audit-2005-01-01T00-00-00-000Z.log', 5_000);
  expect(await round({})).toEqual([]);
  expect(await list.hasResult(deriveUid(['study', 'old']))).toBe(true);
  expect(readdirSync(join(dir, 'audit'))).toHaveLength(1);
});

test('it runs by itself, and a failure is told and does not end it', async () => {
  await study('old', 100);
  const log = recordingLog();
  const now = () => NOW;
  mkdirSync(join(dir, 'audit'));
  writeFileSync(join(dir, 'audit', 'audit.log'), '');
  rmSync(join(dir, 'audit'), { recursive: true });
  writeFileSync(join(dir, 'audit'), 'in the way');
  const config = configOf({ listDays: 90 });
  const failing = openRetention(config, { database, metrics }, log, { firstMs: 1, pauseMs: 0, now });
  failing.start();
  while (!log.lines.some(({ fields }) => fields.event === 'retention.failed')) await new Promise(setImmediate);
  await failing.stop();
  rmSync(join(dir, 'audit'));
  const running = openRetention(config, { database, metrics }, log, { firstMs: 1, pauseMs: 0, now });
  running.start();
  while (removed.length === 0) await new Promise(setImmediate);
  await running.stop();
  expect(removed).toEqual([{ studies: 1, verdicts: 0, orders: 0, 'audit-files': 0 }]);
});

test('doctor says what is kept how long', async () => {
  const said = async (retention: object, more: object = {}) =>
    (await examineRetention(configOf(retention, more))).map(({ ok, text }) => [ok, text]);
  expect(await said({})).toEqual([
    [true, 'kept: rows of the list for ever, verdicts for ever, the audit trail for ever'],
  ]);
  expect(await said({ listDays: 400, verdictDays: 3650, auditDays: 2200 })).toEqual([
    [true, 'kept: rows of the list 400 days, verdicts 3650 days, the audit trail 2200 days'],
  ]);
  expect(await said({}, { list: { enabled: false } })).toEqual([]);
});

test.each([
  [{ verdictDays: 400 }, /retention.verdictDays: .*listDays must be set/],
  [{ listDays: 400, verdictDays: 300 }, /retention.verdictDays/],
  [{ listDays: 3 }, /retention.listDays/],
  [{ auditDays: 0 }, /retention.auditDays/],
])('%j is refused', (retention, message) => {
  expect(() => configOf(retention)).toThrow(message);
});
