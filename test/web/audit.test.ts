import { execFileSync, spawnSync } from 'node:child_process';
import fs, {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { AuditEvent } from '../../src/web/access/audit-event';
import { messagesOf, type SystemEvent } from '../../src/web/audit/events';
import { auditXml } from '../../src/web/audit/message';
import { connectSyslog, syslogFrame } from '../../src/web/audit/syslog';
import { AuditTrail } from '../../src/web/audit/trail';
import { recordingLog } from '../support/records/logs';
import { authority } from '../support/servers/certificates';

const XSD = join(__dirname, '../support/web/audit-message.xsd');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-audit-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const ACTOR = { id: 'local:a"b', name: 'Ärztin <A> & \u0000\ud800', roles: ['radiologist'], address: '10.0.0.7' };
const SOURCE = { id: 'hilum', siteId: 'St. Elsewhere' };
const AT = new Date('2026-03-01T12:00:00.123Z');
const STUDIES = [
  { studyInstanceUid: '1.2.3', patientId: 'P1', accessionNumber: 'A&1' },
  { studyInstanceUid: '1.2.4', patientId: 'P1' },
  { studyInstanceUid: '1.2.5', patientId: null },
];
const EVENTS: readonly (AuditEvent | SystemEvent)[] = [
  { kind: 'study-read', studies: STUDIES },
  { kind: 'study-created', studies: STUDIES.slice(0, 1) },
  { kind: 'study-updated', studies: STUDIES.slice(0, 1) },
  { kind: 'query', query: 'patient=<x>&\u0001', studies: STUDIES },
  { kind: 'export', studies: STUDIES, destination: '/api/verdicts.csv' },
  { kind: 'restricted-function', what: 'dead letter replayed', studies: STUDIES.slice(0, 1) },
  { kind: 'start' },
  { kind: 'stop' },
  { kind: 'sign-in', outcome: 'success' },
  { kind: 'sign-in', outcome: 'failure', why: 'wrong <password>' },
  { kind: 'sign-in', outcome: 'locked' },
  { kind: 'sign-out', outcome: 'success' },
  { kind: 'refused', what: 'GET /api/studies' },
  { kind: 'account', what: 'roles changed', account: 'x', isRoleChange: true },
];
const xmlOf = (event: AuditEvent | SystemEvent) => messagesOf(event, ACTOR, SOURCE, AT).map(auditXml);

const validate = (xml: string) => {
  writeFileSync(join(dir, 'message.xml'), xml);
  return spawnSync('xmllint', ['--noout', '--schema', XSD, join(dir, 'message.xml')], { encoding: 'utf8' });
};

test.each(EVENTS)('$kind is valid by the schema of PS3.15 A.5.1, on one line, whatever somebody typed', (event) => {
  const messages = xmlOf(event);
  expect(messages.length).toBeGreaterThan(0);
  for (const xml of messages) {
    const { status, stderr } = validate(xml);
    expect([status, stderr.includes('validates')]).toEqual([0, true]);
    expect(xml).not.toContain('\n');
  }
});

test('the schema refuses what it should', () => {
  const [xml] = xmlOf(EVENTS[0]!) as [string];
  for (const [from, to] of [
    [' UserIsRequestor="true"', ''],
    ['EventOutcomeIndicator="0"', 'EventOutcomeIndicator="1"'],
    [' csd-code="110103"', ''],
    ['<AuditSourceIdentification', '<Other'],
    [/<ParticipantObjectName>.*?<\/ParticipantObjectName>/, ''],
  ] as const) {
    const broken = xml.replace(from, to);
    expect(broken).not.toBe(xml);
    expect(validate(broken).status).not.toBe(0);
  }
});

test("the Standard's mandatory fields: event, action, type, one patient in each message of accessed instances", () => {
  const [read, unknown] = xmlOf(EVENTS[0]!) as [string, string];
  expect(read).toContain(
    '<EventIdentification EventActionCode="R" EventDateTime="2026-03-01T12:00:00.123Z" EventOutcomeIndicator="0">' +
      '<EventID csd-code="110103" codeSystemName="DCM" originalText="DICOM Instances Accessed"/>',
  );
  expect(read.match(/csd-code="110180"/g)).toHaveLength(2);
  expect(
    read.match(/ParticipantObjectID="P1" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"/g),
  ).toHaveLength(1);
  expect([read.includes('1.2.5'), unknown.includes('1.2.5'), unknown.includes('ParticipantObjectID=""')]).toEqual([
    false,
    true,
    true,
  ]);
  expect(read).toContain('NetworkAccessPointID="10.0.0.7" NetworkAccessPointTypeCode="2"');
  const codes = Object.fromEntries(
    EVENTS.map((event) => [
      `${event.kind}${'outcome' in event ? ` ${event.outcome}` : ''}`,
      [
        ...xmlOf(event)[0]!.matchAll(
          /<Event(?:ID|TypeCode) csd-code="(\d+)"|EventActionCode="(.)"|EventOutcomeIndicator="(\d+)"/g,
        ),
      ]
        .map((match) => match[1] ?? match[2] ?? match[3])
        .join(' '),
    ]),
  );
  expect(codes).toEqual({
    'study-read': 'R 0 110103',
    'study-created': 'C 0 110103',
    'study-updated': 'U 0 110103',
    query: 'E 0 110112',
    export: 'R 0 110106',
    'restricted-function': 'E 0 110113 110132',
    start: 'E 0 110100 110120',
    stop: 'E 0 110100 110121',
    'sign-in success': 'E 0 110114 110122',
    'sign-in failure': 'E 4 110114 110122',
    'sign-in locked': 'E 8 110114 110122',
    'sign-out success': 'E 0 110114 110123',
    refused: 'E 8 110113 110132',
    account: 'E 0 110113 110136',
  });
});

describe('the file', () => {
  test('is only appended to, begins anew at its size, keeps the old ones, and nobody else may read it', async () => {
    const trail = new AuditTrail({ dir: join(dir, 'audit'), maxFileBytes: 100 }, null);
    await Promise.all(Array.from({ length: 5 }, (_, i) => trail.write(`<first${i}/>`, AT)));
    await trail.write(`<${'x'.repeat(100)}/>`, AT);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await trail.write('<last/>', AT);
    await trail.close();
    const names = readdirSync(join(dir, 'audit')).sort();
    expect(names).toHaveLength(2);
    expect(names[1]).toBe('audit.log');
    const text = names.map((name) => readFileSync(join(dir, 'audit', name), 'utf8')).join('');
    expect(text).toBe(`${[0, 1, 2, 3, 4].map((i) => `<first${i}/>\n`).join('')}<${'x'.repeat(100)}/>\n<last/>\n`);
    for (const name of names) expect(statSync(join(dir, 'audit', name)).mode & 0o777).toBe(0o600);
    const again = new AuditTrail({ dir: join(dir, 'audit'), maxFileBytes: 100 }, null);
    await again.write('<more/>', AT);
    await again.close();
    expect(readFileSync(join(dir, 'audit/audit.log'), 'utf8')).toBe('<last/>\n<more/>\n');
  });

  test('one message after the other', async () => {
    const trail = new AuditTrail({ dir, maxFileBytes: 1000 }, null);
    await trail.write('<first/>', AT);
    await trail.write('<second/>', AT);
    await trail.close();
    expect(readFileSync(join(dir, 'audit.log'), 'utf8')).toBe('<first/>\n<second/>\n');
  });

  /** Changes of owner are for root alone. */
  (process.getuid!() === 0 ? test : test.skip)(
    'what root writes belongs to the account that owns the folder, so that the service can go on with it',
    async () => {
      const [OWNER, GROUP] = [65_533, 65_532];
      const ownerOf = (path: string) => [statSync(path).uid, statSync(path).gid];
      chownSync(dir, OWNER, GROUP);
      const audit = join(dir, 'audit');
      const trail = new AuditTrail({ dir: audit, maxFileBytes: 1 }, null);
      await trail.write('<first/>', AT);
      await trail.write('<second/>', AT);
      await trail.close();
      const written = readdirSync(audit).map((name) => join(audit, name));
      expect(written).toHaveLength(2);
      expect([audit, ...written].map(ownerOf)).toEqual(Array(3).fill([OWNER, GROUP]));
    },
  );

  test('begins anew a month after its first message, also in a process that was started since', async () => {
    const message = (at: string) => `<EventIdentification EventDateTime="${at}"/>`;
    const days = [0, 30, 32, 33, 70].map((day) => new Date(AT.getTime() + day * 86_400_000));
    for (const day of days) {
      const trail = new AuditTrail({ dir, maxFileBytes: 10_000 }, null, () => day.getTime());
      await trail.write(message(day.toISOString()), day);
      await trail.close();
    }
    const lines = readdirSync(dir)
      .sort()
      .map((name) => readFileSync(join(dir, name), 'utf8').trim().split('\n').length);
    expect(lines).toEqual([2, 2, 1]);
  });

  test('where another process has begun a new file, this one follows, and nothing is lost', async () => {
    const [one, other] = [0, 1].map(() => new AuditTrail({ dir, maxFileBytes: 100 }, null)) as [AuditTrail, AuditTrail];
    for (let i = 0; i < 20; i++) {
      await (i % 2 === 0 ? one : other).write(`<m${i}>${'x'.repeat(30)}</m${i}>`, AT);
      await new Promise((wait) => setTimeout(wait, 2));
    }
    await Promise.all([one.close(), other.close()]);
    const files = readdirSync(dir)
      .sort()
      .map((name) => readFileSync(join(dir, name), 'utf8'));
    expect(files.join('').match(/<m\d+>/g)).toEqual(Array.from({ length: 20 }, (_, i) => `<m${i}>`));
    // No file was begun before the previous one was full.
    expect(Math.min(...files.slice(0, -1).map((text) => text.length))).toBeGreaterThanOrEqual(100);
  });

  test('a message that a full disk or a crash has cut does not take the next one with it', async () => {
    writeFileSync(join(dir, 'audit.log'), '<?xml version="1.0"?><AuditMes');
    const trail = new AuditTrail({ dir, maxFileBytes: 1_000_000 }, null);
    await trail.write('<one/>', AT);
    await trail.write('<two/>', AT);
    await trail.close();
    expect(readFileSync(join(dir, 'audit.log'), 'utf8').split('\n').slice(1)).toEqual(['<one/>', '<two/>', '']);
  });

  test('what is not on the disk is an error, and the next message is tried anew', async () => {
    const inTheWay = join(dir, 'audit');
    writeFileSync(inTheWay, '');
    const trail = new AuditTrail({ dir: inTheWay, maxFileBytes: 1000 }, null);
    await expect(trail.write('<a/>', AT)).rejects.toMatchObject({ code: 'AUDIT_FAILED', lasting: 'transient' });
    rmSync(inTheWay);
    await trail.write('<b/>', AT);
    await trail.close();
    expect(readFileSync(join(inTheWay, 'audit.log'), 'utf8')).toBe('<b/>\n');
  });
});

describe('syslog over TLS', () => {
  const keys = authority();
  let server: Server | undefined;
  const sockets = new Set<TLSSocket>();
  let received = Buffer.alloc(0);
  const listen = (shown: { cert: Buffer; key: Buffer }, port = 0) =>
    new Promise<number>((resolve) => {
      server = createServer(shown, (socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('data', (data) => (received = Buffer.concat([received, data])));
      }).listen(port, '127.0.0.1', () => resolve((server!.address() as { port: number }).port));
      server.on('tlsClientError', () => {});
    });
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
    server = undefined;
  };
  /** Takes the stream apart by its octet counts. */
  const messages = () => {
    const found: string[] = [];
    for (let at = 0; at < received.length;) {
      const space = received.indexOf(0x20, at);
      const length = Number(received.subarray(at, space).toString('ascii'));
      found.push(received.subarray(space + 1, space + 1 + length).toString('utf8'));
      at = space + 1 + length;
    }
    return found;
  };
  const until = async (isSo: () => boolean) => {
    for (let i = 0; i < 400 && !isSo(); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isSo()).toBe(true);
  };
  beforeEach(() => {
    received = Buffer.alloc(0);
  });
  afterEach(stop);
  afterAll(() => keys.remove());

  test('the header of RFC 5424 and the octet count of RFC 5425', () => {
    const frame = syslogFrame('<AuditMessage>ä</AuditMessage>', AT, 'pacs host\n', 42);
    const text = frame.toString('utf8');
    expect(text).toMatch(
      /^\d+ <85>1 2026-03-01T12:00:00\.123Z pacshost hilum 42 DICOM\+RFC3881 - \uFEFF<AuditMessage>ä<\/AuditMessage>$/,
    );
    expect(Number(/^\d+/.exec(text)![0])).toBe(frame.length - /^\d+ /.exec(text)![0].length);
  });

  test('what happens while the receiver is away waits on the disk, in order, over a restart too', async () => {
    const port = await listen(keys.good);
    await stop();
    const settings = { host: '127.0.0.1', port, tls: { caFile: keys.caFile }, dir, spoolBytes: 100_000 };
    const first = connectSyslog(settings, recordingLog());
    first.send('<one/>', AT);
    first.send('<two/>', AT);
    await first.close();
    expect(statSync(join(dir, 'syslog.spool')).mode & 0o777).toBe(0o600);
    await listen(keys.good, port);
    const second = connectSyslog(settings, recordingLog());
    second.send('<three/>', AT);
    await until(() => messages().length === 3);
    expect(messages().map((text) => /<\w+\/>$/.exec(text)![0])).toEqual(['<one/>', '<two/>', '<three/>']);
    await second.close();
    expect(existsSync(join(dir, 'syslog.spool')) || existsSync(join(dir, 'syslog.spool.sent'))).toBe(false);
  }, 60_000);

  test('a connection that breaks is made anew', async () => {
    const port = await listen(keys.good);
    const syslog = connectSyslog(
      { host: '127.0.0.1', port, tls: { caFile: keys.caFile }, dir, spoolBytes: 100_000 },
      recordingLog(),
    );
    syslog.send('<one/>', AT);
    await until(() => messages().length === 1);
    await stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    syslog.send('<two/>', AT);
    await listen(keys.good, port);
    await until(() => messages().some((text) => text.endsWith('<two/>')));
    await syslog.close();
  }, 60_000);

  test('a receiver whose certificate is not trusted, or is for another name, gets nothing', async () => {
    for (const shown of [keys.wrongHost, keys.expired]) {
      const port = await listen(shown);
      const log = recordingLog();
      const syslog = connectSyslog(
        { host: '127.0.0.1', port, tls: { caFile: keys.caFile }, dir, spoolBytes: 100_000 },
        log,
      );
      syslog.send('<secret/>', AT);
      await until(() => log.lines.some(({ fields }) => fields.event === 'audit.syslog-lost'));
      await syslog.close();
      expect(received.length).toBe(0);
      await stop();
    }
  }, 60_000);

  test('what a full disk has cut does not shift the messages after it', async () => {
    const port = await listen(keys.good);
    await stop();
    const syslog = connectSyslog(
      { host: '127.0.0.1', port, tls: { caFile: keys.caFile }, dir, spoolBytes: 10_000 },
      recordingLog(),
    );
    const append = fs.appendFileSync;
    const full = jest.spyOn(fs, 'appendFileSync').mockImplementationOnce((path, frame) => {
      append(path, (frame as Buffer).subarray(0, 20));
      throw new Error('ENOSPC');
    });
    syslog.send('<cut/>', AT);
    expect(full).toHaveBeenCalledTimes(1);
    full.mockRestore();
    syslog.send('<next/>', AT);
    await syslog.close();
    const waiting = readFileSync(join(dir, 'syslog.spool'));
    expect(waiting.toString()).toMatch(/^\d+ <85>[^<]*<next\/>$/);
  });

  test('what waits has an end, and says so once', async () => {
    const port = await listen(keys.good);
    await stop();
    const log = recordingLog();
    const syslog = connectSyslog({ host: '127.0.0.1', port, tls: { caFile: keys.caFile }, dir, spoolBytes: 300 }, log);
    for (let i = 0; i < 50; i += 1) syslog.send(`<message n="${i}"/>`, AT);
    await syslog.close();
    expect(statSync(join(dir, 'syslog.spool')).size).toBeLessThanOrEqual(300);
    expect(log.lines.filter(({ fields }) => fields.event === 'audit.syslog-dropped')).toHaveLength(1);
  });
});

test('the folder of the trail is made for the service alone', async () => {
  mkdirSync(join(dir, 'state'));
  chmodSync(join(dir, 'state'), 0o755);
  const trail = new AuditTrail({ dir: join(dir, 'state/audit'), maxFileBytes: 1000 }, null);
  await trail.write('<a/>', AT);
  await trail.close();
  expect(statSync(join(dir, 'state/audit')).mode & 0o777).toBe(0o700);
  expect(execFileSync('ls', [join(dir, 'state/audit')], { encoding: 'utf8' }).trim()).toBe('audit.log');
});
