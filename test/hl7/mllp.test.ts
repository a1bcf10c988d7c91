import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { HilumError } from '../../src/base/errors';
import { mllpClient, type MllpClient } from '../../src/hl7/mllp';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { controlIdOf } from '../../src/sinks/hl7/message';
import { hl7Sink } from '../../src/sinks/hl7/sink';
import { recordingLog } from '../support/records/logs';
import { RECORD, resultOf } from '../support/records/result-record';
import { until } from '../support/servers/servers';
import { parseUid } from '../../src/dicom/uid';

/** Answers that python-hl7's receiver (test/servers) never gives. */
let server: Server;
let answer: (socket: Socket, message: Buffer) => void;
let connections = 0;
let client: MllpClient;

beforeAll(async () => {
  server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.on('data', (chunk) => answer(socket, chunk));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
beforeEach(() => {
  connections = 0;
  const { port } = server.address() as AddressInfo;
  client = mllpClient({ host: '127.0.0.1', port, keepOpen: true, connectTimeoutMs: 5_000, ackTimeoutMs: 3_000 });
});
afterEach(() => client.close());
afterAll(() => void server.close());

const [VT, FS] = ['\x0b', '\x1c'];
const OPTIONS = hl7Schema.parse({ enabled: true, host: 'ris' });
const OTHER = { ...RECORD, key: parseUid('2.25.99') };
const [KEY, OTHER_KEY] = [controlIdOf(RECORD.key, 'short'), controlIdOf(OTHER.key, 'short')];
const ack = (code: string, id: string) => `MSH|^~\\&|RIS||HILUM||20260301||ACK|1|P|2.5.1\rMSA|${code}|${id}\r`;
const framed = (code: string, id: string, end = `${FS}\r`) => `${VT}${ack(code, id)}${end}`;

async function deliver(...pieces: string[]) {
  const log = recordingLog();
  answer = (socket) => {
    pieces.forEach((piece, index) => setTimeout(() => void socket.write(piece, 'latin1'), index * 60));
  };
  const sink = hl7Sink(client, OPTIONS, log);
  const outcome = await sink.deliver(resultOf(RECORD)).then(
    () => 'done',
    (error: unknown) => `${(error as HilumError).code}: ${(error as HilumError).message}`,
  );
  return { outcome, events: log.lines.map(({ fields }) => fields.event), sink, log };
}

test.each<[string, string[]]>([
  ['without carriage return', [framed('AA', KEY, FS)]],
  ['whose carriage return comes later', [framed('AA', KEY, FS), '\r']],
  ['with a line feed before and behind', [`\r\n${framed('AA', KEY)}\n`]],
  ['with padded MSA-2', [framed('AA', `  ${KEY} `)]],
  ['of commit and application acknowledgement in one packet', [framed('CA', KEY) + framed('AA', KEY)]],
  ['of both without carriage returns', [framed('CA', KEY, FS) + framed('AA', KEY, FS)]],
  ['of both, cut within the second', [framed('CA', KEY) + framed('AA', KEY).slice(0, 20), framed('AA', KEY).slice(20)]],
  ['of a commit acknowledgement alone', [framed('CA', KEY)]],
  ['and the beginning of what does not come', [`${framed('CA', KEY)}${VT}MSH`]],
])('an answer %s: done, on one connection', async (_, pieces) => {
  for (let n = 0; n < 2; n += 1) {
    expect(await deliver(...pieces)).toMatchObject({ outcome: 'done', events: [] });
    await new Promise((later) => setTimeout(later, 150));
  }
  if (!pieces[0]!.endsWith('MSH')) expect(connections).toBe(1);
});

test('an answer without MSA-2 is to the message sent last, and logged', async () => {
  expect(await deliver(framed('AA', ''))).toMatchObject({
    outcome: 'done',
    events: ['delivery.unnamed-acknowledgement'],
  });
});

test.each([
  ['an application error behind its commit', [framed('CA', KEY) + framed('AE', KEY)], /^RECEIVER_UNAVAILABLE: .*AE$/],
  ['a refusal behind its commit', [framed('CA', KEY, FS) + framed('AR', KEY, FS)], /^RECEIVER_REFUSED: .*AR$/],
  ['a refused commit', [framed('CR', KEY)], /^RECEIVER_REFUSED: .*CR$/],
  ['an answer to another message', [framed('AA', 'Doe')], /^RECEIVER_RESPONSE_INVALID: .*AA to another message/],
  ['a page', ['HTTP/1.1 400 Bad Request\r\n\r\n'], /^RECEIVER_RESPONSE_INVALID: .*an HTTP answer$/],
  ['a message without frame', [ack('AA', KEY)], /^RECEIVER_RESPONSE_INVALID: .*an HL7 message without a frame$/],
])('%s is named', async (_, pieces, expected) => {
  const { outcome } = await deliver(...pieces);
  expect(outcome).toMatch(expected);
  expect(outcome).not.toContain('Doe');
});

test('line ends without end hit the limit, while an answer is waited for and while none is', async () => {
  expect((await deliver('\r'.repeat(600_000), '\r'.repeat(600_000))).outcome).toMatch(/longer than 1048576 bytes/);
  const { outcome } = await deliver(framed('AA', KEY), '\r'.repeat(1_100_000));
  expect(outcome).toBe('done');
  const open = () => new Promise<number>((tell) => server.getConnections((_error, count) => tell(count)));
  await until('the client has closed the connection', async () => (await open()) === 0);
  const before = connections;
  expect((await deliver(framed('AA', KEY))).outcome).toBe('done');
  expect(connections).toBe(before + 1);
});

test('an application acknowledgement that comes late is passed over and logged', async () => {
  const { sink, log } = await deliver(framed('CA', KEY));
  answer = (socket) => void socket.write(framed('AE', KEY) + framed('AA', OTHER_KEY), 'latin1');
  await sink.deliver(resultOf(OTHER));
  expect(log.lines.map(({ fields }) => fields)).toMatchObject([
    { event: 'delivery.late-acknowledgement', codes: ['AE'] },
  ]);
  answer = (socket) => {
    socket.write(framed('AA', KEY), 'latin1');
    setTimeout(() => void socket.write(framed('AR', OTHER_KEY), 'latin1'), 60);
  };
  await expect(sink.deliver(resultOf(OTHER))).rejects.toMatchObject({ code: 'RECEIVER_REFUSED' });
});
