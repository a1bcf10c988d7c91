import { type Kysely, sql } from 'kysely';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLog } from '../../src/base/log';
import { deriveUid } from '../../src/dicom/uid';
import { type Database, openDatabase } from '../../src/worklist/database';
import { MIGRATIONS } from '../../src/worklist/migrations/index';
import type { Schema } from '../../src/worklist/schema';
import { Worklist } from '../../src/worklist/worklist';

const ROOT = resolve(__dirname, '../..');
const MORTAL = join(ROOT, 'test/support/threads/mortal-sqlite-worker.cjs');
const dir = mkdtempSync(join(tmpdir(), 'hilum-sqlite-thread-'));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
let database: Database;
let list: Worklist;
beforeEach(async () => {
  database = openDatabase(`file:${join(dir, `${count++}.db`)}`, createLog('silent'), MIGRATIONS, MORTAL);
  list = new Worklist(database);
  await database.ready();
});
afterEach(() => database.close());

const AWAY = { code: 'DATABASE_UNREACHABLE', lasting: 'transient' };
const end = (db: Kysely<Schema>) => sql`select ${'end the thread'}`.execute(db);
const insert = (db: Kysely<Schema>, name: string) =>
  db.insertInto('first_token').values({ id: name.length, token_hash: name, created_at: 0 }).execute();
const tokens = () => database.read((db) => db.selectFrom('first_token').select('token_hash').execute());

test('a thread that ends fails the statement in hand; the next one has a thread again', async () => {
  await expect(database.read(end)).rejects.toMatchObject(AWAY);
  await list.advance(deriveUid(['a']), { kind: 'waiting', priority: null });
  await expect(database.write(end)).rejects.toMatchObject(AWAY);
  expect((await list.changesSince(0)).rows).toHaveLength(1);
});

test('a transaction whose thread ends fails whole, also where its work goes on', async () => {
  const halved = database.write(async (db) => {
    await insert(db, 'a');
    await expect(end(db)).rejects.toThrow();
    await insert(db, 'bb');
  });
  await expect(halved).rejects.toMatchObject(AWAY);
  const swallowed = database.write(async (db) => {
    await insert(db, 'a');
    await expect(end(db)).rejects.toThrow();
    await insert(db, 'bb').catch(() => {});
  });
  await expect(swallowed).rejects.toMatchObject(AWAY);
  expect(await tokens()).toEqual([]);
  await database.write((db) => insert(db, 'ccc'));
  expect(await tokens()).toEqual([{ token_hash: 'ccc' }]);
});

test('a read waits for no transaction, and sees what was committed; transactions take turns', async () => {
  let finish = () => {};
  const held = new Promise<void>((done) => (finish = done));
  const order: string[] = [];
  const first = database.write(async (db) => {
    await insert(db, 'a');
    order.push('first');
    await held;
    order.push('first done');
  });
  const second = database.write(async (db) => {
    order.push('second');
    await insert(db, 'bb');
  });
  while (order.length === 0) await new Promise(setImmediate);
  expect(await tokens()).toEqual([]);
  expect(order).toEqual(['first']);
  finish();
  await Promise.all([first, second]);
  expect(order).toEqual(['first', 'first done', 'second']);
  expect(await tokens()).toHaveLength(2);
});

test('statements of one transaction at the same time are done in their order', async () => {
  await database.write(async (db) => {
    await Promise.all(['a', 'bb', 'ccc'].map((name) => insert(db, name)));
  });
  expect(await tokens()).toHaveLength(3);
});

test('nothing else stands still while a statement is worked on', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const slow = sql<{ sum: number }>`with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000)
    select sum(i) as sum from n`;
  expect((await database.read((db) => slow.execute(db))).rows).toEqual([{ sum: 500_000_500_000 }]);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(2);
});

test('what only reads can not write', async () => {
  await expect(database.read((db) => insert(db, 'a'))).rejects.toMatchObject({ code: expect.any(String) as string });
  expect(await tokens()).toEqual([]);
});

test('an open database does not keep a process alive, and closed it can be opened again', async () => {
  const script = `
    require(${JSON.stringify(join(ROOT, 'scripts/lib/typescript.cjs'))});
    const { openDatabase } = require(${JSON.stringify(join(ROOT, 'src/worklist/database.ts'))});
    const log = { info: () => {} };
    const url = ${JSON.stringify(`file:${join(dir, 'idle.db')}`)};
    const open = () => openDatabase(url, log, undefined, ${JSON.stringify(MORTAL)});
    (async () => {
      const first = open();
      await first.ready();
      await first.close();
      const second = open();
      console.log(await second.read((db) => db.selectFrom('study').selectAll().execute()));
    })();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 30_000 });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '[]\n', stderr: '' });
});
