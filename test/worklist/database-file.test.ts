import { sql } from 'kysely';
import LibsqlDatabase from 'libsql';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createLog } from '../../src/base/log';
import { deriveUid } from '../../src/dicom/uid';
import { type Database, openDatabase } from '../../src/worklist/database';
import { FileKeeper } from '../../src/worklist/database-file';
import { MIGRATIONS } from '../../src/worklist/migrations/index';
import { Worklist } from '../../src/worklist/worklist';

const MORTAL = resolve(__dirname, '../support/threads/mortal-sqlite-worker.cjs');
const LOG = createLog('silent');
let dir: string;
let path: string;
const opened: Database[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-database-file-'));
  path = join(dir, 'list.db');
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(): Database {
  const database = openDatabase(`file:${path}`, LOG, MIGRATIONS, MORTAL);
  opened.push(database);
  return database;
}

const write = (database: Database, name: string) =>
  new Worklist(database).advance(deriveUid([name]), { kind: 'waiting', priority: null });
const studies = async (database: Database) => (await new Worklist(database).changesSince(0)).rows.length;
const LOST = {
  code: 'DATABASE_UNREACHABLE',
  lasting: 'transient',
  message: expect.stringContaining('was deleted or replaced while the service runs') as string,
};
const modes = () => readdirSync(dir).map((name) => (statSync(join(dir, name)).mode & 0o777).toString(8));

test('nobody else may read the file or its log, whatever the umask, nor one of an earlier version', async () => {
  const before = process.umask(0);
  try {
    await write(open(), 'a');
    expect(readdirSync(dir).length).toBeGreaterThan(1);
    expect(new Set(modes())).toEqual(new Set(['600']));
    await opened.pop()!.close();
    chmodSync(path, 0o644);
    await write(open(), 'b');
    expect(new Set(modes())).toEqual(new Set(['600']));
  } finally {
    process.umask(before);
  }
});

test('a file that is deleted takes no write any more and is not made anew; put back, it is used again', async () => {
  const database = open();
  await write(database, 'a');
  await database.check();
  const aside = () => ['', '-wal', '-shm'].forEach((end) => renameSync(`${path}${end}`, join(dir, `aside${end}`)));
  aside();
  await expect(write(database, 'lost')).rejects.toMatchObject(LOST);
  await expect(database.check()).rejects.toMatchObject(LOST);
  expect(existsSync(path)).toBe(false);
  ['', '-wal', '-shm'].forEach((end) => renameSync(join(dir, `aside${end}`), `${path}${end}`));
  await database.check();
  await write(database, 'b');
  expect(await studies(database)).toBe(2);
});

test('a file deleted in the middle of a transaction: it is not confirmed', async () => {
  const database = open();
  await database.ready();
  const writing = database.write(async (db) => {
    await db.insertInto('first_token').values({ id: 1, token_hash: 'x', created_at: 0 }).execute();
    renameSync(path, join(dir, 'aside'));
  });
  await expect(writing).rejects.toMatchObject(LOST);
  renameSync(join(dir, 'aside'), path);
  await write(database, 'a');
  expect(await database.read((db) => db.selectFrom('first_token').selectAll().execute())).toEqual([]);
});

test('a file that is replaced, or that lost its write-ahead log, is told in the same way', async () => {
  const database = open();
  await write(database, 'a');
  copyFileSync(path, join(dir, 'copy'));
  renameSync(path, join(dir, 'aside'));
  renameSync(join(dir, 'copy'), path);
  await expect(write(database, 'lost')).rejects.toMatchObject(LOST);
  renameSync(join(dir, 'aside'), path);
  await write(database, 'b');
  rmSync(`${path}-wal`);
  await expect(write(database, 'lost')).rejects.toMatchObject(LOST);
});

test('a thread that is replaced opens no other file than the one before', async () => {
  const database = open();
  await write(database, 'a');
  await expect(database.write((db) => sql`select ${'end the thread'}`.execute(db))).rejects.toThrow();
  renameSync(path, join(dir, 'aside'));
  await expect(write(database, 'lost')).rejects.toMatchObject(LOST);
  expect(existsSync(path)).toBe(false);
  renameSync(join(dir, 'aside'), path);
  await write(database, 'b');
  expect(await studies(database)).toBe(2);
});

/** Overwrites all pages but the first, as a failing disk may. */
function damage(): void {
  const page = 4096;
  const file = openSync(path, 'r+');
  for (let at = page; at < statSync(path).size; at += page) writeSync(file, Buffer.alloc(page, 0x55), 0, page, at);
  closeSync(file);
}

test('what was seen damaged once is told until the restart, and doctor sees it by itself', async () => {
  const database = open();
  await write(database, 'a');
  await opened.pop()!.close();
  damage();
  const again = open();
  await expect(again.examine()).rejects.toMatchObject({ code: 'DATABASE_INVALID' });
  await expect(studies(again)).rejects.toMatchObject({ code: 'DATABASE_INVALID' });
  await expect(again.check()).rejects.toMatchObject({ code: 'DATABASE_INVALID' });
});

test('damage that no statement meets is found by the first check of a service, in the background', async () => {
  await write(open(), 'a');
  await opened.pop()!.close();
  const whole = openSync(path, 'r+');
  // The last page: of an index that migrations do not read.
  writeSync(whole, Buffer.alloc(4096, 0x55), 0, 4096, statSync(path).size - 4096);
  closeSync(whole);
  const database = open();
  await database.check().catch(() => {});
  for (
    let left = 200;
    left > 0 &&
    (await database.check().then(
      () => true,
      () => false,
    ));
    left--
  )
    await setTimeout(50);
  await expect(database.check()).rejects.toMatchObject({ code: 'DATABASE_INVALID' });
});

test('damage that comes later is told by the check from the first statement that meets it', async () => {
  await write(open(), 'a');
  await opened.pop()!.close();
  const database = open();
  await database.ready();
  await database.check();
  damage();
  await studies(database).catch(() => {});
  await expect(database.check()).rejects.toMatchObject({ code: 'DATABASE_INVALID' });
});

test('looking beforehand makes and migrates nothing: absent, older, current, newer, no database', async () => {
  expect(await open().examine()).toBe('absent');
  expect(existsSync(path)).toBe(false);
  const older = openDatabase(`file:${path}`, LOG, MIGRATIONS.slice(0, 2), MORTAL);
  await older.ready();
  await older.close();
  expect(await open().examine()).toBe('older');
  expect(await open().examine()).toBe('older');
  await open().ready();
  expect(await open().examine()).toBe('current');
  const old = openDatabase(`file:${path}`, LOG, MIGRATIONS.slice(0, 2), MORTAL);
  opened.push(old);
  expect(await old.examine()).toBe('newer');
  for (const database of opened.splice(0)) await database.close();
  rmSync(path);
  writeFileSync(path, 'no database '.repeat(1_000));
  await expect(open().examine()).rejects.toMatchObject({ code: 'DATABASE_INVALID' });
});

test('a new file into which another process still writes is waited for', async () => {
  const other = new LibsqlDatabase(path);
  other.exec('create table other (a text)');
  other.exec('begin immediate');
  const writing = write(open(), 'a');
  await setTimeout(300);
  other.exec('commit');
  other.close();
  await writing;
  expect(await studies(open())).toBe(1);
});

test('a log that goes with the last other process, before the file is open here, is no lost one', () => {
  writeFileSync(path, '');
  writeFileSync(`${path}-wal`, '');
  const keeper = new FileKeeper(path, null);
  keeper.requireFile();
  rmSync(`${path}-wal`);
  keeper.require();
  writeFileSync(`${path}-wal`, '');
  keeper.require();
  rmSync(`${path}-wal`);
  expect(() => keeper.require()).toThrow('DATABASE_FILE_LOST');
});
