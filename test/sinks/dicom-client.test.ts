import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseUid } from '../../src/dicom/uid';
import { isAway } from '../../src/queue/retry-policy';
import { OrthancModality } from '../../src/sinks/dicom/client';
import { NotOfferedError } from '../../src/sinks/dicom/failure';

/** The REST interface of an Orthanc, as far as it is asked: an answer for each request, and what was asked. */
class FakeOrthanc {
  readonly asked: { readonly request: string; readonly body: unknown }[] = [];
  private readonly answers = new Map<string, { status: number; body: unknown }>();
  private constructor(private readonly server: Server) {}

  static async open(): Promise<FakeOrthanc> {
    const server = createServer((request, response) => {
      void readBody(request).then((body) => {
        const name = `${request.method} ${request.url}`;
        fake.asked.push({ request: name, body });
        const { status, body: said } = fake.answers.get(name) ?? { status: 404, body: {} };
        response.writeHead(status).end(typeof said === 'string' ? said : JSON.stringify(said));
      });
    });
    const fake = new FakeOrthanc(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  answer(request: string, body: unknown, status = 200): this {
    this.answers.set(request, { status, body });
    return this;
  }

  /** As Orthanc describes an error. */
  fail(request: string, code: number, details: string, status = 500): this {
    return this.answer(request, { OrthancStatus: code, Details: details, HttpStatus: status }, status);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request) text += String(part);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

let orthanc: FakeOrthanc;
let pacs: OrthancModality;
beforeEach(async () => {
  orthanc = await FakeOrthanc.open();
  pacs = new OrthancModality({ url: `${orthanc.url}/`, modality: 'pacs', storeTimeoutMs: 2_500 });
});
afterEach(async () => {
  await pacs.close();
  await orthanc.close();
});

const ID = '0123abcd-0123abcd-0123abcd-0123abcd-0123abcd';
const OBJECT = {
  sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.7'),
  studyInstanceUid: parseUid('2.25.10'),
  seriesInstanceUid: parseUid('2.25.11'),
  sopInstanceUid: parseUid('2.25.12'),
};
const STORE = 'POST /modalities/pacs/store';
const QUERY = 'POST /modalities/pacs/query';
const ANSWERS = 'GET /queries/q1/answers?expand&simplify';
const COMMIT = 'POST /modalities/pacs/storage-commitment';
const thrown = (work: Promise<unknown>) => work.then(() => null).catch((error: unknown) => error);

test('an object is sent on its own, waited for, with the time that it may take', async () => {
  orthanc.answer(STORE, { InstancesCount: 1, FailedInstancesCount: 0 });
  await pacs.store(ID);
  expect(orthanc.asked).toEqual([{ request: STORE, body: { Resources: [ID], Synchronous: true, Timeout: 3 } }]);
});

test.each([
  [{ InstancesCount: 1, FailedInstancesCount: 1 }, 'RECEIVER_UNREACHABLE'],
  [{ InstancesCount: 0, FailedInstancesCount: 0 }, 'RECEIVER_UNREACHABLE'],
  [{ ID: 'a job that runs' }, 'RECEIVER_RESPONSE_INVALID'],
  ['<html>', 'RECEIVER_RESPONSE_INVALID'],
])('HTTP 200 is no success where the answer does not say that it was stored: %j', async (said, code) => {
  orthanc.answer(STORE, said);
  expect(await thrown(pacs.store(ID))).toMatchObject({ code, lasting: 'transient' });
});

test('an object that the PACS calls a duplicate is stored (0111)', async () => {
  orthanc.fail(STORE, 9, 'C-STORE SCU to AET "PACS" has failed with DIMSE status 0x0111');
  expect(await thrown(pacs.store(ID))).toBeNull();
});

test.each([
  [9, 'C-STORE SCU to AET "PACS" has failed with DIMSE status 0xA700', 'RECEIVER_UNAVAILABLE', true],
  [9, 'C-STORE SCU to AET "PACS" has failed with DIMSE status 0x0110', 'RECEIVER_UNAVAILABLE', false],
  [9, 'DicomAssociation - connecting to AET "PACS": Connection refused', 'RECEIVER_UNREACHABLE', true],
])('what may pass is tried again: %s %s', async (code, details, expected, away) => {
  orthanc.fail(STORE, code, details);
  const error = await thrown(pacs.store(ID));
  expect(error).toMatchObject({ code: expected, lasting: 'transient' });
  expect(isAway(error)).toBe(away);
});

test('a modality that Orthanc does not know is named, and waited for', async () => {
  const error = await thrown(pacs.echo());
  expect(error).toMatchObject({ message: 'Orthanc does not know the modality pacs: see its DicomModalities' });
  expect(isAway(error)).toBe(true);
});

test('a password that Orthanc does not take is no word of the PACS', async () => {
  orthanc.answer(STORE, '', 401);
  expect(await thrown(pacs.store(ID))).toMatchObject({ code: 'RECEIVER_UNAUTHORISED' });
});

test('an error without a description, or of a proxy, is tried again', async () => {
  orthanc.answer(STORE, {}, 500);
  expect(await thrown(pacs.store(ID))).toMatchObject({ code: 'RECEIVER_UNAVAILABLE', lasting: 'transient' });
  orthanc.answer(STORE, '<html>', 502);
  expect(isAway(await thrown(pacs.store(ID)))).toBe(true);
});

test('a search is by the three UIDs at the level of objects, counts only that object, and is removed', async () => {
  orthanc.answer(QUERY, { ID: 'q1' }).answer('DELETE /queries/q1', {});
  orthanc.answer(ANSWERS, [{ SOPInstanceUID: '2.25.13' }, {}]);
  expect(await pacs.has(OBJECT)).toBe(false);
  orthanc.answer(ANSWERS, [{ SOPInstanceUID: '2.25.12' }]);
  expect(await pacs.has(OBJECT)).toBe(true);
  const Query = { StudyInstanceUID: '2.25.10', SeriesInstanceUID: '2.25.11', SOPInstanceUID: '2.25.12' };
  expect(orthanc.asked[0]).toEqual({ request: QUERY, body: { Level: 'Instance', Query } });
  expect(orthanc.asked.filter(({ request }) => request === 'DELETE /queries/q1')).toHaveLength(2);
});

test.each([
  ['no context', 2016, 'Remote AET is PACS', 500, 'permanent'],
  // Orthanc's own status for "unable to process".
  ['C000', 9, 'C-FIND SCU to AET "PACS" has failed with DIMSE status 0xC000 (unable to process)', 422, 'transient'],
  ['A900', 9, 'C-FIND SCU to AET "PACS" has failed with DIMSE status 0xA900', 500, 'transient'],
])(
  'a search that fails at the PACS is a way that it does not offer: %s',
  async (_name, code, details, status, lasting) => {
    orthanc.fail(QUERY, code, details, status);
    const error = await thrown(pacs.has(OBJECT));
    expect(error).toBeInstanceOf(NotOfferedError);
    expect(error).toMatchObject({ lasting });
  },
);

test('a search and a commitment that Orthanc has forgotten, as it was restarted, are tried again', async () => {
  orthanc.answer(QUERY, { ID: 'q1' });
  expect(await thrown(pacs.has(OBJECT))).toMatchObject({ code: 'RECEIVER_UNAVAILABLE', lasting: 'transient' });
  expect(await thrown(pacs.commitment('2.25.1'))).toMatchObject({ code: 'RECEIVER_UNAVAILABLE', lasting: 'transient' });
});

test('a commitment is asked for by SOP Class and Instance; only what the PACS reports counts', async () => {
  orthanc.answer(COMMIT, { ID: '2.25.77' });
  expect(await pacs.commit([OBJECT])).toBe('2.25.77');
  expect(orthanc.asked).toEqual([
    { request: COMMIT, body: { DicomInstances: [['1.2.840.10008.5.1.4.1.1.7', '2.25.12']] } },
  ]);
  const report = 'GET /storage-commitment/2.25.77';
  orthanc.answer(report, { Status: 'Pending', RemoteAET: 'PACS' });
  expect(await pacs.commitment('2.25.77')).toEqual({ state: 'pending', committed: new Set() });
  orthanc.answer(report, { Status: 'Failure', Success: [{ SOPInstanceUID: '2.25.12' }], Failures: [{}] });
  expect(await pacs.commitment('2.25.77')).toEqual({ state: 'failure', committed: new Set(['2.25.12']) });
});

test.each([
  ['2015, no context', 2015, 'Unable to negotiate a presentation context with AET PACS', 'permanent'],
  ['refused', 9, 'Storage commitment - The request cannot be handled by remote AET: PACS', 'transient'],
])('a commitment that the PACS refuses is a way that it does not offer: %s', async (_name, code, details, lasting) => {
  orthanc.fail(COMMIT, code, details);
  const error = await thrown(pacs.commit([OBJECT]));
  expect(error).toBeInstanceOf(NotOfferedError);
  expect(error).toMatchObject({ lasting });
});

test('objects and their origin are looked up', async () => {
  orthanc.answer('POST /tools/lookup', [
    { ID: ID.replaceAll('a', 'b'), Type: 'Series' },
    { ID, Type: 'Instance' },
  ]);
  expect(await pacs.find(OBJECT.sopInstanceUid)).toBe(ID);
  orthanc.answer('POST /tools/lookup', []);
  expect(await pacs.find(OBJECT.sopInstanceUid)).toBeNull();
  expect(await pacs.origin(ID)).toBe('');
  orthanc.answer(`GET /instances/${ID}/metadata/RemoteAET`, 'CR1');
  expect(await pacs.origin(ID)).toBe('CR1');
});
