import { HilumError } from '../../src/base/errors';
import { acknowledgementsIn, readAck } from '../../src/hl7/acknowledgement';
import { listenMllp, type ConnectionProblem, type ListenerOptions, type MllpListener } from '../../src/hl7/listener';
import { networkSet } from '../../src/net/network';
import type { RisMessage, RisSender, TakenAs } from '../../src/ris/changes';
import { risSchema } from '../../src/ris/config';
import { createReceiver, type RisOutcome } from '../../src/ris/receiver';
import { framed, MllpSender, msaOf } from '../support/receivers/mllp-sender';
import { recordingLog } from '../support/records/logs';
import { order, PID, report, risMessage } from '../support/records/ris-message';
import { authority, type Authority } from '../support/servers/certificates';

let listener: MllpListener;
let senders: MllpSender[] = [];
let taken: RisMessage[];
let from: RisSender[];
let counted: string[];
let problems: string[];
let log: ReturnType<typeof recordingLog>;
let takeAs: () => Promise<TakenAs>;

beforeEach(() => {
  [senders, taken, from, counted, problems, log] = [[], [], [], [], [], recordingLog()];
  takeAs = () => Promise.resolve('applied');
});
afterEach(async () => {
  for (const sender of senders) sender.end();
  await listener.close(1_000);
});

async function listening(more: Partial<ListenerOptions> = {}, settings: object = {}): Promise<void> {
  const config = risSchema.parse(settings);
  const handle = createReceiver({
    store: {
      take: async (message, sender) => {
        const as = await takeAs();
        taken.push(message);
        from.push(sender);
        return as;
      },
    },
    config,
    timeZone: 'UTC',
    ownApplications: ['HILUM'],
    log,
    observer: { risMessage: (type: string, outcome: RisOutcome) => void counted.push(`${type} ${outcome}`) },
  });
  const options = { isAllowed: () => true, ...config.listener, ...more, port: 0 };
  listener = await listenMllp(options, handle, (problem: ConnectionProblem) => void problems.push(problem));
}

async function sender(tls?: Parameters<typeof MllpSender.connect>[1]): Promise<MllpSender> {
  const made = await MllpSender.connect(listener.port, tls);
  senders.push(made);
  return made;
}

test('original mode: acknowledged with its control ID, to whoever sent it, as our own sender reads it', async () => {
  await listening();
  const [answer] = await (await sender()).ask(report('A1', 'P1', {}, { 10: 'CTRL-1', 12: '2.3', 6: 'US' }));
  expect(readAck(Buffer.from(answer!), 'CTRL-1')).toMatchObject({ code: 'AA', controlId: 'CTRL-1' });
  expect(answer).toMatch(
    /^MSH\|\^~\\&\|HILUM\|US\|RIS\|HOSP\|\d{14}\+0000\|\|ACK\^R01\^ACK\|[0-9A-F]{20}\|P\|2\.3\|{6}UNICODE UTF-8\r/,
  );
  expect(taken).toHaveLength(1);
  expect(from).toEqual([{ application: 'RIS', facility: 'HOSP', address: '127.0.0.1' }]);
  expect(counted).toEqual(['ORU^R01 applied']);
});

test.each([
  ['AL', 'AL', ['CA', 'AA']],
  ['AL', 'NE', ['CA']],
  ['AL', '', ['CA']],
  ['NE', 'AL', ['AA']],
  ['', 'AL', ['AA']],
  ['ER', 'AL', ['AA']],
  ['SU', 'SU', ['CA', 'AA']],
  ['SU', 'ER', ['CA']],
  ['NE', 'NE', []],
])('enhanced mode, MSH-15 %j and MSH-16 %j, of what is taken: %j', async (commit, application, codes) => {
  await listening();
  const one = await sender();
  const answers = await one.ask(report('A1', 'P1', {}, { 10: 'C1', 15: commit, 16: application }), codes.length);
  // Whatever follows shows that there were no others.
  const [next] = await one.ask(report('A2', 'P1', {}, { 10: 'C2' }));
  expect(answers.map(msaOf)).toEqual(codes.map((code) => [code, 'C1']));
  expect(msaOf(next!)).toEqual(['AA', 'C2']);
  expect(new Set(answers.map((text) => text.split('|')[9])).size).toBe(codes.length);
});

test.each<[string, string, string, string[], string]>([
  ['a type that is not taken', risMessage('SIU^S12', { 10: 'X' }), 'AR', ['CR'], '200'],
  ['another event of a type', risMessage('ADT^A01', { 10: 'X' }), 'AR', ['CR'], '201'],
  ['a test message', report('A1', '', {}, { 10: 'X', 11: 'T' }), 'AR', ['CR'], '202'],
  ['another version', report('A1', '', {}, { 10: 'X', 12: '3.0' }), 'AR', ['CR'], '203'],
  ['no control ID', report('A1', '', {}, { 10: '' }), 'AR', ['CR'], '101'],
  ['a final report without accession number', report('', '', {}, { 10: 'X' }), 'AE', ['CA', 'AE'], '101'],
  ['a merge without MRG', risMessage('ADT^A40', { 10: 'X' }, PID('P1')), 'AE', ['CA', 'AE'], '100'],
])('%s: refused with its reason, in both modes', async (_what, message, original, enhanced, error) => {
  await listening();
  const one = await sender();
  const [plain] = await one.ask(message);
  const both = message.replace(/^(MSH.*)$/m, (line) => {
    const fields = line.split('|');
    return [...fields.slice(0, 14), 'AL', 'AL', ...fields.slice(16)].join('|');
  });
  const answers = await one.ask(both, enhanced.length);
  expect(acknowledgementsIn(Buffer.from(plain!))).toMatchObject([{ code: original, error }]);
  expect(plain).toMatch(/\rMSA\|\w\w\|X?\|[a-z].+\rERR\|\|\|\d+\^[^|]+\^HL70357\|E\|\|\|\|[a-z]/);
  expect(answers.map((text) => msaOf(text)[0])).toEqual(enhanced);
  expect(taken).toEqual([]);
  expect(log.lines.filter(({ fields }) => fields.event === 'ris.message-refused')).toHaveLength(2);
});

test('what is for nobody here is acknowledged: preliminary, without a priority, results of Hilum', async () => {
  await listening();
  const one = await sender();
  for (const message of [
    report('A1', '', { 25: 'P' }),
    order('A1', ''),
    report('A1', '', {}, { 3: 'HILUM' }),
    risMessage('ORU^R01', {}, ['OBR', { 18: 'A1', 25: 'C' }], ['OBX', { 3: 'priority^^99HILUM' }]),
  ])
    expect(msaOf((await one.ask(message))[0]!)[0]).toBe('AA');
  expect(taken).toEqual([]);
  expect(counted).toEqual(['ORU^R01 ignored', 'ORM^O01 ignored', 'ORU^R01 ignored', 'ORU^R01 ignored']);
});

test('the same message sent again has the same digest, also with another date; another one has another', async () => {
  await listening();
  const one = await sender();
  for (const message of [
    report('A1', 'P1', {}, { 10: 'C1' }),
    report('A1', 'P1', {}, { 10: 'C1', 7: '20260302130000' }),
    report('A2', 'P1', {}, { 10: 'C1' }),
    report('A1', 'P1', {}, { 10: 'C1', 3: 'OTHER' }),
    report('A1', 'P1', {}, { 10: 'C2' }),
  ])
    await one.ask(message);
  const [first, again, ...others] = taken.map(({ digest }) => digest);
  expect(again).toBe(first);
  expect(new Set([first, ...others]).size).toBe(4);
});

test('what can not be stored is not answered, the connection is closed, and it is logged once', async () => {
  await listening();
  takeAs = () => Promise.reject(new HilumError('DATABASE_UNREACHABLE', 'transient', 'away'));
  for (let i = 0; i < 3; i++) {
    const one = await sender();
    one.write(framed(report('A1', 'P1')));
    await one.closed;
    expect(one.answers).toEqual([]);
  }
  takeAs = () => Promise.resolve('kept');
  expect(msaOf((await (await sender()).ask(report('A1', 'P1')))[0]!)[0]).toBe('AA');
  const events = log.lines.map(({ fields }) => fields.event).filter((event) => event.startsWith('ris.messages'));
  expect(events).toEqual(['ris.messages-unanswered', 'ris.messages-taken-again']);
  expect(counted.filter((text) => text.endsWith('unanswered'))).toHaveLength(3);
});

test('a defect of ours is answered with AE: sent again it would hold up all behind it', async () => {
  await listening();
  takeAs = () => Promise.reject(new TypeError('P1 Doe'));
  expect(msaOf((await (await sender()).ask(report('A1', 'P1')))[0]!)[0]).toBe('AE');
  expect(log.lines.map(({ fields }) => fields.event)).toContain('ris.message-failed');
});

test('a value that the database never takes is answered with AE; a damaged database is not answered', async () => {
  await listening();
  takeAs = () => Promise.reject(new HilumError('DATABASE_REFUSED', 'permanent', 'the database does not take a value'));
  expect(msaOf((await (await sender()).ask(report('A1', 'P1')))[0]!)[0]).toBe('AE');
  expect(counted).toEqual(['ORU^R01 error']);
  takeAs = () => Promise.reject(new HilumError('DATABASE_INVALID', 'permanent', 'a damaged file'));
  const one = await sender();
  one.write(framed(report('A1', 'P1')));
  await one.closed;
  expect(one.answers).toEqual([]);
});

test('nothing about a patient is logged, whatever becomes of a message', async () => {
  await listening();
  const one = await sender();
  const secret = { 5: 'Secretname^Jane', 7: '19500203' };
  for (const message of [
    risMessage('ADT^A08', {}, PID('SECRET-1', secret)),
    risMessage('ADT^A01', {}, PID('SECRET-1', secret)),
    risMessage('ADT^A40', {}, PID('SECRET-1', secret)),
    report('', 'SECRET-1', {}, { 10: 'SECRET-CONTROL' }),
    'PID|1||SECRET-1||Secretname',
  ])
    await one.ask(message);
  takeAs = () => Promise.reject(new TypeError('SECRET'));
  await one.ask(risMessage('ADT^A08', {}, PID('SECRET-1', secret)));
  expect(JSON.stringify(log.lines)).not.toMatch(/secret/i);
  expect(one.answers.join('')).not.toMatch(/SECRET-1|Secretname/);
});

/** The listener ends while a message is in work. */
async function endsWithAnswer(connect: () => Promise<MllpSender>): Promise<void> {
  let release: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    takeAs = () => {
      resolve();
      return new Promise((done) => (release = () => done('applied')));
    };
  });
  const [busy, idle] = [await connect(), await connect()];
  busy.write(framed(report('A1', 'P1')) + framed(report('A2', 'P1')));
  await begun;
  const closed = listener.close(5_000);
  await idle.closed;
  release();
  await Promise.all([closed, busy.closed]);
  expect(busy.answers).toHaveLength(1);
  expect(taken).toHaveLength(1);
}

describe('on the wire', () => {
  test('several messages in one packet, and one in many, are answered in their order', async () => {
    await listening();
    const one = await sender();
    const texts = Array.from({ length: 20 }, (_, i) => framed(report(`A${i}`, 'P1', {}, { 10: `C${i}` })));
    one.write(texts.join(''));
    await one.until(20);
    for (const byte of framed(report('B', 'P1', {}, { 10: 'LAST' }))) one.write(byte);
    expect((await one.until(21)).map((text) => msaOf(text)[1])).toEqual([
      ...Array.from({ length: 20 }, (_, i) => `C${i}`),
      'LAST',
    ]);
  });

  test('a sender that ends its side behind its message is answered', async () => {
    await listening();
    const one = await sender();
    one.socket.end(framed(report('A1', 'P1')));
    await one.closed;
    expect(one.answers).toHaveLength(1);
  });

  test('too long: refused, and the next one is taken', async () => {
    await listening({ maxMessageBytes: 10_000 });
    const one = await sender();
    const long = report('A1', 'P1', {}, { 10: 'LONG' }) + `NTE|1||${'x'.repeat(50_000)}\r`;
    expect(msaOf((await one.ask(long))[0]!)).toEqual(['AR', 'LONG']);
    expect(msaOf((await one.ask(report('A1', 'P1', {}, { 10: 'C' })))[0]!)).toEqual(['AA', 'C']);
    expect(taken).toHaveLength(1);
  });

  test('no HL7 inside a frame is refused; no frame closes the connection', async () => {
    await listening();
    const one = await sender();
    expect(msaOf((await one.ask('hello'))[0]!)).toEqual(['AR', '']);
    one.write('GET / HTTP/1.1\r\n\r\n');
    await one.closed;
    const padded = await sender();
    padded.write(`${framed(report('A1', 'P1', {}, { 10: 'PADDED' }))}\0`);
    await padded.closed;
    expect(padded.answers.map((text) => msaOf(text))).toEqual([['AA', 'PADDED']]);
    expect(problems).toEqual(['no-frame', 'no-frame']);
  });

  test('addresses that may not connect, and more connections than there may be', async () => {
    await listening({ isAllowed: networkSet(['10.0.0.0/8']) });
    await (
      await sender()
    ).closed;
    expect(problems).toEqual(['address']);
    await listener.close(100);
    await listening({ maxConnections: 2 });
    const [first] = [await sender(), await sender()];
    await (
      await sender()
    ).closed;
    expect(problems).toEqual(['address', 'too-many']);
    first.end();
    for (let done = false; !done;) {
      const again = await sender();
      done = await again.ask(report('A1', 'P1')).then(
        () => true,
        () => false,
      );
    }
  });

  test('silence, and a message that does not end, close the connection', async () => {
    await listening({ idleTimeoutMs: 200 });
    await (
      await sender()
    ).closed;
    await listener.close(100);
    await listening({ messageTimeoutMs: 300 });
    const slow = await sender();
    const drip = setInterval(() => slow.write('x'), 50);
    slow.write('\x0bMSH');
    await slow.closed;
    clearInterval(drip);
    expect(problems).toEqual(['too-slow']);
  });

  test('when it ends, the message in hand is answered and nothing else is taken', async () => {
    await listening();
    await endsWithAnswer(sender);
  });

  test('senders by MSH-3 and MSH-4', async () => {
    const applications = [{ application: 'RIS', facility: 'HOSP' }, { application: 'ADT' }];
    await listening({}, { listener: { applications } });
    const one = await sender();
    const codeOf = async (application: string, facility: string) =>
      msaOf((await one.ask(report('A1', 'P1', {}, { 3: application, 4: facility })))[0]!)[0];
    expect([
      await codeOf('RIS^1.2^ISO', 'HOSP'),
      await codeOf('RIS', 'ELSEWHERE'),
      await codeOf('ADT', 'ELSEWHERE'),
      await codeOf('OTHER', 'HOSP'),
    ]).toEqual(['AA', 'AR', 'AA', 'AR']);
  });
});

describe('TLS', () => {
  let certificates: Authority;
  beforeAll(() => void (certificates = authority()));
  afterAll(() => certificates.remove());

  test('with a client certificate of the authority; without one, and in the clear, nothing is taken', async () => {
    const { ca, good, caFile } = certificates;
    await listening({ tls: { certFile: good.certFile, keyFile: good.keyFile, caFile } });
    const one = await sender({ ca, cert: good.cert, key: good.key });
    expect(msaOf((await one.ask(report('A1', 'P1')))[0]!)[0]).toBe('AA');
    const without = await sender({ ca }).catch(() => null);
    without?.write(framed(report('A2', 'P1')));
    await without?.closed;
    const plain = await sender();
    plain.write(framed(report('A3', 'P1')));
    await plain.closed;
    expect(taken).toHaveLength(1);
    expect(problems).toEqual(['tls', 'tls']);
  });

  test('when it ends, the message in hand is answered', async () => {
    const { ca, good, caFile } = certificates;
    await listening({ tls: { certFile: good.certFile, keyFile: good.keyFile, caFile } });
    await endsWithAnswer(() => sender({ ca, cert: good.cert, key: good.key }));
  });

  test('what is no certificate is named', async () => {
    await listening();
    const tls = { certFile: certificates.good.keyFile, keyFile: certificates.good.keyFile };
    const options = { ...risSchema.parse({}).listener, port: 0, isAllowed: () => true, tls };
    await expect(
      listenMllp(
        options,
        () => Promise.resolve([]),
        () => {},
      ),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('ris.listener.tls') as string,
    });
    await expect(
      listenMllp(
        { ...options, tls: undefined, port: listener.port },
        () => Promise.resolve([]),
        () => {},
      ),
    ).rejects.toMatchObject({ code: 'LISTEN_FAILED', message: expect.stringContaining('ris.listener.port') as string });
  });
});
