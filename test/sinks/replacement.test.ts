import { deriveUid } from '../../src/dicom/uid';
import { findingOf } from '../../src/finding/finding';
import { REPLACED, WARNING_TEXTS } from '../../src/finding/wording';
import { emailMessage } from '../../src/sinks/email/message';
import { emailSink } from '../../src/sinks/email/sink';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import { metadataChanges } from '../../src/sinks/orthanc-metadata/message';
import type { StudyRecord } from '../../src/sinks/record';
import { newWorkitem } from '../../src/sinks/ups/message';
import { webhookMessage } from '../../src/sinks/webhook/message';
import { webhookSink } from '../../src/sinks/webhook/sink';
import { RECORD, RESULT, resultOf } from '../support/records/result-record';

const OLD = deriveUid(['old report']);
const [first, ...others] = RECORD.films;
const withFilm = (change: Partial<StudyRecord['films'][number]>, more: Partial<StudyRecord> = {}): StudyRecord => ({
  ...RECORD,
  ...more,
  films: [{ ...first!, ...change }, ...others],
});
const CAVEAT = WARNING_TEXTS['evidence-outside-lungs'];
const WARNED = withFilm({ warnings: ['evidence-outside-lungs'], remarks: [CAVEAT] });
const REPLACING = withFilm({ supersedes: [OLD] });
const NO_LONGER_URGENT: StudyRecord = { ...REPLACING, priority: 'routine', supersededPriority: 'urgent' };

const HL7 = hl7Schema.parse({});
const FHIR = { patientSystem: undefined, accessionSystem: undefined, placerSystem: undefined };
const UPS = { worklistLabel: 'x', routinePriority: 'MEDIUM', retrieveUrl: 'http://a' } as const;
const EMPTY = { priority: '', probability: '', written: '' };
test('the metadata of Orthanc hold the code of a warning, and are as before where there is none', () => {
  const written = (record: StudyRecord) => metadataChanges(record, EMPTY)![0]![1];
  expect(written(WARNED)).toBe(`HIGH 0.9300 ${RECORD.key} evidence-outside-lungs`);
  expect(written(RECORD)).toBe(`HIGH 0.9300 ${RECORD.key}`);
});

test('HL7: a film whose result was replaced has status C and names the earlier report; others stay P', () => {
  const segments = encodeOru(REPLACING, HL7)
    .toString()
    .split('\r')
    .map((text) => text.split('|'));
  expect(segments.find(([name]) => name === 'OBR')![25]).toBe('C');
  const statuses = segments.filter(([name]) => name === 'OBX').map((fields) => `${fields[4]} ${fields[11]}`);
  expect(new Set(statuses)).toEqual(new Set([' P', '1 C', '2 P', '3 P']));
  expect(segments.flatMap((fields) => (fields[3]?.startsWith('replaces^') ? [fields[4], fields[5]] : []))).toEqual([
    '1',
    OLD,
  ]);
  expect(encodeOru(RECORD, HL7).toString()).not.toContain('replaces');
});

test('FHIR: report and Observations are corrected, and the report names the earlier one', () => {
  const bundle = encodeBundle(REPLACING, FHIR).entry.map(({ resource }) => resource);
  expect(bundle.at(-1)).toMatchObject({
    status: 'corrected',
    extension: [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/diagnosticReport-replaces',
        valueReference: { identifier: { value: `urn:oid:${OLD}` } },
      },
    ],
    conclusion: expect.stringContaining(REPLACED) as string,
  });
  expect(bundle.filter(({ resourceType }) => resourceType === 'Observation').map(({ status }) => status)).toEqual([
    'corrected',
    'corrected',
    'preliminary',
    'preliminary',
  ]);
});

describe('FHIR: what the new result lacks of an earlier one is entered in error', () => {
  const OPACITY = findingOf(
    {
      label: 'opacity',
      code: { value: '1', scheme: '99TEST', meaning: 'Opacity' },
      operatingPoint: 0.5,
      mode: 'live',
    },
    0.7,
  );
  const { sopInstanceUid, outcome, reason, reasonText, view, probability, findings, lungFraction } = first!;
  const report = { ...first!.outputs.at(-1)!, sopInstanceUid: OLD };
  const told = { sopInstanceUid, outcome, reason, reasonText, view, probability, lungFraction, outputs: [report] };
  const earlier = [
    { ...told, findings: [...findings, { ...OPACITY, probability: 0.2 }] },
    { ...told, findings: [...findings, OPACITY] },
  ];
  const entries = (record: StudyRecord) =>
    encodeBundle(record, FHIR).entry.filter(({ resource }) => resource.resourceType === 'Observation');
  const before = entries(withFilm({ findings: [...findings, OPACITY] }));
  const NOT_ANALYSED = {
    outcome: 'not-analysed',
    reason: 'lateral-view',
    reasonText: 'x',
    probability: null,
    findings: [],
    lungFraction: null,
  } as const;
  type Change = Partial<StudyRecord['films'][number]>;

  test.each<[string, Change, string[]]>([
    ['fewer findings', {}, ['corrected', 'entered-in-error', 'corrected']],
    [
      'a finding in shadow now',
      { findings: [...findings, { ...OPACITY, mode: 'shadow' }] },
      ['corrected', 'entered-in-error', 'corrected'],
    ],
    ['another finding first', { findings: [OPACITY] }, ['corrected', 'entered-in-error', 'corrected']],
    ['not analysed', NOT_ANALYSED, ['corrected', 'entered-in-error', 'entered-in-error']],
    [
      'withdrawn',
      { ...NOT_ANALYSED, reason: 'retention-expired', withdrawn: { view, findings, lungFraction } },
      ['entered-in-error', 'entered-in-error', 'entered-in-error'],
    ],
  ])('%s', (_name, change, statuses) => {
    const record = withFilm({ supersedes: [OLD], earlier, ...change });
    const after = new Map(entries(record).map(({ request, resource }) => [request.url, resource]));
    const ofFilm = before.slice(0, 3).map(({ request }) => after.get(request.url));
    expect(ofFilm.map((resource) => resource?.status)).toEqual(statuses);
    expect(ofFilm[1]).toMatchObject({
      valueQuantity: { value: 0.7 },
      derivedFrom: [{ identifier: { value: `urn:oid:${OLD}` } }],
    });
    expect(after.size).toBe(before.length);
    const outdated = entries(record).find(({ request }) => request.url === before[1]!.request.url)!;
    expect(JSON.stringify(encodeBundle(record, FHIR).entry.at(-1))).not.toContain(outdated.fullUrl);
  });

  test('nothing where the new result has them all', () => {
    const record = { supersedes: [OLD], findings: [...findings, OPACITY] };
    expect(entries(withFilm({ ...record, earlier }))).toEqual(entries(withFilm(record)));
  });
});

test('FHIR: the same film in another study has Observations of its own', () => {
  const urls = (record: StudyRecord) =>
    encodeBundle(record, FHIR)
      .entry.filter(({ resource }) => resource.resourceType !== 'Device')
      .map(({ request }) => request.url);
  const other = urls({ ...RECORD, studyInstanceUid: deriveUid(['other study']) });
  expect(urls(RECORD).filter((url) => other.includes(url))).toEqual([]);
});

test('webhook and e-mail name what was replaced', () => {
  expect(webhookMessage(REPLACING, false).data.films[0]!.supersedes).toEqual([OLD]);
  expect(webhookMessage(RECORD, false).data.films[0]).not.toHaveProperty('supersedes');
  expect(emailMessage(REPLACING, { from: 'a@b.example', includePatient: false }).text).toContain(REPLACED);
  expect(JSON.stringify(newWorkitem(REPLACING, UPS))).toContain(REPLACED);
});

describe('a site that hears of urgent results only', () => {
  const event = { ...RESULT, films: [{ ...RESULT.films[0]!, supersedes: [OLD] }] };
  const settings = { when: 'urgent', includePatient: false, secret: `whsec_${'A'.repeat(32)}` } as const;
  const told: string[] = [];
  const post = async (body: string) => void told.push(body);
  const sinks = [
    webhookSink({ post, probe: async () => {}, close: async () => {} }, settings),
    emailSink(
      { send: async ({ text }) => void told.push(text), probe: async () => {}, close: async () => {} },
      { ...settings, from: 'a@b.example', perMinute: 9 },
    ),
  ];

  test('hears that one which was urgent is not any more, and nothing of one that never was', async () => {
    for (const sink of sinks) {
      expect(sink.wants({ ...event, priority: 'routine' })).toBe(true);
      expect(sink.wants({ ...RESULT, priority: 'routine' })).toBe(false);
      told.length = 0;
      await sink.deliver({ kind: 'replacement', record: NO_LONGER_URGENT });
      expect(told).toHaveLength(1);
      await sink.deliver({ kind: 'replacement', record: { ...NO_LONGER_URGENT, supersededPriority: 'routine' } });
      await sink.deliver(resultOf({ ...RECORD, priority: 'routine' }));
      expect(told).toHaveLength(1);
    }
  });
});

test('metadata: a result that was taken back is HIGH no more, unless a person said so', () => {
  const taken = withFilm({ supersedes: [OLD], probability: null, findings: [] }, { priority: null });
  const there = { priority: 'HIGH', probability: '0.9300', written: 'HIGH 0.9300 1.2' };
  expect(metadataChanges(taken, there)).toEqual([
    ['priority', 'MEDIUM'],
    ['probability', ''],
    ['written', `MEDIUM  ${RECORD.key}`],
  ]);
  expect(metadataChanges(taken, { ...there, written: 'MEDIUM 0.1 1.2' })!.map(([name]) => name)).not.toContain(
    'priority',
  );
});
