import { SmtpClient, type SmtpOptions } from '../../src/sinks/email/client';
import { emailMessage } from '../../src/sinks/email/message';
import { type SmtpBehaviour, SmtpServer } from '../support/receivers/smtp-server';
import { RECORD } from '../support/records/result-record';
import { authority, type Authority } from '../support/servers/certificates';

const MESSAGE = emailMessage(RECORD, { from: 'hilum@hospital.example', includePatient: true });
let ca: Authority;
let server: SmtpServer | undefined;

beforeAll(() => void (ca = authority()));
afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(() => ca.remove());

async function send(behaviour: SmtpBehaviour = {}, options: Partial<SmtpOptions> = {}, times = 1): Promise<void> {
  server ??= await SmtpServer.open(behaviour);
  const client = new SmtpClient({
    host: '127.0.0.1',
    port: server.port,
    security: 'none',
    from: 'hilum@hospital.example',
    to: ['reader@hospital.example'],
    timeoutMs: 5_000,
    ...options,
  });
  try {
    for (let time = 0; time < times; time++) await client.send(MESSAGE);
  } finally {
    await client.close();
  }
}

const tls = () => ({ cert: ca.good.certFile, key: ca.good.keyFile });
const trusting = () => ({ tls: { caFile: ca.caFile } });

test('a plain text arrives, and its repetition under the same Message-ID', async () => {
  await send({}, {}, 2);
  const [mail, again] = await server!.received(2);
  expect(mail).toMatchObject({ from: 'hilum@hospital.example', to: ['reader@hospital.example'], tls: false });
  expect(mail!.content).toMatch(
    new RegExp(`^Message-ID: <${RECORD.key.replaceAll('.', '\\.')}@hospital\\.example>\r?$`, 'm'),
  );
  expect(mail!.content).toMatch(/^Subject: Hilum: a chest film wants to be read soon\r?$/m);
  expect(mail!.content).toMatch(/^Content-Type: text\/plain; charset=utf-8\r?$/m);
  expect(mail!.content).toMatch(/^Auto-Submitted: auto-generated\r?$/m);
  expect(mail!.content).toMatch(/^Date: Sun, 01 Mar 2026 10:15:42 \+0000\r?$/m);
  expect(mail!.content).toContain('Research use only - not for diagnosis. Unverified.');
  expect(again!.content).toBe(mail!.content);
});

test('STARTTLS and a sign-in', async () => {
  await send({ ...tls(), auth: true }, { security: 'starttls', ...trusting(), username: 'hilum', password: 'secret' });
  expect(await server!.received(1)).toMatchObject([{ tls: true, user: 'hilum' }]);
});

test('TLS from the first byte', async () => {
  await send({ ...tls(), security: 'implicit' }, { security: 'implicit', ...trusting() });
  expect(await server!.received(1)).toHaveLength(1);
});

test.each<[string, () => SmtpBehaviour, () => Partial<SmtpOptions>, string, string]>([
  ['a certificate that is not trusted', tls, () => ({ security: 'starttls' }), 'RECEIVER_UNREACHABLE', 'transient'],
  [
    'a server without STARTTLS where it is wanted',
    () => ({}),
    () => ({ security: 'starttls' }),
    'RECEIVER_UNREACHABLE',
    'transient',
  ],
  [
    'a wrong password',
    () => ({ ...tls(), auth: true }),
    () => ({ security: 'starttls', ...trusting(), username: 'hilum', password: 'wrong' }),
    'RECEIVER_UNAUTHORISED',
    'permanent',
  ],
  [
    'no password where one is wanted',
    () => ({ ...tls(), auth: true }),
    () => ({ security: 'starttls', ...trusting() }),
    'RECEIVER_UNAUTHORISED',
    'permanent',
  ],
  ['451 to MAIL', () => ({ mail: '451 try again' }), () => ({}), 'RECEIVER_UNAVAILABLE', 'transient'],
  ['550 to MAIL', () => ({ mail: '550 no' }), () => ({}), 'RECEIVER_REFUSED', 'permanent'],
  [
    '450 to the only recipient',
    () => ({ rcpt: { 'reader@hospital.example': '450 greylisted' } }),
    () => ({}),
    'RECEIVER_UNAVAILABLE',
    'transient',
  ],
  [
    '550 to one of two recipients',
    () => ({ rcpt: { 'b@x.example': '550 no such user' } }),
    () => ({ to: ['a@x.example', 'b@x.example'] }),
    'RECEIVER_REFUSED',
    'permanent',
  ],
  [
    '550 to one of three recipients, 451 to another',
    () => ({ rcpt: { 'a@x.example': '550 no such user', 'b@x.example': '451 greylisted' } }),
    () => ({ to: ['a@x.example', 'b@x.example', 'c@x.example'] }),
    'RECEIVER_UNAVAILABLE',
    'transient',
  ],
  ['452 to the message', () => ({ data: '452 disk full' }), () => ({}), 'RECEIVER_UNAVAILABLE', 'transient'],
  ['554 to the message', () => ({ data: '554 no' }), () => ({}), 'RECEIVER_REFUSED', 'permanent'],
  ['no answer', () => ({ hangAtMail: true }), () => ({ timeoutMs: 500 }), 'RECEIVER_TIMEOUT', 'transient'],
  ['a cut after the message', () => ({ cutAfterData: true }), () => ({}), 'RECEIVER_UNREACHABLE', 'transient'],
])('%s', async (_name, behaviour, options, code, lasting) => {
  await expect(send(behaviour(), options())).rejects.toMatchObject({ code, lasting });
});

test('the others have the message when one recipient was refused', async () => {
  await expect(
    send({ rcpt: { 'b@x.example': '550 no' } }, { to: ['a@x.example', 'b@x.example'] }),
  ).rejects.toMatchObject({ code: 'RECEIVER_REFUSED' });
  expect((await server!.received(1)).map(({ to }) => to)).toEqual([['a@x.example']]);
});

test('nobody there', async () => {
  await expect(send({}, { port: 9 })).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE', lasting: 'transient' });
});

test('the doctor signs in and sends nothing', async () => {
  server = await SmtpServer.open({ ...tls(), auth: true });
  const options = {
    host: '127.0.0.1',
    port: server.port,
    security: 'starttls',
    ...trusting(),
    from: 'a@b.example',
    to: ['c@d.example'],
    timeoutMs: 5_000,
    username: 'hilum',
  } as const;
  const client = new SmtpClient({ ...options, password: 'secret' });
  await client.probe();
  const other = new SmtpClient({ ...options, password: 'wrong' });
  await expect(other.probe()).rejects.toMatchObject({ code: 'RECEIVER_UNAUTHORISED' });
  await client.send(MESSAGE);
  await Promise.all([client.close(), other.close()]);
  expect(await server.received(1)).toHaveLength(1);
});
