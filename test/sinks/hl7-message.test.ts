import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deriveUid } from '../../src/dicom/uid';
import { readAck } from '../../src/hl7/acknowledgement';
import { dicomMoment, escapeText, personName } from '../../src/hl7/text';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { controlIdOf, encodeOru, type Hl7Options } from '../../src/sinks/hl7/message';
import type { StudyRecord } from '../../src/sinks/record';
import { RECORD, withProbability } from '../support/records/result-record';

const OPTIONS = hl7Schema.parse({});
const segmentsOf = (record: StudyRecord, more: Partial<Hl7Options> = {}) =>
  encodeOru(record, { ...OPTIONS, ...more })
    .toString('utf8')
    .split('\r')
    .slice(0, -1);
const segment = (name: string, record = RECORD, more: Partial<Hl7Options> = {}) =>
  segmentsOf(record, more)
    .find((text) => text.startsWith(`${name}|`))
    ?.split('|') ?? [];

test('the whole message, byte for byte', () => {
  expect(segmentsOf(RECORD, { sendingFacility: 'HOSP^1.2.3^ISO', receivingApplication: 'RIS' })).toEqual([
    `MSH|^~\\&|HILUM|HOSP^1.2.3^ISO|RIS||20260301101542+0000||ORU^R01^ORU_R01|${controlIdOf(RECORD.key, 'short')}|P|2.5.1||||||UNICODE UTF-8`,
    'PID|1||P\\F\\1\\S\\2^^^HOSP||Müller^Jörg^^^Dr.^^L||19700102|M',
    'PV1|1|U||||||^Weiß^Anna',
    'ORC|RE|PL-1|FI-1',
    'OBR|1|PL-1|FI-1|36554-4^XR Chest Single view^LN^RP1^Röntgen Thorax^L|||20260301101500+0100|||||||||||A-77||||20260301101542+0000||RAD|P',
    'NTE|1|L|Research use only - not for diagnosis. Unverified.',
    ...[
      ['ST', '110180^Study Instance UID^DCM', '', RECORD.studyInstanceUid],
      ['ST', 'priority^Suggested reading priority^99HILUM', '', 'urgent'],
      ['ST', 'model^Model^99HILUM', '', 'covid-vgg19-lungs 1.0.0'],
      ['ST', 'film^SOP Instance UID of the film^99HILUM', '1', RECORD.films[0]!.sopInstanceUid],
      ['ST', 'outcome^Outcome of the analysis^99HILUM', '1', 'analysed'],
      ['TX', '121111^Summary^DCM', '1', 'Probability of COVID-19 93.0 %, at or above the operating point (50.0 %).'],
      ['CWE', '111031^Image View^DCM', '1', '399033003^frontal^SCT'],
      ['CWE', 'positive-class^What the probability is of^99HILUM', '1', '840539006^COVID-19^SCT'],
      [
        'NM',
        'probability^Probability of the positive class, 0 to 1^99HILUM^122157^Probability^DCM',
        '1',
        '0.93',
        '1^no units^UCUM',
      ],
      ['NM', 'operating-point^Operating point, 0 to 1^99HILUM', '1', '0.5', '1^no units^UCUM'],
      ['NM', 'lung-fraction^Lung pixels per film pixels, 0 to 1^99HILUM', '1', '0.31', '1^no units^UCUM'],
      ['TX', 'remark^Remark on the film^99HILUM', '1', 'the evidence may lie outside the lungs'],
      ['ST', 'report^SOP Instance UID of the report^99HILUM', '1', RECORD.films[0]!.outputs[1]!.sopInstanceUid],
      ['ST', 'film^SOP Instance UID of the film^99HILUM', '2', RECORD.films[1]!.sopInstanceUid],
      ['ST', 'outcome^Outcome of the analysis^99HILUM', '2', 'not-analysed'],
      [
        'TX',
        '121111^Summary^DCM',
        '2',
        'Not analysed because the film looks like a lateral view; only frontal films are analysed',
      ],
      ['CWE', '111031^Image View^DCM', '2', '399067008^lateral^SCT'],
      ['ST', 'reason^Reason not analysed, code^99HILUM', '2', 'lateral-view'],
      [
        'TX',
        'reason-text^Reason not analysed^99HILUM',
        '2',
        'the film looks like a lateral view; only frontal films are analysed',
      ],
      ['ST', 'report^SOP Instance UID of the report^99HILUM', '2', RECORD.films[1]!.outputs[0]!.sopInstanceUid],
      ['ST', 'film^SOP Instance UID of the film^99HILUM', '3', RECORD.films[2]!.sopInstanceUid],
      ['ST', 'outcome^Outcome of the analysis^99HILUM', '3', 'rejected'],
      ['TX', '121111^Summary^DCM', '3', 'Not analysed because the film is of HAND'],
      ['ST', 'reason^Reason not analysed, code^99HILUM', '3', 'body-part'],
      ['TX', 'reason-text^Reason not analysed^99HILUM', '3', 'the film is of HAND'],
    ].map(
      ([type, concept, group, value, unit = ''], index) =>
        `OBX|${index + 1}|${type}|${concept}|${group}|${value}|${unit}|||||P|||20260301101542+0000||||Hilum 0.1.0`,
    ),
  ]);
});

test('the same record makes the same bytes, another key another MSH-10 of at most 20 characters, or the key itself', () => {
  expect(encodeOru(RECORD, OPTIONS)).toEqual(encodeOru({ ...RECORD }, OPTIONS));
  const ids = Array.from({ length: 500 }, (_, n) => controlIdOf(deriveUid(['control', String(n)]), 'short'));
  expect(new Set(ids).size).toBe(500);
  for (const id of ids) expect(id).toMatch(/^H[0-9A-HJKMNP-TV-Z]{19}$/);
  expect(segment('MSH', RECORD, { controlId: 'uid' })[9]).toBe(RECORD.key);
});

test('the accession number goes where the site says, and never over an order number of the film', () => {
  const where = (record: StudyRecord, accession: Hl7Options['accession']) =>
    [2, 3, 18].map((field) => segment('OBR', record, { accession })[field] ?? '');
  const bare = {
    ...RECORD,
    order: { ...RECORD.order, PlacerOrderNumberImagingServiceRequest: '', FillerOrderNumberImagingServiceRequest: '' },
  };
  expect([where(RECORD, 'OBR-18'), where(RECORD, 'OBR-3'), where(RECORD, 'OBR-2')]).toEqual([
    ['PL-1', 'FI-1', 'A-77'],
    ['PL-1', 'FI-1', ''],
    ['PL-1', 'FI-1', ''],
  ]);
  expect([where(bare, 'OBR-18'), where(bare, 'OBR-3'), where(bare, 'OBR-2')]).toEqual([
    ['', '', 'A-77'],
    ['', 'A-77^RIS', ''],
    ['A-77^RIS', '', ''],
  ]);
});

test("the film's procedure comes first where the site says so and the film has one", () => {
  expect(segment('OBR', RECORD, { procedure: 'film' })[4]).toBe('RP1^Röntgen Thorax^L^36554-4^XR Chest Single view^LN');
  const none = { ...RECORD, order: { ...RECORD.order, RequestedProcedureID: '', RequestedProcedureDescription: '' } };
  expect(segment('OBR', none, { procedure: 'film' })[4]).toBe('36554-4^XR Chest Single view^LN');
});

test('what is not known is left out: no PV1 without a physician, no priority where nothing was analysed', () => {
  expect(segment('PV1', { ...RECORD, study: { ...RECORD.study, ReferringPhysicianName: '' } })).toEqual([]);
  expect(segmentsOf({ ...RECORD, priority: null }).join()).not.toContain('priority^');
});

test.each([
  [5.2e-8, '0.000000052'],
  [1e-7, '0.0000001'],
  [1.25e-10, '0.000000000125'],
  [0.000001, '0.000001'],
  [0, '0'],
  [1, '1'],
  [Math.fround(0.1), '0.10000000149011612'],
])('a number has sign, digits and decimal point only: %d', (value, text) => {
  const film = { ...withProbability(RECORD.films[0]!, value), lungFraction: value };
  const numbers = segmentsOf({ ...RECORD, films: [film] })
    .map((row) => row.split('|'))
    .filter(([name, , type]) => name === 'OBX' && type === 'NM')
    .map((fields) => fields[5]);
  expect(numbers).toEqual([text, '0.5', text]);
  expect(Number(text)).toBe(value);
});

test.each([Number.MIN_VALUE, Math.fround(1.2e-39), 1.7976931e-300])('%d is no bare 0', (value) => {
  const row = segmentsOf({ ...RECORD, films: [withProbability(RECORD.films[0]!, value)] }).find((line) =>
    line.includes('|probability^'),
  )!;
  expect(row.split('|')[5]).toMatch(/^0\.\d+$/);
  expect(Number(row.split('|')[5])).toBe(value);
});

test('OBX-3 and OBX-4 together are unique, and say which values belong to one finding', () => {
  const [film] = RECORD.films;
  const finding = film!.findings[0]!;
  const other = { ...finding, operatingPoint: 0.7, probability: 0.2, code: { ...finding.code, value: '233604007' } };
  const record = {
    ...RECORD,
    models: ['a', 'b', 'c'].map((id) => ({ id, version: '1.0.0' })),
    films: [{ ...film!, findings: [{ ...finding, operatingPoint: null }, other], remarks: ['one', 'two'] }],
  };
  const rows = segmentsOf(record).flatMap((line) => (line.startsWith('OBX') ? [line.split('|')] : []));
  const named = rows.map((fields) => `${fields[3]!.split('^')[0]} ${fields[4]} ${fields[5]!.split('^')[0]}`);
  expect(new Set(rows.map((fields) => `${fields[3]} ${fields[4]}`)).size).toBe(rows.length);
  expect(named).toEqual(
    expect.arrayContaining([
      'model  a 1.0.0',
      'model 0.3 c 1.0.0',
      `probability 1 ${finding.probability}`,
      'positive-class 1.2 233604007',
      'probability 1.2 0.2',
      'operating-point 1.2 0.7',
      'remark 1 one',
      'remark 1.2 two',
    ]),
  );
});

test('a film without a Patient ID is not sent', () => {
  expect(() => encodeOru({ ...RECORD, patient: { ...RECORD.patient, PatientID: '' } }, OPTIONS)).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }) as Error,
  );
});

test('below the operating point nothing is said about absence, and nothing is ever normal', () => {
  const below = { ...RECORD, priority: 'routine' as const, films: [withProbability(RECORD.films[0]!, 0.1)] };
  const text = segmentsOf(below).join('\n');
  expect(text).toContain('below the operating point (50.0 %): no statement about absence.');
  expect(text).not.toMatch(/normal|negative|no evidence|unremarkable/i);
  for (const row of segmentsOf(below).filter((line) => line.startsWith('OBX')))
    expect([row.split('|')[8], row.split('|')[11]]).toEqual(['', 'P']);
});

test.each([
  ['a|b^c&d~e\\f', 'a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f'],
  ['line\r\nbreak', 'line\\X0D\\\\X0A\\break'],
  ['\u000b\u001c', '\\X0B\\\\X1C\\'],
  ['Größe 漢', 'Größe 漢'],
])('%j is escaped', (text, expected) => expect(escapeText(text)).toBe(expected));

test.each([
  ['Doe^Jane^M^Dr.^PhD', 'Doe^Jane^M^PhD^Dr.^^L'],
  ['Yamada^Tarou=山田^太郎=やまだ^たろう', 'Yamada^Tarou^^^^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P'],
  ['', ''],
  ['^^^^', ''],
])('the name %s', (name, expected) => expect(personName(name)).toBe(expected));

test.each([
  ['20260301', '101500.123456', '+0100', '20260301101500.1234+0100'],
  ['20260301', '1015', '', '202603011015'],
  ['20260301', '10', '+0100', '20260301'],
  ['20260301', '', '+0100', '20260301'],
  ['2026.03.01', '10', '', ''],
  ['00000000', '101500', '+0100', ''],
  ['20260231', '101500', '+0100', ''],
  ['20260301', '2575', '+0100', '20260301'],
  ['20260301', '101500', '+9900', '20260301101500'],
])('moment %s %s %s', (date, time, offset, expected) => {
  expect(dicomMoment(date, time, offset)).toBe(expected);
});

describe('acknowledgements', () => {
  const ack = (msa: string, more = '') => Buffer.from(`MSH|^~\\&|RIS||HILUM||20260301||ACK|1|P|2.5.1\r${msa}\r${more}`);
  test.each(['AA', 'CA'])('%s is done', (code) =>
    expect(() => readAck(ack(`MSA|${code}|K1|Doe^Jane`), 'K1')).not.toThrow(),
  );

  test.each([
    ['MSA|AE|K1|Doe^Jane', 'RECEIVER_UNAVAILABLE', 'transient'],
    ['MSA|CE|K1', 'RECEIVER_UNAVAILABLE', 'transient'],
    ['MSA|AR|K1', 'RECEIVER_REFUSED', 'permanent'],
    ['MSA|CR|K1', 'RECEIVER_REFUSED', 'permanent'],
    ['MSA|AA|K2', 'RECEIVER_RESPONSE_INVALID', 'transient'],
    ['MSA|XX|K1', 'RECEIVER_RESPONSE_INVALID', 'transient'],
    ['', 'RECEIVER_RESPONSE_INVALID', 'transient'],
  ])('%s is %s', (msa, code, lasting) => {
    expect(() => readAck(ack(msa), 'K1')).toThrow(
      expect.objectContaining({ code, lasting, message: expect.not.stringContaining('Doe') as string }) as Error,
    );
  });

  test.each([
    ['MSA|AA| K1 ', 'K1'],
    ['MSA| AA |K1', 'K1'],
    ['MSA|AA', ''],
    ['MSA|AA||Doe^Jane', ''],
  ])('%s is done', (msa, controlId) => {
    expect(readAck(ack(msa), 'K1')).toMatchObject({ code: 'AA', controlId });
  });

  test.each([
    ['CA', 'AA', null],
    ['CA', 'AE', 'RECEIVER_UNAVAILABLE'],
    ['CA', 'AR', 'RECEIVER_REFUSED'],
    ['AR', 'CA', 'RECEIVER_REFUSED'],
  ])('%s and %s together: the application acknowledgement counts', (first, second, code) => {
    const both = Buffer.concat([ack(`MSA|${first}|K1`), ack(`MSA|${second}|K1`)]);
    if (code === null) expect(readAck(both, 'K1')).toMatchObject({ code: second });
    else expect(() => readAck(both, 'K1')).toThrow(expect.objectContaining({ code }) as Error);
  });

  test('the error names what came, by codes alone', () => {
    expect(() => readAck(ack('MSA|AE|Doe^Jane'), 'K1')).toThrow(/^the HL7 receiver sent AE to another message/);
    expect(() => readAck(ack('PID|Doe^Jane'), 'K1')).toThrow(/a message without a known code in MSA-1/);
    expect(() => readAck(Buffer.from('Doe^Jane'), 'K1')).toThrow(/no HL7 message/);
  });

  test("the receiver's error number is passed on, its text is not", () => {
    expect(() =>
      readAck(ack('MSA|AR|K1', 'ERR||PID^1^3|204^Unknown key identifier^HL70357|E||||Doe^Jane'), 'K1'),
    ).toThrow('answered AR (error 204)');
  });
});

test('docs/deliveries.md lists each field and each observation of the message, and no other', () => {
  const page = readFileSync(join(__dirname, '../../docs/deliveries.md'), 'utf8');
  const section = page.slice(page.indexOf('## HL7'), page.indexOf('\n## ', page.indexOf('## HL7') + 1));
  const documented = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);
  const replacing = { ...RECORD, films: RECORD.films.map((film) => ({ ...film, supersedes: [RECORD.key] })) };
  const all = [
    segmentsOf(replacing, { sendingFacility: 'F', receivingApplication: 'A', receivingFacility: 'R' }),
  ].flat();
  const fields = all.flatMap((text) => {
    const [name, ...values] = text.split('|');
    return values.flatMap((value, index) => (value === '' ? [] : [`${name}-${index + (name === 'MSH' ? 2 : 1)}`]));
  });
  const concepts = all
    .filter((text) => text.startsWith('OBX'))
    .map((text) => text.split('|')[3]!.split('^').slice(0, 1)[0]!);
  expect(documented.filter((entry) => /^[A-Z0-9]{3}-\d+$/.test(entry)).sort()).toEqual([...new Set(fields)].sort());
  expect(documented.filter((entry) => !/^[A-Z0-9]{3}-\d+$/.test(entry)).sort()).toEqual([...new Set(concepts)].sort());
});
