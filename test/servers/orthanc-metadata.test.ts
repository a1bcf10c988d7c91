import { parseUid } from '../../src/dicom/uid';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { OrthancMetadata } from '../../src/sinks/orthanc-metadata/client';
import { type MetadataValues, readTriage } from '../../src/sinks/orthanc-metadata/message';
import { metadataSink } from '../../src/sinks/orthanc-metadata/sink';
import type { StudyRecord } from '../../src/sinks/record';
import { RECORD, resultOf } from '../support/records/result-record';
import { FaultProxy } from '../support/servers/fault-proxy';
import { droppingAnswer } from '../support/servers/faults';
import { type Orthanc, Servers } from '../support/servers/servers';

const servers = new Servers();
const USER = { kind: 'basic', username: 'hilum', password: 'secret' } as const;
const AUTHORIZATION = `Basic ${Buffer.from('hilum:secret').toString('base64')}`;
const INDEXES = { priority: 1024, probability: 1025, written: 1026 };

let orthanc: Orthanc;
let seed = 900;

beforeAll(async () => {
  // Names are for people; the numbers work with and without.
  orthanc = await servers.orthanc({
    users: { hilum: 'secret' },
    config: { CheckRevisions: true, UserMetadata: { HilumPriority: 1024 } },
  });
}, 120_000);
afterAll(() => servers.stop());

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${orthanc.url}${path}`, {
    ...init,
    headers: { authorization: AUTHORIZATION, ...(init.headers as Record<string, string>) },
  });

async function study(): Promise<{ id: string; record: StudyRecord }> {
  const drawn: SyntheticObject = { view: 'PA', rows: 32, columns: 32, seed: seed++ };
  const answer = await call('/instances', { method: 'POST', body: Buffer.from(syntheticDicom(drawn)) });
  expect(answer.status).toBe(200);
  const { ParentStudy } = (await answer.json()) as { ParentStudy: string };
  return { id: ParentStudy, record: { ...RECORD, studyInstanceUid: syntheticUids(drawn).studyInstanceUid } };
}

async function values(id: string): Promise<MetadataValues> {
  const read = async (index: number) => {
    const answer = await call(`/studies/${id}/metadata/${index}`);
    return answer.status === 200 ? answer.text() : '';
  };
  return { priority: await read(1024), probability: await read(1025), written: await read(1026) };
}

async function deliver(
  record: StudyRecord,
  options: { url?: string; auth?: { kind: 'none' }; responseTimeoutMs?: number } = {},
): Promise<void> {
  const sink = metadataSink(new OrthancMetadata({ url: orthanc.url, auth: USER, ...options }), INDEXES);
  try {
    await sink.deliver(resultOf(record));
  } finally {
    await sink.close();
  }
}

test('priority and probability are there, by number and by registered name, for a worklist to read', async () => {
  const { id, record } = await study();
  await deliver(record);
  await deliver(record);
  expect(readTriage(await values(id))).toEqual({ priority: 'HIGH', probability: 0.93, setBy: 'hilum' });
  expect(await (await call(`/studies/${id}/metadata/HilumPriority`)).text()).toBe('HIGH');
  await deliver({ ...record, priority: 'routine', key: parseUid('2.25.5') });
  expect(readTriage(await values(id))).toEqual({ priority: 'MEDIUM', probability: 0.93, setBy: 'hilum' });
});

test('what a person set is not lowered', async () => {
  const { id, record } = await study();
  expect((await call(`/studies/${id}/metadata/1024`, { method: 'PUT', body: 'HIGH' })).status).toBe(200);
  await deliver({ ...record, priority: 'routine' });
  expect(readTriage(await values(id))).toEqual({ priority: 'HIGH', probability: 0.93, setBy: 'other' });
});

test('a change between reading and writing is seen where Orthanc compares revisions', async () => {
  const { id } = await study();
  const client = new OrthancMetadata({ url: orthanc.url, auth: USER });
  expect(await client.write(id, 1024, 'MEDIUM', '')).toBe(true);
  const read = await client.read(id, 1024);
  expect(read.value).toBe('MEDIUM');
  expect(read.etag).not.toBe('');
  expect(await client.write(id, 1024, 'LOW', '')).toBe(false);
  expect(await client.write(id, 1024, 'LOW', '"99-00000000000000000000000000000000"')).toBe(false);
  expect(await client.write(id, 1024, 'HIGH', read.etag)).toBe(true);
  await client.close();
});

test('not there, not let in, not an Orthanc', async () => {
  const { record } = await study();
  await expect(deliver({ ...record, studyInstanceUid: parseUid('1.2.3.4.5') })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    lasting: 'permanent',
  });
  await expect(deliver(record, { auth: { kind: 'none' } })).rejects.toMatchObject({
    code: 'RECEIVER_UNAUTHORISED',
    lasting: 'permanent',
  });
  await expect(deliver(record, { url: orthanc.dicomWebUrl })).rejects.toMatchObject({ code: 'RECEIVER_REFUSED' });
});

test('a connection cut at any request: what only reads is asked again, else the next try ends the same', async () => {
  const proxy = await FaultProxy.open(orthanc.url);
  const cut = new Set<string>();
  try {
    for (let at = 0; at < 7; at++) {
      const { id, record } = await study();
      proxy.reset();
      proxy.on((_request, before) => before.length === at, droppingAnswer);
      const [outcome] = await Promise.allSettled([deliver(record, { url: proxy.url })]);
      const { method } = proxy.requests[at]!;
      cut.add(method);
      if (method === 'GET') expect(outcome.status).toBe('fulfilled');
      else
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: { code: 'RECEIVER_UNREACHABLE', lasting: 'transient' },
        });
      await deliver(record, { url: proxy.url });
      expect(readTriage(await values(id))).toEqual({ priority: 'HIGH', probability: 0.93, setBy: 'hilum' });
    }
    expect([...cut].sort()).toEqual(['GET', 'POST', 'PUT']);
  } finally {
    await proxy.close();
  }
}, 120_000);
