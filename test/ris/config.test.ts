import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../src/config/config';
import { RIS_OUTCOMES } from '../../src/ris/receiver';

const MINIMAL = { archive: { url: 'http://localhost:8042/dicom-web' }, broker: { url: 'amqp://localhost' } };
const tls = { certFile: 'cert.pem', keyFile: 'key.pem' };
const caFile = 'ca.pem';
const parse = (listener: object, more: object = { list: { enabled: true } }) =>
  parseConfig({ ...MINIMAL, ...more, ris: { listener: { enabled: true, ...listener } } });

test('off by default, and on loopback it needs nothing but the list', () => {
  expect(parseConfig(MINIMAL).ris.listener.enabled).toBe(false);
  expect(parse({}).ris.listener).toMatchObject({ host: '127.0.0.1', port: 2575, allowPlaintext: false });
  expect(() => parse({}, {})).toThrow('ris.listener.enabled: needs list.enabled');
});

test.each<[string, object, string[]]>([
  ['nothing else', {}, ['ris.listener.tls: without TLS', 'ris.listener.addresses: outside loopback']],
  ['TLS for anybody', { tls }, ['ris.listener.addresses: outside loopback']],
  ['addresses in the clear', { addresses: ['10.1.2.3'] }, ['ris.listener.tls: without TLS']],
  ['in the clear for anybody', { allowPlaintext: true }, ['ris.listener.addresses: outside loopback']],
  ['TLS with client certificates', { tls: { ...tls, caFile } }, []],
  ['TLS and addresses', { tls, addresses: ['10.1.2.0/24', 'fd00::/8'] }, []],
  ['in the clear, allowed, for some addresses', { allowPlaintext: true, addresses: ['10.1.2.3'] }, []],
])('outside loopback: %s', (_what, listener, problems) => {
  const of = () => parse({ host: '0.0.0.0', ...listener });
  if (problems.length === 0) expect(of).not.toThrow();
  for (const problem of problems) expect(of).toThrow(problem);
});

test.each([
  [{ addresses: ['ris.hospital'] }, 'ris.listener.addresses.0'],
  [{ tls: { certFile: 'cert.pem' } }, 'ris.listener.tls.keyFile'],
  [{ maxMessageBytes: 1 }, 'ris.listener.maxMessageBytes'],
  [{ applications: [{ facility: 'X' }] }, 'ris.listener.applications.0.application'],
])('%j is refused', (listener, problem) => expect(() => parse(listener)).toThrow(problem));

test('docs/ris.md lists what may become of a message', () => {
  const page = readFileSync(join(__dirname, '../../docs/ris.md'), 'utf8');
  const table = page.slice(page.indexOf('| outcome | meaning |'));
  expect([...table.matchAll(/^\| `([\w-]+)` \|/gm)].map((match) => match[1])).toEqual([...RIS_OUTCOMES]);
});
