import { knownSinks, openSinks, sinksOn } from '../../src/app/deliveries';
import { parseConfig } from '../../src/config/config';

const MINIMAL = { archive: { url: 'http://localhost:8042/dicom-web' }, broker: { url: 'amqp://localhost' } };
const ALL = {
  ups: { enabled: true, url: 'http://ups/rs' },
  metadata: { enabled: true, url: 'http://orthanc:8042' },
  dicom: { enabled: true, url: 'http://127.0.0.1:9', modality: 'pacs' },
  webhook: { enabled: true, url: 'https://hook/', secret: `whsec_${Buffer.alloc(32).toString('base64')}` },
  email: { enabled: true, host: 'mail', from: 'a@b.example', to: ['c@d.example'] },
};

test('nothing is delivered by default', () => {
  const config = parseConfig(MINIMAL);
  expect(openSinks(config)).toEqual([]);
});

test('what is switched on is opened, and can be probed', async () => {
  const config = parseConfig({ ...MINIMAL, deliveries: ALL });
  const sinks = openSinks(config);
  expect(sinks.map(({ name }) => name)).toEqual(['ups', 'metadata', 'dicom', 'webhook', 'email']);
  expect(sinksOn(config)).toEqual(expect.arrayContaining(['ups', 'metadata', 'dicom', 'webhook', 'email']));
  expect(sinks.every(({ probe }) => probe !== undefined)).toBe(true);
  for (const sink of sinks) await sink.close?.();
});

test.each(['ups', 'metadata', 'dicom', 'webhook', 'email'] as const)(
  'a TLS file of %s that is not there is named',
  (name) => {
    const config = parseConfig({
      ...MINIMAL,
      deliveries: { [name]: { ...ALL[name], tls: { caFile: '/nowhere/ca.pem' } } },
    });
    expect(() => openSinks(config)).toThrow(/\/nowhere\/ca\.pem/);
  },
);

test('several of one kind are opened by their names; queues are looked for by all names', async () => {
  const webhook = [
    { ...ALL.webhook, name: 'his' },
    { ...ALL.webhook, name: 'ris' },
    { name: 'old', enabled: false },
  ];
  const config = parseConfig({ ...MINIMAL, deliveries: { webhook, email: ALL.email }, list: { enabled: true } });
  const sinks = openSinks(config);
  expect(sinks.map(({ name }) => name)).toEqual(['webhook.his', 'webhook.ris', 'email']);
  expect(sinksOn(config)).toEqual(['list', 'webhook.his', 'webhook.ris', 'email']);
  expect(knownSinks(config)).toEqual([
    ...['list', 'hl7', 'fhir', 'ups', 'metadata', 'dicom', 'webhook', 'email'],
    ...['webhook.his', 'webhook.ris', 'webhook.old'],
  ]);
  for (const sink of sinks) await sink.close?.();
});
