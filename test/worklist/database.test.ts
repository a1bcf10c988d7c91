import { sql } from 'kysely';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { openDatabase } from '../../src/worklist/database';
import { databaseError } from '../../src/worklist/database-error';
import { databaseTests } from '../support/suites/database.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-database-'));
afterAll(() => rmSync(dir, { recursive: true }));
const LOG = createLog('silent');

let count = 0;
databaseTests(() => Promise.resolve(`file:${join(dir, 'deeper', `${count++}.db`)}`));

test('commits are synced: write-ahead log, full; nobody else may look into a folder of ours', async () => {
  const database = openDatabase(`file:${join(dir, 'own', 'list.db')}`, LOG);
  const pragma = (name: string) =>
    database.read(
      async (db) =>
        Object.values((await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db)).rows[0]!)[0],
    );
  expect([await pragma('journal_mode'), await pragma('synchronous'), await pragma('foreign_keys')]).toEqual([
    'wal',
    2,
    1,
  ]);
  expect(statSync(join(dir, 'own')).mode & 0o077).toBe(0);
  await database.close();
});

test('what is no database is left as it is and told from one that is away', async () => {
  const text = 'this is no database, but something that somebody wrote '.repeat(50);
  writeFileSync(join(dir, 'text.db'), text);
  const wrong = openDatabase(`file:${join(dir, 'text.db')}`, LOG);
  await expect(wrong.ready()).rejects.toMatchObject({ code: 'DATABASE_INVALID', lasting: 'permanent' });
  expect(statSync(join(dir, 'text.db')).size).toBe(text.length);
  const away = openDatabase(`file:${join(dir, 'text.db', 'below', 'list.db')}`, LOG);
  await expect(away.ready()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE', lasting: 'transient' });
});

test('nothing is opened before its first use, and a database that comes later is used then', async () => {
  const blocker = join(dir, 'late');
  writeFileSync(blocker, '');
  const database = openDatabase(`file:${join(blocker, 'list.db')}`, LOG);
  await expect(database.ready()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
  rmSync(blocker);
  await database.ready();
  await database.close();
});

test.each(['mysql://x', 'list.db', 'http://x'])('%s is no database of ours', (url) => {
  expect(() => openDatabase(url, LOG)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test.each([
  ['SQLITE_BUSY', 'DATABASE_UNREACHABLE'],
  ['SQLITE_FULL', 'DATABASE_UNREACHABLE'],
  ['SQLITE_IOERR_FSYNC', 'DATABASE_UNREACHABLE'],
  ['SQLITE_CORRUPT_INDEX', 'DATABASE_INVALID'],
  ['SQLITE_ERROR', 'DATABASE_INVALID'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 'DATABASE_REFUSED'],
  ['SQLITE_TOOBIG', 'DATABASE_REFUSED'],
  ['ECONNREFUSED', 'DATABASE_UNREACHABLE'],
  ['08006', 'DATABASE_UNREACHABLE'],
  ['53300', 'DATABASE_UNREACHABLE'],
  ['28P01', 'DATABASE_UNREACHABLE'],
  ['57P01', 'DATABASE_UNREACHABLE'],
  ['40P01', 'DATABASE_UNREACHABLE'],
  ['42P01', 'DATABASE_INVALID'],
  ['23505', 'DATABASE_REFUSED'],
  ['22021', 'DATABASE_REFUSED'],
  ['54000', 'DATABASE_REFUSED'],
])('%s is %s', (code, wanted) => {
  const error = databaseError(Object.assign(new Error('quotes Doe^Jane'), { code }));
  expect(error).toMatchObject({ code: wanted, message: expect.not.stringContaining('Doe') as string });
});
