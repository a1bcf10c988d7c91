import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiagnosticReport } from 'fhir/r4';
import { deriveUid } from '../../src/dicom/uid';
import { encodeBundle, uuidOf } from '../../src/sinks/fhir/message';
import type { StudyRecord } from '../../src/sinks/record';
import { RECORD, withProbability } from '../support/records/result-record';

const OPTIONS = {
  patientSystem: undefined,
  accessionSystem: 'http://hospital.example/accession',
  placerSystem: undefined,
};
const resources = (record: StudyRecord = RECORD) => encodeBundle(record, OPTIONS).entry.map(({ resource }) => resource);
const report = (record: StudyRecord = RECORD) => resources(record).at(-1) as DiagnosticReport;
const probabilities = (record: StudyRecord = RECORD) => resources(record).filter((resource) => 'component' in resource);

test('the same record makes the same bundle; identifiers and references follow from what they are about', () => {
  expect(encodeBundle(RECORD, OPTIONS)).toEqual(encodeBundle({ ...RECORD }, OPTIONS));
  const other = encodeBundle({ ...RECORD, completedAt: '2026-03-02T00:00:00.000Z' }, OPTIONS);
  expect(other.entry.map(({ fullUrl, request }) => [fullUrl, request])).toEqual(
    encodeBundle(RECORD, OPTIONS).entry.map(({ fullUrl, request }) => [fullUrl, request]),
  );
  expect(new Set(other.entry.map(({ fullUrl }) => fullUrl)).size).toBe(other.entry.length);
});

test('a Device is made once, all else is found by its identifier', () => {
  expect(
    encodeBundle(RECORD, OPTIONS).entry.map(({ request: { method, url, ifNoneExist } }) => [
      method,
      url.split('?')[0],
      ifNoneExist === undefined,
    ]),
  ).toEqual([
    ['POST', 'Device', false],
    ['PUT', 'Observation', true],
    ['PUT', 'Observation', true],
    ['PUT', 'Observation', true],
    ['PUT', 'Observation', true],
    ['PUT', 'DiagnosticReport', true],
  ]);
});

test('without a readable report the version of the software is unknown: no empty text, which FHIR refuses', () => {
  const [device] = resources({ ...RECORD, softwareVersion: '' });
  expect(device).toMatchObject({ version: RECORD.models.map(({ version }) => ({ value: version })) });
  expect(JSON.stringify(resources({ ...RECORD, softwareVersion: '', models: [] }))).not.toMatch(/":""|"version":\[\]/);
});

test('preliminary, and the conclusion says what it is for and never that something is absent', () => {
  const text = String(report().conclusion);
  expect(report()).toMatchObject({
    status: 'preliminary',
    effectiveDateTime: '2026-03-01T10:15:00+01:00',
    category: [{ coding: [{ code: 'RAD' }] }],
    code: { coding: [{ code: '18748-4' }, { code: '36554-4' }] },
  });
  expect(text.split('\n')).toEqual([
    'Research use only - not for diagnosis. Unverified.',
    'Suggested reading priority: urgent.',
    'Film 1: Probability of COVID-19 93.0 %, at or above the operating point (50.0 %).',
    'Film 2: Not analysed because the film looks like a lateral view; only frontal films are analysed',
    'Film 3: Not analysed because the film is of HAND',
  ]);
  const below = String(report({ ...RECORD, films: [withProbability(RECORD.films[0]!, 0.1)] }).conclusion);
  expect(below).toContain('no statement about absence');
  expect(below).not.toMatch(/normal|negative|no evidence/i);
});

test('a film that was not analysed has no value but says why', () => {
  const [analysed, lateral, hand] = probabilities();
  expect(analysed).toMatchObject({ valueQuantity: { value: 0.93, code: '1' } });
  expect(analysed).not.toHaveProperty('dataAbsentReason');
  for (const film of [lateral, hand]) {
    expect(film).not.toHaveProperty('valueQuantity');
    expect(film).toMatchObject({
      dataAbsentReason: {
        coding: [{ code: 'not-performed' }],
        text: expect.stringContaining('Not analysed because') as string,
      },
    });
  }
});

test('patient, order and study are named by identifiers and not made', () => {
  expect(resources().map(({ resourceType }) => resourceType)).not.toEqual(expect.arrayContaining(['Patient']));
  expect(report().subject).toEqual({
    type: 'Patient',
    identifier: {
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
      value: 'P|1^2',
      assigner: { display: 'HOSP' },
    },
  });
  expect(report().basedOn).toMatchObject([
    { identifier: { system: 'http://hospital.example/accession', value: 'A-77' } },
    { identifier: { value: 'PL-1' } },
  ]);
  expect(() => encodeBundle({ ...RECORD, patient: { ...RECORD.patient, PatientID: '' } }, OPTIONS)).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED' }) as Error,
  );
});

test.each([
  ['20260301', '', '', '2026-03-01'],
  ['20260301', '1015', '+0100', '2026-03-01T10:15:00+01:00'],
  ['20260301', '101500', '', '2026-03-01'],
  ['', '101500', '+0100', undefined],
  ['00000000', '101500', '+0100', undefined],
  ['00000101', '101500', '+0100', undefined],
  ['20260231', '101500', '+0100', undefined],
  ['20261301', '', '', undefined],
  ['20260301', '2575', '+0100', '2026-03-01'],
  ['20260301', '240000', '+0100', '2026-03-01'],
  ['20260301', '101575', '+0100', '2026-03-01'],
  ['20260301', '235960', '+0100', '2026-03-01'],
  ['20260301', '101500.123', '+0100', '2026-03-01T10:15:00+01:00'],
  ['20260301', '101500', '+1400', '2026-03-01T10:15:00+14:00'],
  ['20260301', '101500', '+1430', '2026-03-01'],
  ['20260301', '101500', '-9999', '2026-03-01'],
])('study of %s %s %s', (StudyDate, StudyTime, TimezoneOffsetFromUTC, expected) => {
  expect(
    report({ ...RECORD, study: { ...RECORD.study, StudyDate, StudyTime, TimezoneOffsetFromUTC } }).effectiveDateTime,
  ).toBe(expected);
});

test('a 2.25 UID is a UUID in decimal', () => {
  expect(uuidOf(deriveUid(['x']))).toMatch(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});

test('docs/deliveries.md lists each element that is written, and no other', () => {
  const page = readFileSync(join(__dirname, '../../docs/deliveries.md'), 'utf8');
  const section = page.slice(page.indexOf('## FHIR'));
  const documented = [
    ...section
      .slice(0, section.indexOf('\n## ', 5) < 0 ? undefined : section.indexOf('\n## ', 5))
      .matchAll(/^\| `(\w+\.\w+)` \|/gm),
  ].map((match) => match[1]!);
  const replacing = { ...RECORD, films: RECORD.films.map((film) => ({ ...film, supersedes: [RECORD.key] })) };
  const written = [...resources(), ...resources(replacing)].flatMap((resource) =>
    Object.keys(resource)
      .filter((key) => key !== 'resourceType')
      .map((key) => `${resource.resourceType}.${key}`),
  );
  expect([...documented].sort()).toEqual([...new Set(written)].sort());
});
