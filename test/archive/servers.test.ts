import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { dicomWebArchive, type DicomWebArchive, type DicomWebOptions } from '../../src/archive/dicomweb';
import { HilumError } from '../../src/base/errors';
import { parseUid } from '../../src/dicom/uid';
import { isAway } from '../../src/queue/retry-policy';
import { recordingLog } from '../support/records/logs';
import { FAKE_STUDY, FakeDicomWeb } from '../support/servers/fake-dicomweb';

/** Servers as they are: each kind with the right value. */
const STUDY = parseUid(FAKE_STUDY);
const PATH = { studyInstanceUid: STUDY, seriesInstanceUid: parseUid('1.2.3.0'), sopInstanceUid: parseUid('1.2.3.0.1') };
const FILE = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(500, 7)]);
const OBJECT = { ...PATH, sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.7'), bytes: FILE };
const server = new FakeDicomWeb();
const other = new FakeDicomWeb();
const opened: DicomWebArchive[] = [];
let log = recordingLog();

beforeAll(async () => {
  await server.start();
  await other.start();
});
beforeEach(() => {
  log = recordingLog();
  other.reset([]);
});
afterEach(async () => {
  for (const archive of opened.splice(0)) await archive.close();
});
afterAll(() => {
  server.stop();
  other.stop();
});

function open(options: Partial<DicomWebOptions> = {}): DicomWebArchive {
  const parserFile = join(__dirname, '../support/threads/json-worker.cjs');
  const archive = dicomWebArchive({ url: server.url, responseTimeoutMs: 10_000, parserFile, ...options }, log);
  opened.push(archive);
  return archive;
}

/** Answers requests whose path has `part`. */
const answering = (answer: (request: IncomingMessage, response: ServerResponse) => void, part = '') =>
  server.reset([{ modality: 'CR', instances: 2 }], {
    first: (request, response) => {
      if (!request.url!.includes(part)) return false;
      answer(request, response);
      return true;
    },
  });
const saying = (status: number, body: string | Buffer = '', headers: Record<string, string> = {}, part = '') =>
  answering((_request, response) => void response.writeHead(status, headers).end(body), part);

const films = (instances: number) => [{ modality: 'CR', instances }];
const MANY = [
  { modality: 'CR', instances: 15 },
  { modality: 'DX', instances: 4 },
  { modality: 'SR', instances: 3 },
];

describe('a study is listed whole', () => {
  test.each([
    ['one film, as most studies: one search and one for the number', films(1), {}, 2],
    ['no instance', [], {}, 2],
    ['pages of 12', films(30), { cap: 12 }, 4],
    ['pages of 20', films(45), { cap: 20 }, 4],
    ['pages of 100', films(250), { cap: 100 }, 4],
    ['pages of 12, no numbers', films(30), { cap: 12, isMute: true }, 5],
    ['pages of 15 that repeat: series by series', MANY, { cap: 15, ignoresOffset: true }, 6],
    ['offset ignored, but all there', films(9), { ignoresOffset: true }, 2],
    ['offset ignored, no numbers, few', films(9), { ignoresOffset: true, isMute: true }, 3],
  ] as const)('%s', async (_name, series, behaviour, requests) => {
    server.reset(series, behaviour);
    const expected = series.reduce((sum, { instances }) => sum + instances, 0);
    const found = await open().findInstances(STUDY);
    expect(new Set(found.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(expected);
    expect(found).toHaveLength(expected);
    expect(server.requests).toHaveLength(requests);
  });

  test.each([
    ['a series is cut too', films(30), { cap: 12, ignoresOffset: true }],
    ['a series is cut too, and nobody tells a number', films(30), { cap: 12, ignoresOffset: true, isMute: true }],
  ] as const)('%s: it fails, and says so', async (_name, series, behaviour) => {
    server.reset(series, behaviour);
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      lasting: 'transient',
      message: expect.stringContaining('holds back the others') as string,
    });
  });

  test('looking for objects of a study ends where all of them are shown, and goes on where one is not', async () => {
    const wanted = [parseUid('1.2.3.0.2'), parseUid('1.2.3.0.12')];
    for (const [series, requests] of [
      [films(30), 1],
      [films(11), 2],
    ] as const) {
      server.reset(series, { cap: 12 });
      await open().findInstances(STUDY, wanted);
      expect(server.requests).toHaveLength(requests);
    }
    server.reset(films(30), { cap: 12 });
    expect(await open().findInstances(STUDY, [...wanted, parseUid('1.2.3.0.30')])).toHaveLength(30);
  });

  test('an empty answer about a study that the archive counts instances of is not believed', async () => {
    answering((_request, response) => void response.writeHead(204).end(), '/instances');
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({ code: 'ARCHIVE_RESPONSE_INVALID' });
  });

  test('a number of instances that is above the sum of the series is not believed', async () => {
    const study = { '0020000D': { vr: 'UI', Value: [STUDY] }, '00201208': { vr: 'IS', Value: ['9'] } };
    saying(200, JSON.stringify([study]), {}, '/studies?');
    await expect(open().findInstances(STUDY)).resolves.toHaveLength(2);
  });

  test.each([
    ['in pages of 12', { cap: 12 }],
    ['in pages of 12, no numbers', { cap: 12, isMute: true }],
  ])('series: %s', async (_name, behaviour) => {
    server.reset(
      Array.from({ length: 40 }, () => ({ modality: 'CR', instances: 1 })),
      behaviour,
    );
    expect(await open().findSeries(STUDY)).toHaveLength(40);
  });

  test('series that are cut leave this study out, and nothing else', async () => {
    server.reset(
      Array.from({ length: 40 }, () => ({ modality: 'CR', instances: 1 })),
      { cap: 12, ignoresOffset: true },
    );
    await expect(open().findSeries(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      lasting: 'permanent',
    });
  });
});

describe('the series of many studies', () => {
  const studies = Array.from({ length: 120 }, (_, n) => parseUid(`1.2.7.${n + 1}`));
  const row = (study: string, series: string, instances: number) => ({
    '0020000D': { vr: 'UI', Value: [study] },
    '0020000E': { vr: 'UI', Value: [series] },
    '00080060': { vr: 'CS', Value: ['CR'] },
    '00201209': { vr: 'IS', Value: [instances] },
  });
  const asked = () => server.requests.map((path) => new URL(path, server.url).searchParams);

  test('fifty studies a search, by a list of their UIDs; rows of others are left alone', async () => {
    answering((request, response) => {
      const query = new URL(request.url!, server.url).searchParams;
      const wanted = query.get('StudyInstanceUID')!.split(',');
      const rows = query.get('offset') === '0' ? [...wanted, '1.2.8'].map((study) => row(study, `${study}.1`, 3)) : [];
      response.end(JSON.stringify(rows));
    }, '/series?');
    const found = await open().findSeriesOf(studies);
    expect([...found.keys()].sort()).toEqual([...studies].sort());
    expect(found.get(studies[0]!)).toEqual([
      { seriesInstanceUid: `${studies[0]!}.1`, modality: 'CR', description: '', instances: 3 },
    ]);
    expect(asked()).toHaveLength(3);
  });

  test('a server that ignores the list and the offset is not asked for ever', async () => {
    const rows = Array.from({ length: 600 }, (_, n) => row('1.2.8', `1.2.8.${n}`, 1));
    saying(200, JSON.stringify(rows), {}, '/series?');
    expect((await open().findSeriesOf(studies.slice(0, 2))).size).toBe(0);
    expect(asked()).toHaveLength(2);
  });

  test.each([400, 404, 501, 503])(
    'a server that answers %i to such a search: nothing is found, and nothing fails',
    async (status) => {
      saying(status, '', {}, '/series?');
      expect((await open().findSeriesOf(studies)).size).toBe(0);
    },
  );

  test('no answer is an outage', async () => {
    answering((request) => void request.socket.destroy(), '/series?');
    await expect(open().findSeriesOf(studies)).rejects.toMatchObject({ lasting: 'transient' });
  });
});

describe('a page that is refused', () => {
  test.each([200, 100, 15])('above %i rows: half is asked for, and remembered', async (refusesAbove) => {
    server.reset(films(300), { refusesAbove });
    const archive = open();
    expect(await archive.findInstances(STUDY)).toHaveLength(300);
    const size = Number(/limit=(\d+)/.exec(server.requests.at(-1)!)![1]);
    expect(size).toBeLessThanOrEqual(refusesAbove);
    server.requests.length = 0;
    await archive.findSeries(STUDY);
    expect(server.requests[0]).toContain(`limit=${size}&`);
    expect(log.lines).toMatchObject([{ level: 'info', fields: { event: 'archive.page-size', rows: size } }]);
  });

  test('the setting is what is asked for', async () => {
    server.reset(films(3));
    await open({ pageSize: 50 }).findInstances(STUDY);
    expect(server.requests[0]).toContain('limit=50&offset=0');
  });

  test('a search that is refused whatever it asks for is ARCHIVE_REFUSED, and no size is learnt from it', async () => {
    server.reset(films(3), { refusesAbove: 0 });
    const archive = open();
    await expect(archive.findInstances(STUDY)).rejects.toMatchObject({ code: 'ARCHIVE_REFUSED', lasting: 'permanent' });
    expect(server.requests.length).toBeLessThan(8);
    server.reset(films(3));
    await archive.findInstances(STUDY);
    expect(server.requests[0]).toContain('limit=500&');
  });

  test('the doctor asks as the pipeline does, and tells the size', async () => {
    server.reset(films(3), { refusesAbove: 200 });
    const results = await open().probe();
    expect(results[1]).toMatchObject({ check: 'query', ok: true });
    expect(results[1]!.text).toContain('it refuses 500, so set archive.pageSize to 125 or less');
    server.reset(films(3), { refusesAbove: 9 });
    expect((await open().probe())[1]).toMatchObject({ check: 'query', ok: false });
  });
});

describe('nothing there', () => {
  const SEARCHES: readonly [string, (archive: DicomWebArchive) => Promise<unknown>][] = [
    ['instances', (archive) => archive.findInstances(STUDY)],
    ['series', (archive) => archive.findSeries(STUDY)],
    ['studies', (archive) => archive.findStudies({ from: '20240101', to: '20240102', offset: 0, limit: 100 })],
    ['a study', (archive) => archive.findStudySummary(STUDY)],
    ['a sample', (archive) => archive.sampleAttributes(STUDY, PATH.seriesInstanceUid, { view: '00185101' })],
  ];

  test.each(SEARCHES)('404 to a search for %s is an outage', async (_name, ask) => {
    saying(404);
    const error = await ask(open()).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'ARCHIVE_UNAVAILABLE', lasting: 'transient' });
    expect(isAway(error)).toBe(true);
  });

  test('404 to metadata is an instance that is not there', async () => {
    saying(404);
    await expect(open().describe(PATH)).resolves.toBeNull();
    await expect(open().retrieve(PATH)).rejects.toMatchObject({ code: 'NOT_FOUND', lasting: 'permanent' });
  });

  test('instances of which none has a valid UID are told, and are no empty study', async () => {
    saying(200, '[{"00080018":{"vr":"UI","Value":["Doe^Jane"]}}]', {}, '/instances');
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({ code: 'ARCHIVE_RESPONSE_INVALID' });
  });
});

test('the summary of a study is its own, also where the server returns other studies too', async () => {
  const row = (study: string, patient: string, modality: string) => ({
    '0020000D': { vr: 'UI', Value: [study] },
    '00100020': { vr: 'LO', Value: [patient] },
    '00080061': { vr: 'CS', Value: [modality] },
  });
  saying(200, JSON.stringify([row('1.2.9', 'OTHER', 'CT'), row(STUDY, 'OWN', 'DX')]));
  await expect(open().findStudySummary(STUDY)).resolves.toMatchObject({ PatientID: 'OWN', modalities: ['DX'] });
});

const ROWS = JSON.stringify([
  {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.1'] },
    '00080018': { vr: 'UI', Value: ['1.2.3.0.1'] },
    '00080060': { vr: 'CS', Value: ['CR'] },
    '0020000E': { vr: 'UI', Value: ['1.2.3.0'] },
  },
  {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.1'] },
    '00080018': { vr: 'UI', Value: ['1.2.3.0.2'] },
    '00080060': { vr: 'CS', Value: ['CR'] },
    '0020000E': { vr: 'UI', Value: ['1.2.3.0'] },
  },
]);
const packed = (coding: string, body: Buffer, status = 200) => ({
  status,
  body,
  headers: { 'content-encoding': coding },
});
const plain = Buffer.from(ROWS);
const part = (eol: string, file: Buffer) =>
  Buffer.concat([
    Buffer.from(`--b${eol}Content-Type: application/dicom${eol}${eol}`),
    file,
    Buffer.from(`${eol}--b--${eol}`),
  ]);
const MULTIPART = 'multipart/related; type="application/dicom"; boundary=b';

describe('answers to a search', () => {
  test.each([
    ['206', { status: 206, body: plain, headers: {} }],
    ['gzip', packed('gzip', gzipSync(plain))],
    ['gzip and 206', packed('x-gzip', gzipSync(plain), 206)],
    ['deflate', packed('deflate', deflateSync(plain))],
    ['deflate without the header of zlib', packed('deflate', deflateRawSync(plain))],
    ['br', packed('br', brotliCompressSync(plain))],
    ['twice packed', packed('deflate, gzip', gzipSync(deflateSync(plain)))],
    ['a byte order mark', { status: 200, body: Buffer.concat([Buffer.from('\uFEFF'), plain]), headers: {} }],
  ])('%s is read', async (_name, { status, body, headers }) => {
    saying(status, body, headers, '/instances');
    await expect(open().findInstances(STUDY)).resolves.toHaveLength(2);
  });

  test('a connection that the server closes after an idle second is used again before that', async () => {
    const sockets = new Set<unknown>();
    answering((request, response) => {
      sockets.add(request.socket);
      response.writeHead(200, { connection: 'keep-alive', 'keep-alive': 'timeout=1' }).end(ROWS);
    });
    const archive = open();
    for (let n = 0; n < 5; n++) await archive.findInstances(STUDY);
    // One more where this machine stood still for half a second.
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  test('gzip is asked for on JSON, nothing on pixels', async () => {
    const asked: unknown[] = [];
    answering((request, response) => {
      asked.push(request.headers['accept-encoding']);
      response.writeHead(200, { 'content-type': 'application/dicom' }).end(request.url!.includes('?') ? '[]' : FILE);
    });
    await open().findInstances(STUDY);
    await open().retrieve(PATH);
    expect(asked).toEqual(['gzip', 'gzip', 'identity']);
  });

  test.each([
    ['damaged', packed('gzip', Buffer.from('Doe^Jane'))],
    ['cut short', packed('gzip', gzipSync(Buffer.from(ROWS.repeat(50))).subarray(0, 60))],
    ['packed in a way that nobody asked for', packed('zstd', plain)],
    ['a bomb', packed('gzip', gzipSync(Buffer.alloc(80 * 1024 * 1024, 0x20)))],
  ])('%s is an invalid answer', async (_name, { status, body, headers }) => {
    saying(status, body, headers, '/instances');
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      lasting: 'transient',
      message: expect.not.stringContaining('Doe') as string,
    });
  });

  test('more than a page needs is refused before it is parsed', async () => {
    saying(200, `[${' '.repeat(60 * 1024 * 1024)}]`, {}, '/instances');
    await expect(open().findInstances(STUDY)).rejects.toMatchObject({ code: 'ARCHIVE_RESPONSE_INVALID' });
  });

  test('a large answer is parsed in a thread, and the event loop goes on', async () => {
    const filler = { '00081030': { vr: 'LO', Value: Array.from({ length: 1_500 }, (_, n) => `value ${n}`) } };
    const rows = Array.from({ length: 300 }, (_, n) => ({
      ...(JSON.parse(ROWS) as Record<string, unknown>[])[0],
      '00080018': { vr: 'UI', Value: [`1.2.3.0.${n + 1}`] },
      '99990010': filler['00081030'],
    }));
    const body = Buffer.from(JSON.stringify(rows));
    expect(body.length).toBeGreaterThan(4 * 1024 * 1024);
    saying(200, body, {}, '/instances');
    let longest = 0;
    let last = performance.now();
    const ticks = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const parse = jest.spyOn(JSON, 'parse');
    const found = await open().findInstances(STUDY);
    clearInterval(ticks);
    const largest = Math.max(...parse.mock.calls.map(([text]) => text.length));
    parse.mockRestore();
    expect(found).toHaveLength(300);
    expect(largest).toBeLessThan(1024 * 1024);
    expect(longest).toBeLessThan(2_000);
  });
});

describe('answers to a retrieval', () => {
  test.each([
    ['206', 206, part('\r\n', FILE), { 'content-type': MULTIPART }],
    [
      '206 with the whole range',
      206,
      FILE,
      { 'content-type': 'application/dicom', 'content-range': 'bytes 0-631/632' },
    ],
    ['multipart with LF only', 200, part('\n', FILE), { 'content-type': MULTIPART }],
    ['octet-stream', 200, FILE, { 'content-type': 'application/octet-stream' }],
    ['plain DICOM', 200, FILE, { 'content-type': 'application/dicom' }],
    [
      'gzip although nobody asked',
      200,
      gzipSync(FILE),
      { 'content-type': 'application/dicom', 'content-encoding': 'gzip' },
    ],
  ])('%s is read', async (_name, status, body, headers) => {
    saying(status, body, headers);
    expect(Buffer.from(await open().retrieve(PATH)).equals(FILE)).toBe(true);
  });

  test("with LF only, a CR at the end of the file is the file's own", async () => {
    const file = Buffer.concat([FILE, Buffer.from('\r')]);
    saying(200, part('\n', file), { 'content-type': MULTIPART });
    expect(Buffer.from(await open().retrieve(PATH)).equals(file)).toBe(true);
  });

  test('a part of a file is no file', async () => {
    saying(206, FILE.subarray(0, 300), { 'content-type': 'application/dicom', 'content-range': 'bytes 0-299/632' });
    await expect(open().retrieve(PATH)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      lasting: 'transient',
    });
  });

  test('a packed file is bounded by what it unpacks to', async () => {
    saying(200, gzipSync(Buffer.alloc(1_000_000)), { 'content-type': 'application/dicom', 'content-encoding': 'gzip' });
    await expect(open({ maxObjectBytes: 10_000 }).retrieve(PATH)).rejects.toMatchObject({ code: 'DICOM_UNREADABLE' });
  });
});

const STORED = JSON.stringify({
  '00081199': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: [OBJECT.sopInstanceUid] } }] },
});
const EVERY: readonly [string, (archive: DicomWebArchive) => Promise<unknown>][] = [
  ['a search', (archive) => archive.findSeries(STUDY)],
  ['a retrieval', (archive) => archive.retrieve(PATH)],
  ['a store', (archive) => archive.store(STUDY, [OBJECT])],
];

describe('redirects and pages', () => {
  test.each([307, 308])('%i to the same origin is followed, with method, body and credentials', async (status) => {
    const moved: { method: string; url: string; authorization: string | undefined; length: number }[] = [];
    answering((request, response) => {
      if (!request.url!.startsWith('/new/'))
        return void response.writeHead(status, { location: request.url!.replace('/dicom-web', '/new') }).end();
      const pieces: Buffer[] = [];
      request
        .on('data', (piece: Buffer) => pieces.push(piece))
        .on('end', () => {
          const { method, url, headers } = request;
          const length = Buffer.concat(pieces).length;
          moved.push({ method: method!, url: url!, authorization: headers.authorization, length });
          response.end(STORED);
        });
    });
    await open({ auth: { kind: 'bearer', token: 't0' } }).store(STUDY, [OBJECT]);
    expect(moved).toMatchObject([{ method: 'POST', url: `/new/studies/${STUDY}`, authorization: 'Bearer t0' }]);
    expect(moved[0]!.length).toBeGreaterThan(FILE.length);
  });

  test.each(EVERY)(
    '%s: a sign-in page is an outage and is named, and no other origin hears of it',
    async (_name, ask) => {
      const page = '<!DOCTYPE html><html>Doe^Jane</html>';
      for (const [status, headers, text] of [
        [302, { location: '/login' }, 'answers with a sign-in page'],
        [303, { location: `${other.origin}/login` }, 'answers with a sign-in page'],
        [307, { location: `${other.origin}/dicom-web` }, 'answers with a redirect to another address'],
        [301, { location: `${other.origin}/dicom-web` }, 'answers with a redirect to another address'],
        [308, {}, 'answers with a redirect'],
        [200, { 'content-type': 'text/html; charset=utf-8' }, 'answers with a sign-in page'],
      ] as const) {
        saying(status, page, headers);
        const error = await ask(open({ auth: { kind: 'bearer', token: 't0' } })).catch((failure: unknown) => failure);
        const code = status === 200 ? 'ARCHIVE_RESPONSE_INVALID' : 'ARCHIVE_UNAVAILABLE';
        expect(error).toMatchObject({ code, lasting: 'transient', message: expect.stringContaining(text) as string });
        expect((error as HilumError).message).not.toContain('Doe');
        expect(isAway(error)).toBe(true);
      }
      expect(other.requests).toEqual([]);
    },
  );

  test('a page that says it is DICOM JSON is one all the same; redirects without end are an outage', async () => {
    saying(200, '\n<html><body>Doe^Jane', { 'content-type': 'application/dicom+json' });
    await expect(open().findSeries(STUDY)).rejects.toMatchObject({
      code: 'ARCHIVE_RESPONSE_INVALID',
      isAway: true,
      message: expect.stringContaining('sign-in page') as string,
    });
    answering((request, response) => void response.writeHead(307, { location: request.url! }).end());
    await expect(open().findSeries(STUDY)).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
    expect(server.requests.length).toBeLessThan(10);
  });
});

test('413 to a store names the size that was refused', async () => {
  saying(413);
  await expect(open().store(STUDY, [OBJECT])).rejects.toMatchObject({
    code: 'ARCHIVE_REFUSED',
    lasting: 'permanent',
    message: expect.stringMatching(/refused to store \d{3,4} bytes in one request \(HTTP 413\)/) as string,
  });
});
