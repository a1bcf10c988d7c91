import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dicomWebArchive, type DicomWebArchive, type DicomWebOptions } from '../../src/archive/dicomweb';
import type { EncodedObject } from '../../src/dicom/part10';
import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { encode } from '../../src/pipeline/encode';
import { analyseFilm } from '../../src/pipeline/pipeline';
import type { Archive } from '../../src/pipeline/stage';
import { store } from '../../src/pipeline/store';
import { IDENTITY, notAnalysed } from '../support/broker/outcomes';
import { dicomFile, filmElements } from '../support/films/dicom-fixture';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import { certificate } from '../support/servers/certificates';
import { type Orthanc, Servers } from '../support/servers/servers';

const servers = new Servers();
const opened: DicomWebArchive[] = [];
const USER = { kind: 'basic', username: 'hilum', password: 'p:äss' } as const;
const CR = parseUid('1.2.840.10008.5.1.4.1.1.1');
let orthanc: Orthanc;

beforeAll(async () => {
  orthanc = await servers.orthanc({ users: { [USER.username]: USER.password } });
}, 120_000);

afterEach(async () => {
  for (const archive of opened.splice(0)) await archive.close();
});

afterAll(() => servers.stop());

function open(options: Partial<DicomWebOptions> = {}): DicomWebArchive & Archive {
  const archive = dicomWebArchive({ url: orthanc.dicomWebUrl, auth: USER, ...options });
  opened.push(archive);
  return archive;
}

function film(
  wanted: Partial<SyntheticObject> & { seed: number },
): EncodedObject & { study: ReturnType<typeof parseUid> } {
  const drawn: SyntheticObject = { view: 'PA', rows: 96, columns: 80, ...wanted };
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = syntheticUids(drawn);
  return { study: studyInstanceUid, sopClassUid: CR, seriesInstanceUid, sopInstanceUid, bytes: syntheticDicom(drawn) };
}

/**
 * Orthanc's own numbers of patients, studies, series and instances. Its size on disk is left out, as it grows by
 * itself: Orthanc 1.12's DICOMweb plug-in keeps the metadata of a series once no object of it has come for a while.
 */
async function counts(): Promise<Record<string, unknown>> {
  const authorization = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
  const statistics = await fetch(`${orthanc.url}/statistics`, { headers: { authorization } });
  expect(statistics.status).toBe(200);
  const all = (await statistics.json()) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('Count')));
}

const pixelsOf = (bytes: Uint8Array) => readPart10(bytes).pixelData;

test('identifiers and names come back whole, whatever the film and the archive make of them', async () => {
  const archive = open();
  const drawn = { seed: 77, view: 'PA', rows: 96, columns: 80 } as const;
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = syntheticUids(drawn);
  const bytes = dicomFile([
    ...filmElements({
      more: [
        [0x00080018, 'UI', sopInstanceUid],
        [0x0020000d, 'UI', studyInstanceUid],
        [0x0020000e, 'UI', seriesInstanceUid],
        [0x00080005, 'CS', 'ISO-IR 192'],
        [0x00080050, 'SH', 'ACC1\\AC2-longer-than-16'],
        [0x00100010, 'PN', Buffer.from('Müller-Żółć^Jörg', 'utf8')],
        [0x00100020, 'LO', '1234\\567'],
      ],
    }),
    [0x7fe00010, 'OW', Buffer.alloc(32)],
  ]);
  await archive.store(studyInstanceUid, [{ sopClassUid: CR, seriesInstanceUid, sopInstanceUid, bytes }]);
  const expected = {
    PatientID: '1234\\567',
    AccessionNumber: 'ACC1\\AC2-longer-than-16',
    PatientName: 'Müller-Żółć^Jörg',
  };
  const path = { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
  expect(await archive.describe(path)).toMatchObject(expected);
  expect(await archive.findStudySummary(studyInstanceUid)).toMatchObject({ PatientID: expected.PatientID });
  const source = readPart10(await archive.retrieve(path)).attributes;
  const objects = encode(notAnalysed(source), IDENTITY);
  await archive.store(studyInstanceUid, objects);
  const [report] = objects;
  expect(await archive.describe({ ...path, ...report! })).toMatchObject(expected);
});

test('a film goes in by STOW-RS, is found by QIDO-RS, and comes back byte for byte by WADO-RS', async () => {
  const archive = open();
  const object = film({ seed: 1 });
  await archive.store(object.study, [object]);
  const found = await archive.findInstances(object.study);
  expect(found).toEqual([
    {
      studyInstanceUid: object.study,
      seriesInstanceUid: object.seriesInstanceUid,
      sopInstanceUid: object.sopInstanceUid,
      sopClassUid: CR,
      modality: 'CR',
    },
  ]);
  const bytes = await archive.retrieve(found[0]!);
  expect(pixelsOf(bytes)).not.toBeNull();
  expect(pixelsOf(bytes)).toEqual(pixelsOf(object.bytes));
  expect(Buffer.from(bytes).equals(object.bytes)).toBe(true);
});

test('every kind of result is stored, listed by its modality, and comes back byte for byte', async () => {
  const archive = open();
  const { study, bytes } = film({ seed: 12 });
  const outcome = await analyseFilm(bytes, fakePipeline().pipeline);
  const identity = {
    ...fakePipeline().pipeline.identity(),
    objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
  };
  const objects = encode(outcome, identity);
  await store(study, objects, archive);
  const found = await archive.findInstances(study);
  expect(found.map(({ sopClassUid, modality }) => [sopClassUid, modality]).sort()).toEqual([
    ['1.2.840.10008.5.1.4.1.1.11.1', 'PR'],
    ['1.2.840.10008.5.1.4.1.1.30', 'OT'],
    ['1.2.840.10008.5.1.4.1.1.66.4', 'SEG'],
    ['1.2.840.10008.5.1.4.1.1.7', 'OT'],
    ['1.2.840.10008.5.1.4.1.1.88.34', 'SR'],
  ]);
  for (const object of objects)
    expect(Buffer.from(await archive.retrieve({ ...object, studyInstanceUid: study })).equals(object.bytes)).toBe(true);
});

test('stored again, it is a success and no second instance', async () => {
  const archive = open();
  const object = film({ seed: 2 });
  await archive.store(object.study, [object]);
  const before = await counts();
  await archive.store(object.study, [object]);
  expect(await counts()).toEqual(before);
  expect(await archive.findInstances(object.study)).toHaveLength(1);
});

test('several objects in one request', async () => {
  const archive = open();
  const objects = [1, 2, 3].map((instance) => film({ seed: 3, instance }));
  await archive.store(objects[0]!.study, objects);
  expect((await archive.findInstances(objects[0]!.study)).map(({ sopInstanceUid }) => sopInstanceUid).sort()).toEqual(
    objects.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
  );
});

test('a study of many instances is listed page by page', async () => {
  const archive = open({ pageSize: 50 });
  const objects = Array.from({ length: 103 }, (_, index) =>
    film({ seed: 4, rows: 16, columns: 16, instance: index + 1 }),
  );
  await archive.store(objects[0]!.study, objects);
  const found = await archive.findInstances(objects[0]!.study);
  expect(new Set(found.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(103);
}, 120_000);

test('an object of another study than the request names is refused by name', async () => {
  const archive = open();
  const object = film({ seed: 5 });
  const elsewhere = parseUid('1.2.3.4');
  await expect(archive.store(elsewhere, [object])).rejects.toMatchObject({
    code: 'STORE_FAILED',
    lasting: 'transient',
  });
  await expect(archive.store(elsewhere, [object])).rejects.toThrow(`${object.sopInstanceUid} (0x0110)`);
});

test('one good object and one bad: the bad one is not passed over', async () => {
  const archive = open();
  const good = film({ seed: 6 });
  const bad = { ...film({ seed: 6, instance: 2 }), bytes: Buffer.from('no DICOM') };
  await expect(archive.store(good.study, [good, bad])).rejects.toMatchObject({ name: 'HilumError' });
  await archive.store(good.study, [good]);
  expect(await archive.findInstances(good.study)).toHaveLength(1);
});

test('a study that is not there has no instances; an instance that is not there is NOT_FOUND', async () => {
  const archive = open();
  const object = film({ seed: 7 });
  await expect(archive.findInstances(object.study)).resolves.toEqual([]);
  await expect(archive.retrieve({ studyInstanceUid: object.study, ...object })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    lasting: 'permanent',
  });
});

test.each([
  ['a wrong password', { auth: { ...USER, password: 'wrong' } }],
  ['no sign-in', { auth: { kind: 'none' } as const }],
  ['a token it does not know', { auth: { kind: 'bearer', token: 'abc' } as const }],
])('%s is ARCHIVE_UNAUTHORISED for every method', async (_name, options) => {
  const archive = open(options);
  const object = film({ seed: 8 });
  const refused = { code: 'ARCHIVE_UNAUTHORISED', lasting: 'permanent' };
  await expect(archive.findInstances(object.study)).rejects.toMatchObject(refused);
  await expect(archive.retrieve({ studyInstanceUid: object.study, ...object })).rejects.toMatchObject(refused);
  await expect(archive.store(object.study, [object])).rejects.toMatchObject(refused);
});

test('an object above the limit is refused without being kept', async () => {
  const object = film({ seed: 9 });
  await open().store(object.study, [object]);
  await expect(
    open({ maxObjectBytes: 10_000 }).retrieve({ studyInstanceUid: object.study, ...object }),
  ).rejects.toMatchObject({ code: 'DICOM_UNREADABLE', lasting: 'permanent' });
});

test('the probe says what is allowed, what is wrong and what to do', async () => {
  expect((await open().probe()).map(({ check, ok }) => [check, ok])).toEqual([
    ['reach', true],
    ['query', true],
    ['retrieve', true],
    ['store', true],
  ]);
  const before = await counts();
  await open().probe();
  expect(await counts()).toEqual(before);
  const refused = await open({ auth: { kind: 'none' } }).probe();
  expect(refused.map(({ check, ok }) => [check, ok])).toEqual([
    ['reach', true],
    ['query', false],
  ]);
  expect(refused[1]?.text).toContain('check archive.auth');
  const elsewhere = await open({ url: `${orthanc.url}/nothing-here` }).probe();
  expect(elsewhere[1]?.text).toContain('check that archive.url is the DICOMweb root');
  const nobody = await open({ url: 'http://127.0.0.1:1/dicom-web' }).probe();
  expect(nobody).toEqual([{ check: 'reach', ok: false, text: expect.stringContaining('check archive.url') as string }]);
});

test('killed and back: an error that passes, then the film', async () => {
  const archive = open();
  const object = film({ seed: 10 });
  await archive.store(object.study, [object]);
  await orthanc.kill();
  await expect(archive.findInstances(object.study)).rejects.toMatchObject({
    code: 'ARCHIVE_UNREACHABLE',
    lasting: 'transient',
  });
  await expect(archive.store(object.study, [object])).rejects.toMatchObject({
    code: 'ARCHIVE_UNREACHABLE',
    lasting: 'transient',
  });
  await orthanc.start();
  expect(await archive.findInstances(object.study)).toHaveLength(1);
}, 120_000);

describe('TLS', () => {
  const own = certificate();
  let url = '';
  let close: () => void = () => {};

  beforeAll(async () => {
    // A gateway that asks for a client certificate and hands the request on, as sites put before Orthanc.
    const server = createServer(
      { key: own.key, cert: own.cert, ca: own.cert, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        void fetch(`${orthanc.url}${request.url ?? ''}`, {
          headers: { accept: request.headers.accept ?? '*/*', authorization: request.headers.authorization ?? '' },
        }).then(async (answer) => {
          response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
          response.end(Buffer.from(await answer.arrayBuffer()));
        });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web`;
    close = () => server.close();
  });

  afterAll(() => {
    close();
    own.remove();
  });

  test('with the authority and a client certificate of ours', async () => {
    const archive = open({ url, tls: { caFile: own.certFile, certFile: own.certFile, keyFile: own.keyFile } });
    expect(await archive.findInstances(film({ seed: 1 }).study)).toHaveLength(1);
  });

  test('an authority that is not trusted and a missing certificate are transport errors that pass', async () => {
    const study = film({ seed: 1 }).study;
    await expect(open({ url }).findInstances(study)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREACHABLE',
      lasting: 'transient',
    });
    await expect(open({ url, tls: { caFile: own.certFile } }).findInstances(study)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREACHABLE',
      lasting: 'transient',
    });
  });

  test('a file that is missing is a configuration error at once', () => {
    expect(() => open({ tls: { caFile: `${own.certFile}.none` } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error,
    );
  });
});
