import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import type { AnalysisFinding } from '../../src/objects/analysis';
import { type AnalysisIdentity, encode, readResult, resultUids } from '../../src/pipeline/encode';
import { resultOf } from '../../src/pipeline/notify';
import { analysed, BARE_FILM, IDENTITY, notAnalysed } from '../support/broker/outcomes';

const FILM = parseUid(BARE_FILM.SOPInstanceUID);
const STUDY = parseUid(BARE_FILM.StudyInstanceUID);

const GREY_FILM = {
  ...BARE_FILM,
  Rows: 150,
  Columns: 200,
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
};
const ALL: AnalysisIdentity = {
  ...IDENTITY,
  objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
};
const [SC, SEG, MAP, PR, SR] = [
  '1.2.840.10008.5.1.4.1.1.7',
  '1.2.840.10008.5.1.4.1.1.66.4',
  '1.2.840.10008.5.1.4.1.1.30',
  '1.2.840.10008.5.1.4.1.1.11.1',
  '1.2.840.10008.5.1.4.1.1.88.34',
];

test.each<[string, AnalysisIdentity['objects'], (string | undefined)[]]>([
  ['all objects', ALL.objects, [SC, SEG, MAP, PR, SR]],
  ['no heat map', { ...ALL.objects, heatMap: false }, [SEG, MAP, PR, SR]],
  ['the report alone', { heatMap: false, segmentation: false, parametricMap: false, presentationState: false }, [SR]],
])(
  '%s: those that are asked for, the report last, each in a series of its own and named in the report',
  (_, objects, classes) => {
    const identity = { ...IDENTITY, objects };
    const written = encode(analysed(GREY_FILM), identity);
    expect(written.map(({ sopClassUid }) => sopClassUid)).toEqual(classes);
    expect(new Set(written.map(({ seriesInstanceUid }) => seriesInstanceUid)).size).toBe(classes.length);
    expect(readResult(written[written.length - 1]!.bytes)).toEqual(resultOf(FILM, analysed(GREY_FILM), written));
    expect(encode(notAnalysed(GREY_FILM), identity)).toHaveLength(1);
  },
);

test('a film in colour has no presentation state, and its report speaks of none', () => {
  const film = { ...GREY_FILM, SamplesPerPixel: 3, PhotometricInterpretation: 'RGB' };
  const written = encode(analysed(film), ALL);
  expect(written.map(({ sopClassUid }) => sopClassUid)).toEqual([SC, SEG, MAP, SR]);
  expect(readResult(written[3]!.bytes).outputs.map(({ sopClassUid }) => sopClassUid)).toEqual([SC, SEG, MAP, SR]);
});

test('a film not analysed gives a report under the same UID, a rejected one nothing', () => {
  expect(encode(notAnalysed(BARE_FILM), IDENTITY).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([
    resultUids(STUDY, FILM, IDENTITY).report.instance,
  ]);
  expect(
    encode({ outcome: 'rejected', sopInstanceUid: FILM, refusal: { reason: 'body-part', text: 'a hand' } }, IDENTITY),
  ).toEqual([]);
});

test('the report alone tells the whole result again', () => {
  for (const outcome of [
    analysed(BARE_FILM),
    notAnalysed(BARE_FILM),
    { ...notAnalysed(BARE_FILM), view: null, lungFraction: 1 / 3 },
  ]) {
    const objects = encode(outcome, IDENTITY);
    expect(readResult(objects[objects.length - 1]!.bytes)).toEqual(resultOf(FILM, outcome, objects));
  }
});

test.each([
  ['a backslash', { PatientID: '1234\\567', AccessionNumber: 'ACC1\\AC2', StudyID: 'S\\1' }],
  ['more characters than the VR has', { PatientID: 'p'.repeat(300), AccessionNumber: 'a'.repeat(17), StudyID: '' }],
  ['control characters', { PatientID: '12\n34', AccessionNumber: 'A\tB', StudyID: 'S\u001b1' }],
])('an identifier with %s is the same in every object', (_, identifiers) => {
  const objects = encode(analysed({ ...GREY_FILM, ...identifiers, IssuerOfPatientID: 'X\\Y' }), ALL);
  expect(objects).toHaveLength(5);
  for (const { bytes } of objects)
    expect(readPart10(bytes).attributes).toMatchObject({
      PatientID: identifiers.PatientID,
      AccessionNumber: identifiers.AccessionNumber,
      StudyID: identifiers.StudyID || null,
      IssuerOfPatientID: 'X\\Y',
    });
});

test('the same analysis gives the same bytes', () => {
  const [once, again] = [encode(analysed(BARE_FILM), ALL), encode(analysed(BARE_FILM), ALL)];
  expect(once.map(({ bytes }) => Buffer.from(bytes))).toEqual(again.map(({ bytes }) => Buffer.from(bytes)));
});

describe('the UIDs of the results', () => {
  const flat = (identity: AnalysisIdentity, film = FILM, study = STUDY) =>
    Object.values(resultUids(study, film, identity)).flatMap(({ series, instance }) => [series, instance]);
  const model = IDENTITY.models[2]!;
  const withFinding = (change: Partial<AnalysisFinding>): AnalysisIdentity => ({
    ...IDENTITY,
    findings: [{ ...IDENTITY.findings[0]!, ...change }],
  });
  const withModel = (change: Partial<typeof model>) => ({
    ...IDENTITY,
    models: [...IDENTITY.models.slice(0, 2), { ...model, ...change }],
  });

  test('are UIDs, all different', () => {
    expect(new Set(flat(IDENTITY).map(parseUid)).size).toBe(10);
  });

  test('never change within a format version: what is stored is not stored again', () => {
    expect(resultUids(STUDY, FILM, IDENTITY)).toMatchObject({
      heatMap: {
        series: '2.25.302198257698189769565846434497798532284',
        instance: '2.25.169871178817986912396981416921365289416',
      },
      report: {
        series: '2.25.329149224970104466235414084240622989401',
        instance: '2.25.101134464433205498318272018535655972778',
      },
    });
  });

  test('of the report alone change with the choice of objects, each choice another', () => {
    const choices = Array.from({ length: 16 }, (_, bits) => ({
      heatMap: bits % 2 > 0,
      segmentation: bits % 4 > 1,
      parametricMap: bits % 8 > 3,
      presentationState: bits > 7,
    }));
    const uids = choices.map((objects) => resultUids(STUDY, FILM, { ...IDENTITY, objects }));
    expect(new Set(uids.map(({ report }) => report.instance)).size).toBe(16);
    const others = ({ heatMap, segmentation, parametricMap, presentationState }: (typeof uids)[number]) => ({
      heatMap,
      segmentation,
      parametricMap,
      presentationState,
    });
    expect(new Set(uids.map((of) => JSON.stringify(others(of)))).size).toBe(1);
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
    ['another operating point', withFinding({ operatingPoint: 0.5 })],
    [
      'another finding',
      withFinding({ label: 'Pneumonia', code: { value: '233604007', scheme: 'SCT', meaning: 'Pneumonia' } }),
    ],
  ])('all change with %s', (_, identity) => {
    expect(flat(identity).filter((uid) => flat(IDENTITY).includes(uid))).toEqual([]);
  });

  test('change with the study: a film copied to another one gets a result of its own there', () => {
    expect(flat(IDENTITY, FILM, parseUid('1.2.3')).filter((uid) => flat(IDENTITY).includes(uid))).toEqual([]);
  });

  test('change with the content only where it is another than before, and then with what was before', () => {
    const predecessor = (last: string) => ({
      sopClassUid: FILM,
      seriesInstanceUid: FILM,
      sopInstanceUid: parseUid(`1.2.${last}`),
    });
    const state = (isDistinct: boolean, decoded: string, last = '1') =>
      flat({
        ...IDENTITY,
        film: { digest: { encoded: 'e', decoded }, predecessors: [predecessor(last)], isDistinct },
      });
    expect(state(false, 'a')).toEqual(flat(IDENTITY));
    const distinct = [state(true, 'a'), state(true, 'b'), state(true, 'a', '2'), flat(IDENTITY)];
    expect(new Set(distinct.flat()).size).toBe(40);
  });

  test('change with the film', () => {
    expect(flat(IDENTITY, parseUid('1.2.3')).filter((uid) => flat(IDENTITY).includes(uid))).toEqual([]);
  });

  test('of the report alone change with its SOP Class', () => {
    const plain = resultUids(STUDY, FILM, { ...IDENTITY, srClass: 'comprehensive' });
    expect(plain.heatMap).toEqual(resultUids(STUDY, FILM, IDENTITY).heatMap);
    expect(plain.report.instance).not.toBe(resultUids(STUDY, FILM, IDENTITY).report.instance);
  });
});

test.each([
  ['a study UID of 65 characters', { StudyInstanceUID: `1.${'2'.repeat(63)}` }],
  ['no SOP Class', { SOPClassUID: null }],
])('a film with %s cannot be referred to', (_, change) => {
  expect(() => encode(analysed({ ...BARE_FILM, ...change }), IDENTITY)).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }),
  );
});

test('a report with a reason that this version does not know is not passed on', () => {
  const outcome = notAnalysed(BARE_FILM);
  const [report] = encode(
    { ...outcome, refusal: { ...outcome.refusal, reason: 'phase-of-the-moon' as 'modality' } },
    IDENTITY,
  );
  expect(() => readResult(report!.bytes)).toThrow(expect.objectContaining({ code: 'DICOM_UNREADABLE' }));
});

test('JPEG 2000 at half resolution gives other results', () => {
  const uid = (identity: AnalysisIdentity) => resultUids(STUDY, FILM, identity).report.instance;
  expect(uid({ ...IDENTITY, jpeg2000Resolution: 'half' })).not.toBe(uid(IDENTITY));
});

test('another minimum age than the usual gives other results', () => {
  const uid = (minimumAge?: number) =>
    resultUids(STUDY, FILM, minimumAge === undefined ? IDENTITY : { ...IDENTITY, minimumAge }).report.instance;
  expect(new Set([uid(), uid(0), uid(16)]).size).toBe(3);
});
