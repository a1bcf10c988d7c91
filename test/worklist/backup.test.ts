import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { deriveUid } from '../../src/dicom/uid';
import { openAccounts } from '../../src/web/access/account-store';
import { openSessions } from '../../src/web/access/session-store';
import { writeBackup } from '../../src/worklist/backup';
import { type Database, openDatabase } from '../../src/worklist/database';
import { MIGRATIONS } from '../../src/worklist/migrations/index';
import { restoreBackup } from '../../src/worklist/restore';
import { siteKey } from '../../src/worklist/site-keys';
import { Worklist } from '../../src/worklist/worklist';
import { studyRecord } from '../support/records/study-record';

const LOG = createLog('silent');
const ANA = { id: 'local:ana', name: 'Ana' };
const WRITER = join(__dirname, '../support/threads/list-writer.cjs');
const uid = (name: string) => deriveUid(['study', name]);

let dir: string;
let path: string;
let file: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-backup-'));
  [path, file] = [join(dir, 'state', 'list.db'), join(dir, 'hilum.backup')];
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(dir, { recursive: true });
});

function open(at = path, migrations = MIGRATIONS): Database {
  const database = openDatabase(`file:${at}`, LOG, migrations);
  closing.push(() => database.close());
  return database;
}
const closed = async () => {
  for (const close of closing.splice(0)) await close();
};
const restore = (backup = file, before = () => Promise.resolve()) => restoreBackup(backup, path, before);
const listed = async (database: Database) =>
  (await new Worklist(database).page({ searchPatient: false, order: 'oldest', limit: 100_000 })).rows.map(
    ({ studyInstanceUid }): string => studyInstanceUid,
  );

/** A process of its own that writes; `stop` resolves to the studies that were confirmed to it. */
async function writer(): Promise<{ confirmed: () => string[]; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [WRITER, `file:${path}`, 'w'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  closing.push(stop);
  while (!text.includes('ready\n')) await once(child.stdout, 'data');
  return { confirmed: () => text.slice(0, text.lastIndexOf('\n')).split('\n').slice(1), stop };
}

test('all that the database has comes back: rows, verdicts, accounts, keys; sessions are ended', async () => {
  const before = open();
  const list = new Worklist(before);
  await list.record(studyRecord('a'));
  await list.verdict(uid('a'), { verdict: 'agree', note: 'clear', by: ANA });
  const account = { username: 'ana', displayName: 'Ana', passwordHash: 'hash', roles: ['admin'] };
  await openAccounts(before).add({ ...account, createdAt: 1, passwordChangedAt: 1 }, () => Promise.resolve());
  const session = { idHash: 's', userId: 'local:ana', username: 'ana', displayName: 'Ana', roles: [], idToken: null };
  await openSessions(before).add({ ...session, createdAt: 1, seenAt: 1 });
  const key = await siteKey(before, 'sign-in');
  expect(await writeBackup(path, file, '0.2.0')).toMatchObject({
    hilum: '0.2.0',
    studies: 1,
    verdicts: 1,
    accounts: 1,
  });
  const [change] = [await list.lastChange()];
  await list.record(studyRecord('later'));
  await closed();

  const { replaced } = await restore();
  const after = open();
  expect(await listed(after)).toEqual([uid('a')]);
  expect(await new Worklist(after).study(uid('a'))).toMatchObject({ verdicts: [{ verdict: 'agree', note: 'clear' }] });
  expect(await openAccounts(after).find('ana')).toMatchObject({ passwordHash: 'hash' });
  expect((await siteKey(after, 'sign-in')).equals(key)).toBe(true);
  expect(await openSessions(after).find('s')).toBeNull();
  // A page that had seen the later change hears of those that follow.
  expect(await new Worklist(after).lastChange()).toBeGreaterThan(change + 100);
  expect(replaced).toMatch(/^list\.db\.replaced-/);
  const kept = open(join(dir, 'state', replaced!));
  expect((await listed(kept)).sort()).toEqual([uid('a'), uid('later')].sort());
  for (const private_ of [file, path]) expect(statSync(private_).mode & 0o777).toBe(0o600);
});

test('while another process writes, a backup is one moment of it, and lacks nothing confirmed before', async () => {
  await open().ready();
  await closed();
  const { confirmed, stop } = await writer();
  while (confirmed().length < 50) await new Promise((wait) => setTimeout(wait, 5));
  const before = confirmed();
  await writeBackup(path, file, '0.2.0');
  const after = confirmed();
  // It was written to all the time.
  expect(after.length).toBeGreaterThan(before.length);
  await stop();
  await restore();
  const database = open();
  const there = await listed(database);
  expect(before.filter((study) => !there.includes(study))).toEqual([]);
  // One moment: no study is there without all that were confirmed before it.
  const order = (study: string) => [...after, study].indexOf(study);
  expect(Math.max(...there.map(order))).toBeLessThanOrEqual(there.length);
  const counts = await new Worklist(database).counts();
  expect(counts.states.waiting).toBe(there.length);
}, 60_000);

test('a copy of the file alone lacks what was confirmed; a backup does not', async () => {
  const list = new Worklist(open());
  await list.record(studyRecord('a'));
  await writeBackup(path, file, '0.2.0');
  mkdirSync(join(dir, 'copy'));
  copyFileSync(path, join(dir, 'copy', 'list.db'));
  await closed();
  expect(await listed(open(join(dir, 'copy', 'list.db')))).toEqual([]);
  await closed();
  await restore();
  expect(await listed(open())).toEqual([uid('a')]);
});

test('any tar lists and unpacks a backup', async () => {
  await new Worklist(open()).record(studyRecord('a'));
  await writeBackup(path, file, '0.2.0');
  expect(execFileSync('tar', ['tf', file], { encoding: 'utf8' })).toBe('list.db\nmanifest.json\n');
  execFileSync('tar', ['xf', file, '-C', dir]);
  expect(JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'))).toMatchObject({ format: 'hilum-backup-1' });
  expect(await listed(open(join(dir, 'list.db')))).toEqual([uid('a')]);
});

test('what has the database open is named, and nothing is changed', async () => {
  const database = open();
  await new Worklist(database).record(studyRecord('a'));
  await writeBackup(path, file, '0.2.0');
  await closed();
  const { stop } = await writer();
  const files = readdirSync(join(dir, 'state'));
  await expect(restore()).rejects.toMatchObject({
    code: 'DATABASE_IN_USE',
    message: expect.stringMatching(/in use by process \d+: stop every process/) as string,
  });
  expect(readdirSync(join(dir, 'state')).sort()).toEqual(files.sort());
  await stop();
  await restore();
  expect(await listed(open())).toEqual([uid('a')]);
}, 60_000);

test('a connection that the system does not tell of is met by the lock', async () => {
  const database = open();
  await new Worklist(database).record(studyRecord('a'));
  await writeBackup(path, file, '0.2.0');
  // In this process itself, which /proc is not asked for.
  await expect(restore()).rejects.toMatchObject({ code: 'DATABASE_IN_USE' });
  await new Worklist(database).record(studyRecord('b'));
  expect((await listed(database)).length).toBe(2);
}, 30_000);

test('a service that is started while a restore runs gets the new database or none', async () => {
  await new Worklist(open()).record(studyRecord('a'));
  await writeBackup(path, file, '0.2.0');
  await new Worklist(open()).record(studyRecord('b'));
  await closed();
  await restore(file, async () => {
    const early = openDatabase(`file:${path}`, LOG);
    await expect(early.ready()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    await early.close();
  });
  expect(await listed(open())).toEqual([uid('a')]);
}, 30_000);

test('where what comes before the change fails, the database stays and nothing is left beside it', async () => {
  await new Worklist(open()).record(studyRecord('a'));
  await writeBackup(path, file, '0.2.0');
  await new Worklist(open()).record(studyRecord('b'));
  await closed();
  await expect(restore(file, () => Promise.reject(new Error('no trail')))).rejects.toThrow('no trail');
  expect(readdirSync(join(dir, 'state'))).toEqual(['list.db']);
  expect(await listed(open())).toHaveLength(2);
});

test('a damaged database is replaced and kept, with its log; a new machine has none', async () => {
  await new Worklist(open()).record(studyRecord('a'));
  await writeBackup(path, file, '0.2.0');
  await closed();
  writeFileSync(path, 'no database '.repeat(1_000));
  writeFileSync(`${path}-wal`, 'a log');
  const { replaced } = await restore();
  expect(readFileSync(join(dir, 'state', replaced!), 'utf8')).toContain('no database');
  expect(readFileSync(join(dir, 'state', `${replaced!}-wal`), 'utf8')).toBe('a log');
  expect(await listed(open())).toEqual([uid('a')]);
  await closed();
  rmSync(join(dir, 'state'), { recursive: true });
  expect(await restore()).toMatchObject({ replaced: null });
  expect(await listed(open())).toEqual([uid('a')]);
});

describe('what is no sound backup is refused, and the database stays', () => {
  beforeEach(async () => {
    await new Worklist(open()).record(studyRecord('a'));
    await writeBackup(path, file, '0.2.0');
    await closed();
  });
  afterEach(async () => {
    expect(readdirSync(join(dir, 'state'))).toEqual(['list.db']);
    expect(await listed(open())).toEqual([uid('a')]);
  });
  const refused = (message: RegExp) =>
    expect(restore()).rejects.toMatchObject({
      code: 'BACKUP_INVALID',
      lasting: 'permanent',
      message: expect.stringMatching(message) as string,
    });
  const write = (text: string | Buffer, at: number) => {
    const opened = openSync(file, 'r+');
    writeSync(opened, Buffer.from(text), 0, text.length, at);
    closeSync(opened);
  };

  test.each([0, 100, 512, 5_000])('cut off after %d bytes', async (bytes) => {
    truncateSync(file, bytes);
    await refused(/cut off/);
  });

  test('cut off by its end alone', async () => {
    truncateSync(file, statSync(file).size - 1024);
    await refused(/cut off/);
  });

  test('one byte changed', async () => {
    write('X', 40_000);
    await refused(/SHA-256/);
  });

  test('a header changed', async () => {
    write('X', 3);
    await refused(/no backup/);
  });

  test('another file', async () => {
    writeFileSync(file, 'what somebody wrote '.repeat(200));
    await refused(/no backup/);
  });

  test('another tar', async () => {
    writeFileSync(join(dir, 'list.db'), 'x');
    execFileSync('tar', ['cf', file, '-C', dir, 'list.db']);
    await refused(/no backup/);
  });

  test('a format of tomorrow', async () => {
    const at = readFileSync(file).lastIndexOf('hilum-backup-1');
    write('hilum-backup-2', at);
    await refused(/manifest/);
  });

  test('a schema that this version does not run on', async () => {
    const other = join(dir, 'other.db');
    const change = { change: 'contracts', unusedSince: 3 } as const;
    await open(other, [...MIGRATIONS, { name: '999-x', release: 4, ...change, up: () => Promise.resolve() }]).ready();
    await closed();
    // A later version writes its own.
    execFileSync('tar', ['xf', file, '-C', dir]);
    const { createHash } = await import('node:crypto');
    const content = readFileSync(other);
    const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as object;
    const sha256 = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(dir, 'list.db'), content);
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ ...manifest, sha256, bytes: content.length }));
    execFileSync('tar', ['cf', file, '-C', dir, 'list.db', 'manifest.json']);
    await expect(restore()).rejects.toMatchObject({
      code: 'DATABASE_INVALID',
      message: expect.stringContaining('version 4 of Hilum (it has 999-x)') as string,
    });
  });
});

test('a damaged database gives no backup, and what stood there before stays', async () => {
  await new Worklist(open()).record(studyRecord('a'));
  await closed();
  writeFileSync(file, 'the one of yesterday');
  const opened = openSync(path, 'r+');
  writeSync(opened, Buffer.alloc(4096, 0x55), 0, 4096, 8192);
  closeSync(opened);
  await expect(writeBackup(path, file, '0.2.0')).rejects.toMatchObject({ code: 'DATABASE_INVALID' });
  expect(readFileSync(file, 'utf8')).toBe('the one of yesterday');
  expect(readdirSync(dir).sort()).toEqual(['hilum.backup', 'state']);
});

test('a backup of version 0.1 is brought up to date by the next start', async () => {
  await open(path, MIGRATIONS.slice(0, 2)).ready();
  await writeBackup(path, file, '0.1.0');
  await closed();
  await restore();
  const database = open();
  expect(await database.examine()).toBe('older');
  expect(await listed(database)).toEqual([]);
});

test('neither backup nor restore makes a database where there is none to read', async () => {
  await expect(writeBackup(path, file, '0.2.0')).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
  expect(existsSync(file)).toBe(false);
});
