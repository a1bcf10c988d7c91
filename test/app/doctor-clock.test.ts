import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { examineClock, examineDatabaseClock } from '../../src/app/doctor/clock';
import { parseConfig } from '../../src/config/config';

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => server.close());

const examined = async () => {
  const { port } = server.address() as AddressInfo;
  const config = parseConfig({
    archive: { url: `http://127.0.0.1:${port}/dicom-web` },
    broker: { url: 'amqp://localhost' },
  });
  return (await examineClock(config))[0]!;
};
const HOUR_MS = 3_600_000;

test.each([
  ['within a minute', 20_000, { ok: true, text: 'agrees with the archive within a minute' }],
  [
    'an hour behind us',
    -HOUR_MS,
    { ok: false, text: expect.stringMatching(/^36\d\d s ahead of the archive/) as string },
  ],
  [
    'an hour ahead of us',
    HOUR_MS,
    { ok: false, text: expect.stringMatching(/^3[56]\d\d s behind the archive/) as string },
  ],
])('an archive whose answers have a date, %s', async (_, offset, expected) => {
  for (const status of [200, 204, 404, 500]) {
    answer = (_request, response) =>
      response.writeHead(status, { date: new Date(Date.now() + offset).toUTCString() }).end(status === 200 ? '[]' : '');
    expect(await examined()).toMatchObject({ check: 'clock', ...expected });
  }
});

test('an Orthanc, whose answers have no date, is asked for its time', async () => {
  answer = ({ url }, response) => {
    response.sendDate = false;
    const late = new Date(Date.now() - HOUR_MS).toISOString().replace(/[-:]|\..*/g, '');
    response.writeHead(200).end(url === '/tools/now' ? late : '[]');
  };
  expect(await examined()).toMatchObject({
    ok: false,
    text: expect.stringContaining('ahead of the archive') as string,
  });
});

test('any other archive without a date is not compared, whatever it answers', async () => {
  for (const body of ['<html>a page</html>', 'x'.repeat(10_000), '20261399T999999']) {
    answer = (_request, response) => {
      response.sendDate = false;
      response.writeHead(200).end(body);
    };
    expect(await examined()).toEqual({
      check: 'clock',
      ok: true,
      text: 'not compared: the archive does not tell its time',
    });
  }
});

test('a list that is off, or in a file, has no clock of its own', async () => {
  const config = (list: object) =>
    parseConfig({ archive: { url: 'http://localhost/' }, broker: { url: 'amqp://localhost' }, list });
  expect(await examineDatabaseClock(config({}))).toEqual([]);
  expect(await examineDatabaseClock(config({ enabled: true, database: 'file:list.db' }))).toEqual([]);
  expect(await examineDatabaseClock(config({ enabled: true, database: 'postgres://127.0.0.1:9/x' }))).toEqual([
    { check: 'clock: database', ok: true, text: 'not compared: the database does not answer' },
  ]);
});
