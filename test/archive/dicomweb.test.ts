import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dicomWebArchive, type DicomWebArchive, type DicomWebOptions } from '../../src/archive/dicomweb';
import type { EncodedObject } from '../../src/dicom/part10';
import { parseUid } from '../../src/dicom/uid';
import { retryAfterMs } from '../../src/net/http';
import { retryAfterOf } from '../../src/queue/retry-policy';
import { dicomFile, filmElements } from '../support/films/dicom-fixture';
import { recordingLog } from '../support/records/logs';

/** Faults only: what a good archive does is tried with a real one (test/servers). */
const STUDY = parseUid('1.2.3');
const PATH = { studyInstanceUid: STUDY, seriesInstanceUid: parseUid('1.2.3.4'), sopInstanceUid: parseUid('1.2.3.4.5') };
const FILE = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(500, 7)]);
const OBJECT: EncodedObject = {
  sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.7'),
  seriesInstanceUid: PATH.seriesInstanceUid,
  sopInstanceUid: PATH.sopInstanceUid,
  bytes: FILE,
};
const STORED = JSON.stringify({
  '00081199': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: [OBJECT.sopInstanceUid] } }] },
});

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
const opened: DicomWebArchive[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      requests.push({
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(pieces),
      });
      answer(request, response);
    });
    request.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

beforeEach(() => {
  requests = [];
});

afterEach(async () => {
  for (const archive of opened.splice(0)) await archive.close();
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web/`;

function open(options: Partial<DicomWebOptions> = {}): DicomWebArchive {
  const archive = dicomWebArchive({ url: url(), responseTimeoutMs: 400, storeTimeoutMs: 400, ...options }, log);
  opened.push(archive);
  return archive;
}

let log = recordingLog();

const say = (status: number, body: string | Buffer = '', headers: Record<string, string> = {}) => {
  answer = (_request, response) => void response.writeHead(status, headers).end(body);
};
const multipart = (body: Buffer | string) =>
  Buffer.concat([
    Buffer.from('--b\r\nContent-Type: application/dicom\r\n\r\n'),
    Buffer.from(body),
    Buffer.from('\r\n--b--\r\n'),
  ]);
const MULTIPART = { 'content-type': 'multipart/related; type="application/dicom"; boundary=b' };
const reset = () => (answer = (request) => void request.socket.destroy());
const hang = () => (answer = () => {});
/** The headers and a piece, then nothing. */
const stall = (headers: Record<string, string>, piece: string) =>
  (answer = (_request, response) => void response.writeHead(200, headers).write(piece));

describe('every status has its meaning', () => {
  const CASES = [
    [400, 'ARCHIVE_REFUSED', 'permanent'],
    [401, 'ARCHIVE_UNAUTHORISED', 'permanent'],
    [403, 'ARCHIVE_UNAUTHORISED', 'permanent'],
    [302, 'ARCHIVE_UNAVAILABLE', 'transient'],
    [406, 'ARCHIVE_REFUSED', 'permanent'],
    [408, 'ARCHIVE_UNAVAILABLE', 'transient'],
    [429, 'ARCHIVE_UNAVAILABLE', 'transient'],
    [500, 'ARCHIVE_UNAVAILABLE', 'transient'],
    [502, 'ARCHIVE_UNAVAILABLE', 'transient'],
    [503, 'ARCHIVE_UNAVAILABLE', 'transient'],
  ] as const;

  test.each(CASES)('%d is %s, %s', async (status, code, lasting) => {
    say(status, 'Doe^Jane');
    const archive = open();
    for (const ask of [
      () => archive.findInstances(STUDY),
      () => archive.retrieve(PATH),
      () => archive.store(STUDY, [OBJECT]),
    ]) {
      await expect(ask()).rejects.toMatchObject({
        code,
        lasting,
        message: expect.not.stringContaining('Doe') as string,
      });
    }
  });

  test('404 is an outage for a query, NOT_FOUND else', async () => {
    say(404);
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_UNAVAILABLE',
      lasting: 'transient',
    });
    await expect(open().retrieve(PATH)).rejects.toMatchObject({ code: 'NOT_FOUND', lasting: 'permanent' });
    await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({ code: 'NOT_FOUND', lasting: 'permanent' });
  });

  test('Retry-After comes along', async () => {
    say(503, '', { 'retry-after': '7' });
    const error = await open()
      .retrieve(PATH)
      .catch((failure: unknown) => failure);
    expect(retryAfterOf(error)).toBe(7_000);
    expect(retryAfterMs('Wed, 21 Oct 2015 07:28:10 GMT', Date.parse('Wed, 21 Oct 2015 07:28:00 GMT'))).toBe(10_000);
    expect(retryAfterMs('Wed, 21 Oct 2015 07:28:10 GMT')).toBe(0);
    expect(
      [retryAfterMs(''), retryAfterMs('soon'), retryAfterMs('-5'), retryAfterMs('9'.repeat(30))].map(
        (ms) => ms ?? 'none',
      ),
    ).toEqual(['none', 'none', expect.anything(), 'none']);
  });
});

describe('the wire', () => {
  test('nobody there: nothing was sent, it may pass', async () => {
    const archive = open({ url: 'http://127.0.0.1:9/dicom-web' });
    for (const failing of [archive.findInstances(STUDY), archive.retrieve(PATH), archive.store(STUDY, [OBJECT])])
      await expect(failing).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE', lasting: 'transient' });
  });

  test('a name that does not resolve', async () => {
    await expect(open({ url: 'http://archive.invalid/dicom-web' }).store(STUDY, [OBJECT])).rejects.toMatchObject({
      code: 'ARCHIVE_UNREACHABLE',
      lasting: 'transient',
    });
  });

  test('reset after the request: transient for reading, ambiguous for storing', async () => {
    reset();
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREACHABLE',
      lasting: 'transient',
    });
    await expect(open().retrieve(PATH)).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE', lasting: 'transient' });
    await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({
      code: 'STORE_AMBIGUOUS',
      lasting: 'ambiguous',
    });
  });

  test('no answer: a time-out for reading, ambiguous for storing', async () => {
    hang();
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({ code: 'ARCHIVE_TIMEOUT', lasting: 'transient' });
    await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({
      code: 'STORE_AMBIGUOUS',
      lasting: 'ambiguous',
    });
  });

  test('an answer that stops in the middle', async () => {
    stall(MULTIPART, '--b\r\n\r\nabc');
    await expect(open().retrieve(PATH)).rejects.toMatchObject({ code: 'ARCHIVE_TIMEOUT', lasting: 'transient' });
    stall({}, STORED.slice(0, 20));
    await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({
      code: 'STORE_AMBIGUOUS',
      lasting: 'ambiguous',
    });
  });

  test('an answer that drips for ever', async () => {
    answer = (_request, response) => {
      response.writeHead(200, MULTIPART);
      const timer = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(timer));
    };
    await expect(open({ requestTimeoutMs: 700 }).retrieve(PATH)).rejects.toMatchObject({
      code: 'ARCHIVE_TIMEOUT',
      lasting: 'transient',
    });
  });

  test('an answer shorter than its Content-Length', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { ...MULTIPART, 'content-length': '5000' }).write('--b\r\n\r\nabc');
      setTimeout(() => response.destroy(), 50);
    };
    await expect(open().retrieve(PATH)).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE', lasting: 'transient' });
  });
});

describe('retrieving', () => {
  test('asks for the stored form in the simplest words, and signs in', async () => {
    say(200, multipart(FILE), MULTIPART);
    expect(Buffer.from(await open({ auth: { kind: 'bearer', token: 't0' } }).retrieve(PATH))).toEqual(FILE);
    expect(requests).toMatchObject([
      {
        method: 'GET',
        url: '/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5',
        headers: {
          accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
          authorization: 'Bearer t0',
        },
      },
    ]);
  });

  test('takes a bare file too', async () => {
    say(200, FILE, { 'content-type': 'application/dicom' });
    expect(Buffer.from(await open().retrieve(PATH))).toEqual(FILE);
  });

  test.each([
    ['a page', '<html>', { 'content-type': 'text/html' }],
    ['no type', FILE, {}],
    ['no part', Buffer.from('--b--\r\n'), MULTIPART],
    ['a part that is no DICOM file', multipart('Doe^Jane'), MULTIPART],
    ['a cut-off part', multipart(FILE).subarray(0, 300), MULTIPART],
    ['a bare file that is none', 'Doe^Jane', { 'content-type': 'application/dicom' }],
  ])('%s is an invalid answer that may pass', async (_name, body, headers) => {
    say(200, body, headers);
    await expect(open().retrieve(PATH)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      lasting: 'transient',
      message: expect.not.stringContaining('Doe') as string,
    });
  });

  test.each([
    ['in parts', MULTIPART, multipart(FILE)],
    ['bare', { 'content-type': 'application/dicom' }, FILE],
  ])('a file above the limit, %s', async (_name, headers, body) => {
    say(200, body, headers);
    await expect(open({ maxObjectBytes: FILE.length - 1 }).retrieve(PATH)).rejects.toMatchObject({
      code: 'DICOM_UNREADABLE',
      lasting: 'permanent',
    });
    await expect(open({ maxObjectBytes: FILE.length }).retrieve(PATH)).resolves.toHaveLength(FILE.length);
  });
});

const row = (instance: number, modality?: string) => ({
  '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.1'] },
  '00080018': { vr: 'UI', Value: [`1.2.3.4.${instance}`] },
  '0020000E': { vr: 'UI', Value: ['1.2.3.4'] },
  ...(modality === undefined ? {} : { '00080060': { vr: 'CS', Value: [modality] } }),
});

const studyOf = (instances: number) => ({
  '0020000D': { vr: 'UI', Value: [STUDY] },
  '00201208': { vr: 'IS', Value: [instances] },
});

describe('finding', () => {
  /**
   * An archive of `total` instances whose pages are at most `most` long; `ignoring` gives the first page whatever is
   * asked.
   */
  const archiveOf = (total: number, most: number, ignoring = false) => {
    answer = (request, response) => {
      const { pathname, searchParams: asked } = new URL(request.url ?? '', 'http://x');
      if (pathname.endsWith('/studies')) return void response.end(JSON.stringify(total === 0 ? [] : [studyOf(total)]));
      const offset = ignoring ? 0 : Number(asked.get('offset'));
      const length = Math.min(Number(asked.get('limit')), most, total - offset);
      response.end(
        JSON.stringify(Array.from({ length: Math.max(0, length) }, (_, index) => row(offset + index, 'CR'))),
      );
    };
  };

  test.each([
    ['one short page', 3, 500, false, 3, 2],
    ['no instance', 0, 500, false, 0, 2],
    ['two pages and a bit', 240, 100, false, 240, 4],
    ['pages cut short by the server', 250, 60, false, 250, 6],
    ['full pages exactly', 200, 100, false, 200, 3],
    ['a server that ignores offset', 100, 100, true, 100, 2],
  ])('%s', async (_name, total, most, ignoring, expected, asked) => {
    archiveOf(total, most, ignoring);
    const found = await open({ pageSize: 100 }).findInstances(STUDY);
    expect(new Set(found.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(expected);
    expect(found).toHaveLength(expected);
    expect(requests).toHaveLength(asked);
  });

  test('a study without bounds is refused', async () => {
    archiveOf(100_000, 100);
    await expect(open({ pageSize: 100, maxInstances: 300 }).findInstances(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      lasting: 'permanent',
    });
  });

  test('where instances come without modality, the series are asked', async () => {
    answer = (request, response) =>
      void response.end(
        JSON.stringify(
          request.url?.includes('/studies?')
            ? [studyOf(2)]
            : request.url?.includes('/series?')
              ? [{ '0020000E': { Value: ['1.2.3.4'] }, '00080060': { Value: ['DX'] } }]
              : [row(1), row(2, 'SR')],
        ),
      );
    expect((await open().findInstances(STUDY)).map(({ modality }) => modality)).toEqual(['DX', 'SR']);
    expect(requests.filter(({ url: path }) => path.includes('/series?')).length).toBeGreaterThan(0);
  });

  test('204 is no instances; rows without valid UIDs are told and left', async () => {
    say(204);
    await expect(open().findInstances(STUDY)).resolves.toEqual([]);
    log = recordingLog();
    say(200, JSON.stringify([row(1, 'CR'), {}, row(2, 'CR')]));
    await expect(open().findInstances(STUDY)).resolves.toHaveLength(2);
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { event: 'archive.rows-unusable', study: STUDY, rows: 1 } },
    ]);
  });

  test.each([
    ['no JSON', 'Doe^Jane'],
    ['no list', '{"a": "Doe^Jane"}'],
    ['nothing', ''],
  ])('%s is an invalid answer', async (_name, body) => {
    say(200, body);
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      lasting: 'transient',
      message: expect.not.stringContaining('Doe') as string,
    });
  });
});

describe('attributes of a film', () => {
  const TAGS = { view: '00185101', priority: '0032000C' };
  const ROW = {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.1'] },
    '00080018': { vr: 'UI', Value: [PATH.sopInstanceUid] },
    '0020000E': { vr: 'UI', Value: [PATH.seriesInstanceUid] },
  };
  const ask = (options?: { timeoutMs?: number; instances?: number | null }) =>
    open().sampleAttributes(STUDY, PATH.seriesInstanceUid, TAGS, options);
  const metadata = (status: number, body: string) => {
    answer = (request, response) =>
      void (request.url!.endsWith('/metadata')
        ? response.writeHead(status).end(body)
        : response.writeHead(200).end(JSON.stringify([ROW])));
  };

  test('one instance of the series is looked for, and its metadata read', async () => {
    metadata(
      200,
      JSON.stringify([
        { '00185101': { vr: 'CS', Value: ['AP'] }, '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^Jane' }] } },
      ]),
    );
    expect(await ask()).toEqual({ view: ['AP'] });
    const base = `/dicom-web/studies/${STUDY}/series/${PATH.seriesInstanceUid}/instances`;
    expect(requests.map(({ url: path }) => path)).toEqual([
      `${base}?includefield=00080016&limit=1`,
      `${base}/${PATH.sopInstanceUid}/metadata`,
    ]);
    expect(requests.map(({ headers }) => headers.accept)).toEqual(['application/dicom+json', 'application/dicom+json']);
  });

  const BASE = `/dicom-web/studies/${STUDY}/series/${PATH.seriesInstanceUid}`;
  const AP = JSON.stringify([{ '00185101': { vr: 'CS', Value: ['AP'] } }]);

  test('of a series with one instance, as most have, the metadata of the series is read', async () => {
    metadata(200, AP);
    expect(await ask({ instances: 1 })).toEqual({ view: ['AP'] });
    expect(requests.map(({ url: path }) => path)).toEqual([`${BASE}/metadata`]);
  });

  test.each([2, null])('of one with %j it is not, as a server may read each file for it', async (instances) => {
    metadata(200, AP);
    expect(await ask({ instances })).toEqual({ view: ['AP'] });
    expect(requests.map(({ url: path }) => path)).not.toContain(`${BASE}/metadata`);
  });

  test.each([400, 404, 501])('a server that answers %d to it is asked for an instance', async (status) => {
    answer = (request, response) =>
      void (request.url === `${BASE}/metadata`
        ? response.writeHead(status).end()
        : response.writeHead(200).end(request.url!.endsWith('/metadata') ? AP : JSON.stringify([ROW])));
    expect(await ask({ instances: 1 })).toEqual({ view: ['AP'] });
  });

  test('a series that is gone, or an instance that is, says nothing', async () => {
    say(200, '[]');
    expect(await ask()).toEqual({});
    metadata(404, '');
    expect(await ask()).toEqual({});
  });

  test.each([
    [500, '', 'ARCHIVE_UNAVAILABLE'],
    [401, '', 'ARCHIVE_UNAUTHORISED'],
    [200, '{"Doe^Jane"', 'ARCHIVE_RESPONSE_INVALID'],
    [200, `["${'x'.repeat(5 * 1024 * 1024)}"]`, 'ARCHIVE_RESPONSE_INVALID'],
  ])('%d with %.20s is an error that quotes nothing', async (status, body, code) => {
    metadata(status, body);
    await expect(ask()).rejects.toMatchObject({ code, message: expect.not.stringContaining('Doe') as string });
  });

  test('an archive that does not answer is given up in the time that was given', async () => {
    answer = () => {};
    const started = Date.now();
    await expect(ask({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'ARCHIVE_TIMEOUT' });
    await expect(open({ responseTimeoutMs: 60_000 }).findSeries(STUDY, 100)).rejects.toMatchObject({
      code: 'ARCHIVE_TIMEOUT',
    });
    expect(Date.now() - started).toBeLessThan(6_000);
  });
});

describe('the header of a film', () => {
  const metadata = (set: string) =>
    JSON.stringify([
      {
        '00080005': { vr: 'CS', Value: [set] },
        '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Mller' }] },
        '00100020': { vr: 'LO', Value: ['1234', '567'] },
      },
    ]);
  const film = dicomFile([
    ...filmElements({
      more: [
        [0x00100010, 'PN', Buffer.from('Müller', 'utf8')],
        [0x00100020, 'LO', '1234\\567'],
      ],
    }),
    [0x00080005, 'CS', 'ISO-IR 192'],
    [0x00400275, 'SQ', [[[0x00402016, 'LO', 'PL\\1']]]],
  ]);
  const has = (set: string, file: Uint8Array) => {
    answer = (request, response) => {
      if (request.url!.endsWith('/metadata')) return void response.writeHead(200).end(metadata(set));
      const head = { 'content-type': 'multipart/related; type="application/dicom"; boundary=b' };
      return void response
        .writeHead(200, head)
        .end(
          Buffer.concat([
            Buffer.from('--b\r\nContent-Type: application/dicom\r\n\r\n'),
            file,
            Buffer.from('\r\n--b--\r\n'),
          ]),
        );
    };
  };

  test('by the archive where it can read its character set', async () => {
    has('ISO_IR 192', film);
    expect(await open().describe(PATH)).toMatchObject({ PatientName: 'Mller', PatientID: '1234\\567' });
    expect(requests).toHaveLength(1);
  });

  test('by the film itself where the archive hands on a character set that it cannot have read', async () => {
    has('ISO-IR 192', film);
    expect(await open().describe(PATH)).toMatchObject({
      PatientName: 'Müller',
      PatientID: '1234\\567',
      PlacerOrderNumberImagingServiceRequest: 'PL\\1',
      Modality: 'CR',
      StudyDate: '',
      sopClassUid: '1.2.840.10008.5.1.4.1.1.1',
    });
  });

  test('by the archive all the same where the film can not be read', async () => {
    has('ISO-IR 192', FILE);
    expect(await open().describe(PATH)).toMatchObject({ PatientName: 'Mller' });
  });
});

describe('storing', () => {
  test('sends each object as it is', async () => {
    say(200, STORED);
    await open().store(STUDY, [OBJECT]);
    expect(requests).toMatchObject([
      {
        method: 'POST',
        url: '/dicom-web/studies/1.2.3',
        headers: {
          accept: 'application/dicom+json',
          'content-type': expect.stringContaining('type="application/dicom"') as string,
        },
      },
    ]);
    expect(requests[0]!.body.includes(FILE)).toBe(true);
  });

  test('nothing to store is no request', async () => {
    await open().store(STUDY, []);
    expect(requests).toEqual([]);
  });

  test.each([[200], [201], [202], [206], [409]])('a %d is read object by object', async (status) => {
    say(status, STORED);
    await expect(open().store(STUDY, [OBJECT])).resolves.toBeUndefined();
    say(status, STORED.replace('00081199', '00081198'));
    await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({ code: 'STORE_FAILED', lasting: 'transient' });
    say(status, '');
    await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({
      code: 'STORE_AMBIGUOUS',
      lasting: 'ambiguous',
    });
  });

  test('a 204 does not say what was stored', async () => {
    say(204);
    await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({
      code: 'STORE_AMBIGUOUS',
      lasting: 'ambiguous',
    });
  });
});

describe('the probe', () => {
  test('an archive that lets query but not store', async () => {
    answer = (request, response) => void response.writeHead(request.method === 'POST' ? 403 : 200).end('[]');
    const results = await open().probe();
    expect(results.map(({ check, ok }) => [check, ok])).toEqual([
      ['reach', true],
      ['query', true],
      ['retrieve', true],
      ['store', false],
    ]);
    expect(results[2]?.text).toContain('not tried');
    expect(results[3]?.text).toContain('the rights of that user');
  });

  test('something that is no archive', async () => {
    say(200, '<html>Doe^Jane</html>');
    const results = await open().probe();
    expect(results.map(({ check, ok }) => [check, ok])).toEqual([
      ['reach', true],
      ['query', false],
    ]);
    expect(JSON.stringify(results)).not.toContain('Doe');
  });
});
