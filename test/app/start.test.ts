import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app/app';
import { Opened } from '../../src/app/opened';
import { createLog } from '../../src/base/log';
import { parseConfig } from '../../src/config/config';
import { recordingLog } from '../support/records/logs';

let dir: string;
let taken: Server;
let broker: Server;
const connections: Socket[] = [];
const portOf = (server: Server) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-start-'));
  taken = createServer().listen(0, '127.0.0.1');
  // Takes connections and says nothing: what does not let go of it stays alive.
  broker = createServer((socket) => void connections.push(socket)).listen(0, '127.0.0.1');
  await Promise.all([taken, broker].map((server) => new Promise((listening) => server.once('listening', listening))));
});
afterAll(() => {
  for (const socket of connections) socket.destroy();
  taken.close();
  broker.close();
  rmSync(dir, { recursive: true, force: true });
});

const settings = (port: number, more: object = {}) => ({
  roles: ['list', 'sinks'],
  archive: { url: 'http://127.0.0.1:9/dicom-web' },
  broker: { url: `amqp://127.0.0.1:${portOf(broker)}` },
  http: { port },
  state: { dir },
  list: { enabled: true },
  ...more,
});

test('a start that fails has closed broker, port and database, and writes no end into the trail', async () => {
  const log = recordingLog();
  const config = settings(portOf(taken), { access: { kind: 'local' } });
  const app = await createApp(parseConfig(config), log);
  await expect(app.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED', lasting: 'permanent' });
  expect(log.lines.map(({ fields }) => fields.event)).toEqual(
    expect.arrayContaining(['broker.stopped', 'service.stopped']),
  );
  const before = connections.length;
  await new Promise((wait) => setTimeout(wait, 1_500));
  expect(connections).toHaveLength(before);
  expect(() => readFileSync(join(dir, 'audit', 'audit.log'))).toThrow('ENOENT');
});

test('where a part can not be opened, those before it are closed again, the latest first', async () => {
  const closed: string[] = [];
  const opened = new Opened();
  expect(opened.add('a', async (part) => void closed.push(part))).toBe('a');
  opened.add(null, async () => void closed.push('none'));
  opened.add('b', () => Promise.reject(new Error('will not')));
  opened.add('c', async (part) => void closed.push(part));
  await opened.close();
  await opened.close();
  expect(closed).toEqual(['c', 'a']);
});

test('an application that can not be made leaves no connection to the broker', async () => {
  const wrong = { ...settings(0), access: { kind: 'local' }, roles: ['worker'], models: { dir: join(dir, 'none') } };
  await expect(createApp(parseConfig(wrong), createLog('silent'))).rejects.toMatchObject({
    code: expect.any(String) as string,
  });
  const before = connections.length;
  await new Promise((wait) => setTimeout(wait, 1_500));
  expect(connections).toHaveLength(before);
});
