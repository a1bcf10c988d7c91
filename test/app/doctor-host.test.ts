import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app/app';
import { examineDatabase } from '../../src/app/doctor/database';
import { examineDisk } from '../../src/app/doctor/disk';
import { examinePort } from '../../src/app/doctor/port';
import { createLog } from '../../src/base/log';
import { parseConfig } from '../../src/config/config';
import { openDatabase } from '../../src/worklist/database';
import { recordingLog } from '../support/records/logs';

const dir = mkdtempSync(join(tmpdir(), 'hilum-doctor-host-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const configOf = (more: object = {}) =>
  parseConfig({
    archive: { url: 'http://127.0.0.1:9/dicom-web' },
    broker: { url: 'amqp://127.0.0.1:9' },
    roles: ['list'],
    state: { dir },
    list: { enabled: true },
    ...more,
  });

async function listening(server: Server, use: (port: number) => Promise<void>): Promise<void> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

const port = async (number: number, host = '127.0.0.1') =>
  (await examinePort(configOf({ http: { port: number, host } })))[0]!;

test('the port: free, served by a running Hilum, taken by another program, an address of another machine', async () => {
  expect(await port(0)).toEqual({ check: 'port', ok: true, text: 'a free one is taken at the start' });
  let free = 0;
  await listening(createServer(), async (number) => void (free = number));
  expect(await port(free)).toEqual({ check: 'port', ok: true, text: `${free} of 127.0.0.1 is free` });
  for (const other of [
    createHttpServer((_request, response) => response.end('{"live":true,"by":"another"}')),
    createServer((socket) => socket.destroy()),
  ])
    await listening(other, async (number) =>
      expect(await port(number)).toEqual({
        check: 'port',
        ok: false,
        text: expect.stringContaining(
          `LISTEN_FAILED: port ${number} of 127.0.0.1 can't be served on: another program`,
        ) as string,
      }),
    );
  const app = await createApp(configOf({ http: { port: free } }), recordingLog());
  await app.start();
  expect(await port(free)).toEqual({
    check: 'port',
    ok: true,
    text: `${free} of 127.0.0.1 is served by a running Hilum`,
  });
  await app.stop();
  const elsewhere = parseConfig({ ...configOf(), http: { port: 8080 } });
  expect((await examinePort({ http: { ...elsewhere.http, host: '192.0.2.1' } }))[0]).toMatchObject({
    ok: false,
    text: expect.stringContaining('EADDRNOTAVAIL') as string,
  });
});

test('the database is looked into and left as it is; where there is none nobody asks', async () => {
  rmSync(join(dir, 'list.db'), { force: true });
  const look = async (more: object = {}) => examineDatabase(configOf(more));
  expect(await look()).toEqual([
    { check: 'database', ok: true, text: 'has no tables yet: the first start of the service makes them' },
  ]);
  expect(existsSync(join(dir, 'list.db'))).toBe(false);
  const database = openDatabase(`file:${join(dir, 'list.db')}`, createLog('silent'));
  await database.ready();
  await database.close();
  expect(await look()).toEqual([{ check: 'database', ok: true, text: 'answers, undamaged, of this version' }]);
  writeFileSync(join(dir, 'text.db'), 'this is no database '.repeat(100));
  for (const [url, told] of [
    [`file:${join(dir, 'text.db')}`, 'DATABASE_INVALID: the file is no database, or a damaged one (SQLITE_NOTADB)'],
    ['postgres://hilum@127.0.0.1:9/x', 'DATABASE_UNREACHABLE: the database does not answer (ECONNREFUSED)'],
  ] as const)
    expect(await look({ list: { enabled: true, database: url } })).toEqual([
      { check: 'database', ok: false, text: `${told}: see list.database` },
    ]);
  expect(await look({ list: { enabled: false } })).toEqual([]);
});

test('folders that can not be written to are named, those of what this process keeps alone', async () => {
  const checks = async (more: object) => (await examineDisk(configOf(more))).filter(({ check }) => check !== 'disk');
  expect(await checks({})).toEqual([
    { check: 'state.dir', ok: true, text: `${dir} can be written to` },
    { check: 'audit.dir', ok: true, text: `${join(dir, 'audit')} can be written to` },
  ]);
  const file = join(dir, 'a file');
  writeFileSync(file, '');
  expect(await checks({ audit: { dir: file } })).toContainEqual({
    check: 'audit.dir',
    ok: false,
    text: `the folder ${file} can't be written to: it is no folder (ENOTDIR)`,
  });
  expect(await checks({ roles: ['worker'] })).toEqual([]);
});
