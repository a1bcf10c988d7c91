import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { encode, readResult, resultUids, type AnalysisIdentity } from '../../src/pipeline/encode';
import { resultOf } from '../../src/pipeline/notify';
import { dciodvfy, pydicom } from '../support/judges';
import { analysed, BARE_FILM, IDENTITY, notAnalysed, realFilms } from '../support/outcomes';

const FILM = parseUid(BARE_FILM.SOPInstanceUID);

test('an analysed film gives its heat map and then, last, its report, under the UIDs that were known before', () => {
  const objects = encode(analysed(BARE_FILM), IDENTITY);
  const { heatMap, report } = resultUids(FILM, IDENTITY);
  expect(objects.map(({ sopClassUid, seriesInstanceUid, sopInstanceUid }) => [sopClassUid, seriesInstanceUid, sopInstanceUid])).toEqual([
    ['1.2.840.10008.5.1.4.1.1.7', heatMap.series, heatMap.instance],
    ['1.2.840.10008.5.1.4.1.1.88.34', report.series, report.instance],
  ]);
  for (const { bytes, sopInstanceUid } of objects) expect(readPart10(bytes)).toMatchObject({ sopInstanceUid, attributes: { StudyInstanceUID: BARE_FILM.StudyInstanceUID } });
  for (const { bytes } of objects) expect(dciodvfy(bytes).errors).toEqual([]);
});

test('a film not analysed gives a report under the same UID, a rejected one nothing', () => {
  expect(encode(notAnalysed(BARE_FILM), IDENTITY).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([resultUids(FILM, IDENTITY).report.instance]);
  expect(encode({ outcome: 'rejected', sopInstanceUid: FILM, refusal: { reason: 'body-part', text: 'a hand' } }, IDENTITY)).toEqual([]);
});

test('the report alone tells the whole result again', () => {
  for (const outcome of [analysed(BARE_FILM), notAnalysed(BARE_FILM), { ...notAnalysed(BARE_FILM), view: null, lungFraction: 1 / 3 }]) {
    const objects = encode(outcome, IDENTITY);
    expect(readResult(objects[objects.length - 1]!.bytes)).toEqual(resultOf(FILM, outcome, objects));
  }
});

test('the same analysis gives the same bytes', () => {
  const [once, again] = [encode(analysed(BARE_FILM), IDENTITY), encode(analysed(BARE_FILM), IDENTITY)];
  expect(once.map(({ bytes }) => Buffer.from(bytes))).toEqual(again.map(({ bytes }) => Buffer.from(bytes)));
});

describe('the UIDs of the results', () => {
  const flat = (identity: AnalysisIdentity, film = FILM) => Object.values(resultUids(film, identity)).flatMap(({ series, instance }) => [series, instance]);
  const model = IDENTITY.models[2]!;
  const withModel = (change: Partial<typeof model>) => ({ ...IDENTITY, models: [...IDENTITY.models.slice(0, 2), { ...model, ...change }] });

  test('are UIDs, all different', () => {
    expect(new Set(flat(IDENTITY).map(parseUid)).size).toBe(6);
  });

  test.each<[string, AnalysisIdentity]>([
    ['a later start', { ...IDENTITY, startedAt: new Date(0) }],
    ['another title', withModel({ title: 'renamed' })],
    ['another version of the software', { ...IDENTITY, softwareVersion: '0.2.0' }],
  ])('stay with %s', (_, identity) => {
    expect(flat(identity)).toEqual(flat(IDENTITY));
  });

  test.each<[string, AnalysisIdentity]>([
    ['another model version', withModel({ version: '1.0.1' })],
    ['other weights', withModel({ sha256: 'd'.repeat(64) })],
    ['another operating point', { ...IDENTITY, classifier: { ...IDENTITY.classifier, threshold: 0.5 } }],
    ['another finding', { ...IDENTITY, classifier: { ...IDENTITY.classifier, positive: { label: 'Pneumonia', code: { value: '233604007', scheme: 'SCT', meaning: 'Pneumonia' } } } }],
  ])('all change with %s', (_, identity) => {
    expect(flat(identity).filter((uid) => flat(IDENTITY).includes(uid))).toEqual([]);
  });

  test('change with the film', () => {
    expect(flat(IDENTITY, parseUid('1.2.3')).filter((uid) => flat(IDENTITY).includes(uid))).toEqual([]);
  });

  test('of the report alone change with its SOP Class', () => {
    const plain = resultUids(FILM, { ...IDENTITY, srClass: 'comprehensive' });
    expect(plain.heatMap).toEqual(resultUids(FILM, IDENTITY).heatMap);
    expect(plain.report.instance).not.toBe(resultUids(FILM, IDENTITY).report.instance);
  });
});

const films = realFilms();
if (films.length > 0) {
  test.each(films)('%s: both objects are valid and keep the patient', (_, attributes) => {
    for (const { bytes } of encode(analysed(attributes), IDENTITY)) {
      expect(dciodvfy(bytes).errors).toEqual([]);
      expect(pydicom(bytes).PatientID).toBe(typeof attributes.PatientID === 'string' ? attributes.PatientID.trim() : '');
    }
  });
}

test.each([
  ['a study UID of 65 characters', { StudyInstanceUID: `1.${'2'.repeat(63)}` }],
  ['no SOP Class', { SOPClassUID: null }],
])('a film with %s cannot be referred to', (_, change) => {
  expect(() => encode(analysed({ ...BARE_FILM, ...change }), IDENTITY)).toThrow(expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }));
});

test('hostile texts in the header come to nothing worse than an empty or shorter value', () => {
  // Long in ASCII only: PS3.5 section 6.2 counts characters, dciodvfy bytes.
  const noise = `\u0000\u001b[31m"'\\<script>${'x'.repeat(400)}ü\n`;
  const texts = ['PatientName', 'PatientBirthDate', 'PatientSex', 'PatientAge', 'PatientWeight', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'ReferringPhysicianName', 'StudyDescription', 'InstitutionName', 'IssuerOfPatientID', 'TimezoneOffsetFromUTC', 'LossyImageCompression', 'LossyImageCompressionRatio', 'PatientOrientation'];
  const hostile = { ...BARE_FILM, ...Object.fromEntries(texts.map((keyword) => [keyword, noise])), Modality: noise, LossyImageCompressionMethod: [noise, 7], IssuerOfAccessionNumberSequence: [noise] };
  for (const { bytes } of [...encode(analysed(hostile), IDENTITY), ...encode(notAnalysed(hostile), IDENTITY)]) {
    expect(dciodvfy(bytes).errors).toEqual([]);
    expect(pydicom(bytes).SpecificCharacterSet).toBe('ISO_IR 192');
  }
});

test('a report with a reason that this version does not know is not passed on', () => {
  const outcome = notAnalysed(BARE_FILM);
  const [report] = encode({ ...outcome, refusal: { ...outcome.refusal, reason: 'phase-of-the-moon' as 'modality' } }, IDENTITY);
  expect(() => readResult(report!.bytes)).toThrow(expect.objectContaining({ code: 'DICOM_UNREADABLE' }));
});
