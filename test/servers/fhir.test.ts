import { type FhirOptions, fhirServer } from '../../src/sinks/fhir/client';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { fhirSink } from '../../src/sinks/fhir/sink';
import { fhirReceiver, type FhirReceiver } from '../support/receivers/fhir-receiver';
import { RECORD, resultOf, withProbability } from '../support/records/result-record';

let server: FhirReceiver;
const clients: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await fhirReceiver();
}, 120_000);

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

afterAll(() => server.stop());

async function receive(...plan: string[]): Promise<FhirReceiver> {
  await server.begin(plan);
  return server;
}

function sinkTo({ url }: Pick<FhirReceiver, 'url'>, more: Partial<FhirOptions> = {}) {
  const client = fhirServer({ url, responseTimeoutMs: 3_000, ...more });
  clients.push(client);
  return fhirSink(client, {
    patientSystem: 'http://hospital.example/patients',
    accessionSystem: undefined,
    placerSystem: undefined,
  });
}

const counts = async (receiver: FhirReceiver) =>
  Object.fromEntries(
    await Promise.all(
      ['Device', 'Observation', 'DiagnosticReport', 'Patient', 'ServiceRequest', 'ImagingStudy'].map(
        async (type) => [type, (await receiver.all(type)).length] as const,
      ),
    ),
  );
const WHOLE = { Device: 1, Observation: 4, DiagnosticReport: 1, Patient: 0, ServiceRequest: 0, ImagingStudy: 0 };

test('the server of another make validates it all and links report, observations and device', async () => {
  const receiver = await receive();
  await sinkTo(receiver).deliver(resultOf(RECORD));
  expect(await counts(receiver)).toEqual(WHOLE);
  const [report] = await receiver.all('DiagnosticReport');
  const observations = await receiver.all('Observation');
  const [device] = await receiver.all('Device');
  expect(report).toMatchObject({
    status: 'preliminary',
    subject: { identifier: { system: 'http://hospital.example/patients', value: 'P|1^2' } },
    imagingStudy: [{ identifier: { system: 'urn:dicom:uid', value: `urn:oid:${RECORD.studyInstanceUid}` } }],
  });
  expect(new Set((report!['result'] as { reference: string }[]).map(({ reference }) => reference))).toEqual(
    new Set(observations.map(({ id }) => `Observation/${String(id)}`)),
  );
  for (const { device: used, status } of observations)
    expect([used, status]).toEqual([{ reference: `Device/${String(device!['id'])}` }, 'preliminary']);
});

test('a repetition makes nothing new; a later result of the study takes the place of the one before', async () => {
  const receiver = await receive();
  const sink = sinkTo(receiver);
  await sink.deliver(resultOf(RECORD));
  await sink.deliver(resultOf(RECORD));
  expect(await counts(receiver)).toEqual(WHOLE);
  await sink.deliver(
    resultOf({
      ...RECORD,
      priority: 'routine',
      films: RECORD.films.map((film) => (film.probability === null ? film : withProbability(film, 0.2))),
    }),
  );
  expect(await counts(receiver)).toEqual(WHOLE);
  expect(String((await receiver.all('DiagnosticReport'))[0]!['conclusion'])).toContain(
    '20.0 %, below the operating point',
  );
});

test('what breaks the published profile is refused by the server, entry by entry, and that is no success', async () => {
  const receiver = await receive();
  const client = fhirServer({ url: receiver.url });
  clients.push(client);
  const bundle = encodeBundle(RECORD, {
    patientSystem: undefined,
    accessionSystem: undefined,
    placerSystem: undefined,
  });
  const broken = {
    ...bundle,
    entry: bundle.entry.map((entry) =>
      entry.resource.resourceType === 'DiagnosticReport'
        ? { ...entry, resource: { ...entry.resource, status: undefined } }
        : entry,
    ),
  };
  await expect(client.transact(broken)).rejects.toMatchObject({ code: 'RECEIVER_REFUSED', lasting: 'permanent' });
});

test.each([
  ['503', 'RECEIVER_UNAVAILABLE', 'transient'],
  ['429', 'RECEIVER_UNAVAILABLE', 'transient'],
  ['409', 'RECEIVER_UNAVAILABLE', 'transient'],
  ['422', 'RECEIVER_REFUSED', 'permanent'],
  ['401', 'RECEIVER_UNAUTHORISED', 'permanent'],
  ['hang', 'RECEIVER_TIMEOUT', 'transient'],
  ['cut', 'RECEIVER_UNREACHABLE', 'transient'],
] as const)('FHIR server: %s is %s, and the next try leaves one of each', async (step, code, lasting) => {
  const receiver = await receive(step);
  const sink = sinkTo(receiver);
  await expect(sink.deliver(resultOf(RECORD))).rejects.toMatchObject({ code, lasting });
  await sink.deliver(resultOf(RECORD));
  expect(await counts(receiver)).toEqual(WHOLE);
});

test('signs in, and the probe tells a FHIR R4 server from others', async () => {
  const receiver = await receive();
  const sink = sinkTo(receiver, { auth: { kind: 'bearer', token: 'abc' } });
  await sink.probe();
  await sink.deliver(resultOf(RECORD));
  expect(await receiver.seen()).toEqual([
    { step: 'done', authorization: 'Bearer abc', contentType: 'application/fhir+json' },
  ]);
  await expect(sinkTo({ url: `${receiver.url}/_all?x=` }).probe()).rejects.toMatchObject({
    code: expect.stringMatching(/^(CONFIG_INVALID|RECEIVER_)/) as string,
  });
});
