import addFormats from 'ajv-formats';
import Ajv2020 from 'ajv/dist/2020';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { retryAfterOf } from '../../src/queue/retry-policy';
import { WebhookClient } from '../../src/sinks/webhook/client';
import { webhookHeaders, webhookMessage } from '../../src/sinks/webhook/message';
import { type WebhookSettings, webhookSink } from '../../src/sinks/webhook/sink';
import { RECORD, RESULT, resultOf } from '../support/records/result-record';
import { authority, type Authority } from '../support/servers/certificates';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const SETTINGS: WebhookSettings = { when: 'urgent', includePatient: false, secret: SECRET };

interface Posted {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const posted: Posted[] = [];
let answer: (response: ServerResponse) => void;
let server: Server;
let tlsServer: TlsServer;
let ca: Authority;

beforeAll(async () => {
  ca = authority();
  const listen = async (opened: Server | TlsServer) => {
    opened.on('request', (request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => void (body += piece.toString('utf8')));
      request.on('end', () => {
        posted.push({ method: request.method ?? '', headers: request.headers, body });
        answer(response);
      });
    });
    await new Promise<void>((done) => opened.listen(0, '127.0.0.1', done));
  };
  await listen((server = createServer()));
  await listen((tlsServer = createTlsServer({ cert: ca.good.cert, key: ca.good.key })));
});
beforeEach(() => {
  posted.length = 0;
  answer = (response) => response.writeHead(204).end();
});
afterAll(() => {
  for (const opened of [server, tlsServer]) {
    opened.closeAllConnections();
    opened.close();
  }
  ca.remove();
});

const urlOf = (opened: Server | TlsServer, scheme = 'http') =>
  `${scheme}://127.0.0.1:${(opened.address() as AddressInfo).port}/hook`;

async function deliver(
  options: Partial<ConstructorParameters<typeof WebhookClient>[0]> = {},
  settings: Partial<WebhookSettings> = {},
  record = RECORD,
): Promise<void> {
  const sink = webhookSink(new WebhookClient({ url: urlOf(server), ...options }), { ...SETTINGS, ...settings });
  try {
    await sink.deliver(resultOf(record));
  } finally {
    await sink.close();
  }
}

const schema = new Ajv2020({ strict: true, allowUnionTypes: true });
addFormats(schema);
const isValid = schema.compile(
  JSON.parse(readFileSync(join(resolve(__dirname, '../../docs/schemas'), 'webhook.v1.json'), 'utf8')) as object,
);

test('the example of the Standard Webhooks specification', () => {
  const headers = webhookHeaders(
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    1614265330,
    '{"test": 2432232314}',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  );
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test.each([false, true])('the message is as its schema says, with patient: %s', (includePatient) => {
  const message = webhookMessage(RECORD, includePatient);
  expect([isValid(message), isValid.errors]).toEqual([true, null]);
  const text = JSON.stringify(message);
  const words = ['Müller', RECORD.patient.PatientID, RECORD.patient.PatientBirthDate, RECORD.order.AccessionNumber];
  for (const word of words) expect(text.includes(word)).toBe(includePatient);
  expect(text).not.toMatch(/"[^"]*normal/i);
});

test("it passes the reference library's verification, and nothing else does", async () => {
  await deliver();
  const [{ method, headers, body }] = posted as [Posted];
  expect({ method, type: headers['content-type'], id: headers['webhook-id'] }).toEqual({
    method: 'POST',
    type: 'application/json',
    id: RECORD.key,
  });
  const verifier = new Webhook(SECRET);
  expect(verifier.verify(body, headers as Record<string, string>)).toEqual(JSON.parse(body));
  expect(() => verifier.verify(body.replace('0.93', '0.13'), headers as Record<string, string>)).toThrow();
  expect(() => verifier.verify(body, { ...(headers as Record<string, string>), 'webhook-id': 'other' })).toThrow();
  expect(() =>
    new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`).verify(body, headers as Record<string, string>),
  ).toThrow();
});

test('a repetition has the same id and body', async () => {
  await deliver();
  await deliver();
  expect(posted[1]!.headers['webhook-id']).toBe(posted[0]!.headers['webhook-id']);
  expect(posted[1]!.body).toBe(posted[0]!.body);
});

test.each([
  ['urgent', 'urgent', true],
  ['urgent', 'routine', false],
  ['urgent', null, false],
  ['all', 'routine', true],
  ['all', null, true],
] as const)('a site that wants %s and a result of priority %s: %s', async (when, priority, expected) => {
  expect(
    webhookSink(new WebhookClient({ url: urlOf(server) }), { ...SETTINGS, when }).wants({ ...RESULT, priority }),
  ).toBe(expected);
  await deliver({}, { when }, { ...RECORD, priority });
  expect(posted).toHaveLength(expected ? 1 : 0);
});

test.each([
  [200, null, ''],
  [202, null, ''],
  [301, 'RECEIVER_REFUSED', 'permanent'],
  [307, 'RECEIVER_REFUSED', 'permanent'],
  [400, 'RECEIVER_REFUSED', 'permanent'],
  [401, 'RECEIVER_UNAUTHORISED', 'permanent'],
  [403, 'RECEIVER_UNAUTHORISED', 'permanent'],
  [404, 'RECEIVER_REFUSED', 'permanent'],
  [410, 'RECEIVER_REFUSED', 'permanent'],
  [408, 'RECEIVER_UNAVAILABLE', 'transient'],
  [429, 'RECEIVER_UNAVAILABLE', 'transient'],
  [500, 'RECEIVER_UNAVAILABLE', 'transient'],
  [503, 'RECEIVER_UNAVAILABLE', 'transient'],
])('HTTP %d: %s', async (status, code, lasting) => {
  answer = (response) => response.writeHead(status, { 'retry-after': '17', location: '/elsewhere' }).end();
  const error: unknown = await deliver().then(
    () => null,
    (caught: unknown) => caught,
  );
  if (code === null) expect(error).toBeNull();
  else expect(error).toMatchObject({ code, lasting });
  if (lasting === 'transient') expect(retryAfterOf(error)).toBe(17_000);
  expect(posted).toHaveLength(1);
});

test('no answer, a cut, nobody there', async () => {
  answer = () => {};
  await expect(deliver({ responseTimeoutMs: 200 })).rejects.toMatchObject({
    code: 'RECEIVER_TIMEOUT',
    lasting: 'transient',
  });
  answer = (response) => void response.socket?.destroy();
  await expect(deliver()).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE', lasting: 'transient' });
  await expect(deliver({ url: 'http://127.0.0.1:9/' })).rejects.toMatchObject({
    code: 'RECEIVER_UNREACHABLE',
    lasting: 'transient',
  });
});

test('TLS: the authority of the site is trusted, no other', async () => {
  const url = urlOf(tlsServer, 'https');
  await expect(deliver({ url })).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE' });
  expect(posted).toEqual([]);
  await deliver({ url, tls: { caFile: ca.caFile } });
  expect(posted).toHaveLength(1);
});

test('the doctor asks by HEAD; a receiver that takes POST only is well', async () => {
  const client = new WebhookClient({ url: urlOf(server), auth: { kind: 'bearer', token: 't' } });
  answer = (response) => response.writeHead(405).end();
  await client.probe();
  expect(posted).toMatchObject([{ method: 'HEAD', headers: { authorization: 'Bearer t' } }]);
  answer = (response) => response.writeHead(403).end();
  await expect(client.probe()).rejects.toMatchObject({ code: 'RECEIVER_UNAUTHORISED' });
  await client.close();
});
