import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examineArchive } from '../../src/app/doctor/archive';
import { examine } from '../../src/app/doctor/doctor';
import { parseConfig } from '../../src/config/config';

const methods: string[] = [];
/** An empty archive whose account may not store. */
const server: Server = createServer((request, response) => {
  methods.push(request.method ?? '');
  request.resume();
  if (request.method === 'POST') response.writeHead(403).end();
  else response.writeHead(200, { 'content-type': 'application/dicom+json' }).end('[]');
});
beforeAll(() => new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening)));
afterAll(() => server.close());
beforeEach(() => void methods.splice(0));

const examined = async (settings: object) => {
  const { port } = server.address() as AddressInfo;
  const results = await examineArchive(
    parseConfig({
      archive: { url: `http://127.0.0.1:${port}/dicom-web` },
      broker: { url: 'amqp://localhost' },
      ...settings,
    }),
  );
  return results.find(({ check }) => check === 'archive: store');
};

test('a worker without the right to store is told', async () => {
  expect(await examined({})).toMatchObject({ ok: false, text: expect.stringContaining('the rights of that user') });
  expect(methods).toContain('POST');
});

test.each([
  ['in shadow mode', { results: { mode: 'shadow' } }],
  ['that is no worker', { roles: ['sinks'] }],
])('a process %s needs no right to store, and does not try it', async (_name, settings) => {
  expect(await examined(settings)).toEqual({
    check: 'archive: store',
    ok: true,
    text: 'not tried: this process stores nothing',
  });
  expect(methods).not.toContain('POST');
});

test('a file of authorities that is missing is told, and ends no other check', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-doctor-'));
  const file = join(dir, 'hilum.yaml');
  const archive = { url: 'https://127.0.0.1:9/dicom-web', tls: { caFile: 'missing.pem' } };
  const rest = { broker: { url: 'amqp://127.0.0.1:9' }, roles: ['sinks'], state: { dir: 'state' } };
  writeFileSync(file, JSON.stringify({ archive, ...rest }));
  try {
    const results = await examine(file);
    expect(results.filter(({ ok, check }) => !ok && check === 'configuration')).toMatchObject([
      { text: expect.stringContaining(`the TLS file ${join(dir, 'missing.pem')} can't be read`) as string },
    ]);
    expect(results.map(({ check }) => check)).toEqual(expect.arrayContaining(['broker', 'disk', 'access', 'port']));
  } finally {
    rmSync(dir, { recursive: true });
  }
});
