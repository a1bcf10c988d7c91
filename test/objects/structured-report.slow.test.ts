import type { Attributes } from '../../src/dicom/attributes';
import { parseUid } from '../../src/dicom/uid';
import { findingOf } from '../../src/finding/finding';
import { type AnalysisFinding, type AnalysisIdentity, resultUids } from '../../src/objects/analysis';
import { readReport } from '../../src/objects/report-reader';
import { RESULT_OBJECTS } from '../../src/objects/sop-classes';
import { buildStructuredReport, type ReportContent, summaryOf } from '../../src/objects/structured-report';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, ellipse, IDENTITY, realFilms } from '../support/broker/outcomes';
import { covid } from '../support/records/finding';
import { ANALYSED, BELOW, find, NOT_ANALYSED } from '../support/records/report-content';
import { dciodvfy, dcmdump, dicomSrValidator, dicomSrValidatorAll, dsrdump, pydicom } from '../support/servers/judges';

const PLAIN_SR: AnalysisIdentity = { ...IDENTITY, srClass: 'comprehensive' };

const ALL: AnalysisIdentity = {
  ...IDENTITY,
  objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
};
const earlier = (last: string) => ({
  sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.88.34'),
  seriesInstanceUid: parseUid(`2.25.1${last}`),
  sopInstanceUid: parseUid(`2.25.2${last}`),
});
const REPLACING: AnalysisIdentity = {
  ...IDENTITY,
  film: {
    digest: { encoded: 'e'.repeat(64), decoded: 'd'.repeat(64) },
    predecessors: [earlier('1'), earlier('2')],
    isDistinct: true,
  },
};
const EVERYTHING: ReportContent = { ...ANALYSED, objects: RESULT_OBJECTS };

const write = (content: ReportContent, source: Attributes = BARE_FILM, identity = IDENTITY) =>
  writePart10(buildStructuredReport(source, content, identity));
const films = realFilms();

describe.each<[string, Attributes]>([['a film with the barest header', BARE_FILM], ...films])(
  'judges on a report about %s',
  (_, source) => {
    test.each([
      ['analysed', ANALYSED, IDENTITY],
      ['analysed, Comprehensive SR', ANALYSED, PLAIN_SR],
      ['analysed, all objects', EVERYTHING, ALL],
      ['not analysed', NOT_ANALYSED, IDENTITY],
      ['in place of two earlier ones', ANALYSED, REPLACING],
    ])('%s: no error', (_name, content, identity) => {
      const bytes = write(content, source, identity);
      expect(dciodvfy(bytes, source).errors).toEqual([]);
      expect(dsrdump(bytes)).toMatchObject({ status: 0, errors: [], warnings: [] });
      expect(dcmdump(bytes)).toMatchObject({ status: 0, errors: [], warnings: [] });
      expect(pydicom(bytes)).toMatchObject({ Modality: 'SR', SpecificCharacterSet: 'ISO_IR 192' });
    });
  },
);

test('DicomSRValidator finds neither error nor warning', () => {
  const source = { ...(films[0]?.[1] ?? BARE_FILM), BurnedInAnnotation: 'YES', PatientOrientation: ['F', 'R'] };
  const reports = [
    write(ANALYSED, source),
    write(BELOW, source, PLAIN_SR),
    write(NOT_ANALYSED, source),
    write(EVERYTHING, source, ALL),
    write({ ...ANALYSED, objects: [] }, source, PLAIN_SR),
    write(ANALYSED, source, REPLACING),
  ];
  for (const { text, errors, warnings } of dicomSrValidatorAll(reports)) {
    expect({ errors, warnings }).toEqual({ errors: [], warnings: [] });
    expect(text).toContain('Found Root Template TID_1500');
  }
}, 180_000);

test('the validators do find fault: a finding site by the wrong relationship', () => {
  const dataset = buildStructuredReport(BARE_FILM, ANALYSED, IDENTITY);
  const wrong = JSON.parse(
    JSON.stringify(dataset).replace(
      '{"RelationshipType":"HAS CONCEPT MOD","ValueType":"CODE","ConceptNameCodeSequence":[{"CodeValue":"363698007"',
      '{"RelationshipType":"CONTAINS","ValueType":"CODE","ConceptNameCodeSequence":[{"CodeValue":"363698007"',
    ),
  ) as typeof dataset;
  expect(dicomSrValidator(writePart10(wrong)).errors).not.toEqual([]);
  expect(dciodvfy(writePart10({ ...dataset, VerificationFlag: 'MAYBE' })).errors).not.toEqual([]);
}, 180_000);

describe('what the report says', () => {
  const text = (content: ReportContent) => dcmdump(write(content)).text;

  test('finding, site, region on the film, illustration, algorithm and probability', () => {
    const dump = dsrdump(write(ANALYSED)).text;
    for (const item of [
      '(121071,DCM,"Finding")=(840544004,SCT,',
      '(363698007,SCT,"Finding Site")=(39607008,SCT,"Lung")',
      '(111030,DCM,"Image Region")=(POLYLINE,',
      '(121200,DCM,"Illustration of ROI")=(SC image,)',
      '(111001,DCM,"Algorithm Name")',
      '(122157,DCM,"Probability")="97.312337" (%,UCUM,"Percent")',
    ]) {
      expect(dump).toContain(item);
    }
    expect(text(ANALYSED)).toContain('operating-point=0.4213');
    expect(text(ANALYSED)).toContain(`weights-sha256=${'c'.repeat(64)}`);
  });

  test('that it is for research, unverified and preliminary', () => {
    expect(text(ANALYSED)).toContain('Research use only - not for diagnosis. Unverified.');
    expect(buildStructuredReport(BARE_FILM, ANALYSED, IDENTITY)).toMatchObject({
      VerificationFlag: 'UNVERIFIED',
      CompletionFlag: 'COMPLETE',
      PreliminaryFlag: 'PRELIMINARY',
      ContentQualification: 'RESEARCH',
      SeriesDescription: expect.stringContaining('NOT FOR DIAGNOSIS'),
    });
  });

  test('that text is burned into the film, and that a lying film was turned', () => {
    const odd = { ...BARE_FILM, BurnedInAnnotation: 'YES', PatientOrientation: ['F', 'R'] };
    const dump = (content: ReportContent, source: Attributes) => dcmdump(write(content, source)).text;
    expect(dump(ANALYSED, odd)).toContain('text burned into its pixels');
    expect(dump(ANALYSED, odd)).toContain('from F/R to L/F');
    expect(dump(NOT_ANALYSED, odd)).toContain('text burned into its pixels');
    for (const quiet of [
      dump(NOT_ANALYSED, odd),
      dump(ANALYSED, { ...BARE_FILM, BurnedInAnnotation: 'NO', PatientOrientation: ['L', 'F'] }),
    ])
      expect(quiet).not.toContain('was turned');
    expect(dump(ANALYSED, { ...BARE_FILM, PatientOrientation: ['A', 'F'] })).not.toContain('Remark on the film');
  });

  test('never that something is absent', () => {
    for (const content of [ANALYSED, BELOW, NOT_ANALYSED])
      expect(text(content)).not.toMatch(/\b(normal|negative|healthy|clear|no finding|\(121054)/i);
    expect(summaryOf(BELOW)).toBe(
      'Probability of COVID-19 2.0 %, below the operating point (42.1 %): no statement about absence.',
    );
  });

  test('why a film was not analysed, with a region that is the whole film and without a probability', () => {
    const dump = dsrdump(write(NOT_ANALYSED)).text;
    expect(dump).toContain(
      '(840544004,SCT,"Suspected disease caused by SARS-CoV-2")=(121059,DCM,"Presence undetermined")',
    );
    expect(dump).not.toContain('(122157,DCM,"Probability")');
    expect(text(NOT_ANALYSED)).toContain('Not analysed because the film looks like a lateral view.');
    expect(text(NOT_ANALYSED)).toContain('0\\0\\400\\0\\400\\300\\0\\300\\0\\0');
  });

  test('evidence of all that it refers to: the film and the heat map', () => {
    const { heatMap } = resultUids(parseUid(BARE_FILM.StudyInstanceUID), parseUid(BARE_FILM.SOPInstanceUID), IDENTITY);
    expect(buildStructuredReport(BARE_FILM, ANALYSED, IDENTITY).CurrentRequestedProcedureEvidenceSequence).toEqual([
      {
        StudyInstanceUID: BARE_FILM.StudyInstanceUID,
        ReferencedSeriesSequence: [
          {
            SeriesInstanceUID: BARE_FILM.SeriesInstanceUID,
            ReferencedSOPSequence: [
              { ReferencedSOPClassUID: BARE_FILM.SOPClassUID, ReferencedSOPInstanceUID: BARE_FILM.SOPInstanceUID },
            ],
          },
          {
            SeriesInstanceUID: heatMap.series,
            ReferencedSOPSequence: [
              { ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.7', ReferencedSOPInstanceUID: heatMap.instance },
            ],
          },
        ],
      },
    ]);
  });

  test('evidence of every object that was written, images that programs read in the library, and no word of a heat map that was not drawn', () => {
    const uids = resultUids(parseUid(BARE_FILM.StudyInstanceUID), parseUid(BARE_FILM.SOPInstanceUID), ALL);
    const dataset = buildStructuredReport(BARE_FILM, EVERYTHING, ALL);
    const [evidence] = dataset.CurrentRequestedProcedureEvidenceSequence as [
      { ReferencedSeriesSequence: Attributes[] },
    ];
    expect(evidence.ReferencedSeriesSequence.map(({ SeriesInstanceUID }) => SeriesInstanceUID)).toEqual([
      BARE_FILM.SeriesInstanceUID,
      uids.heatMap.series,
      uids.segmentation.series,
      uids.parametricMap.series,
      uids.presentationState.series,
    ]);
    const groups = find(dataset, '111028')!.ContentSequence as { ContentSequence: Attributes[] }[];
    const images = groups.map(({ ContentSequence }) =>
      ContentSequence.filter(({ ValueType }) => ValueType === 'IMAGE').map(
        ({ ReferencedSOPSequence }) => (ReferencedSOPSequence as [Attributes])[0].ReferencedSOPInstanceUID,
      ),
    );
    expect(images).toEqual([[BARE_FILM.SOPInstanceUID], [uids.segmentation.instance, uids.parametricMap.instance]]);
    expect(find(dataset, '121200')).toBeDefined();
    expect(
      find(buildStructuredReport(BARE_FILM, { ...EVERYTHING, objects: ['segmentation'] }, ALL), '121200'),
    ).toBeUndefined();
  });

  test('every item directly inside a measurement group has a concept name: OHIF shows a blank viewport otherwise', () => {
    const group = (content: ReportContent) => find(buildStructuredReport(BARE_FILM, content, IDENTITY), '125007');
    for (const content of [ANALYSED, NOT_ANALYSED]) {
      const items = group(content)?.ContentSequence as Attributes[];
      expect(items.filter((item) => item.ConceptNameCodeSequence === undefined)).toEqual([]);
      expect(items.filter((item) => item.ValueType === 'SCOORD')).toHaveLength(1);
    }
  });
});

describe('several findings', () => {
  const OPACITY: AnalysisFinding = {
    label: 'Lung opacity',
    code: { value: '112001', scheme: 'DCM', meaning: 'Opacity' },
    operatingPoint: 0.6,
    mode: 'shadow',
    model: 'covid-vgg19',
  };
  const TWO: AnalysisIdentity = { ...IDENTITY, findings: [...IDENTITY.findings, OPACITY] };
  const second = findingOf(OPACITY, 0.8);
  const content: ReportContent = {
    ...ANALYSED,
    findings: [...ANALYSED.findings, { finding: second, region: ellipse(100, 100, 20, 20) }],
  };

  test('each has its measurement group with region and probability, and comes back', () => {
    const report = buildStructuredReport(BARE_FILM, content, TWO);
    const bytes = writePart10(report);
    expect(readReport(bytes).findings).toEqual([ANALYSED.findings[0]!.finding, second]);
    const measurements = find(report, '126010')?.ContentSequence as Attributes[];
    expect(measurements).toHaveLength(2);
    expect(new Set(measurements.map((group) => find(group, '112040')?.UID)).size).toBe(2);
    expect(dciodvfy(bytes).errors).toEqual([]);
    expect(dsrdump(bytes)).toMatchObject({ status: 0, errors: [], warnings: [] });
    expect(dicomSrValidator(bytes)).toMatchObject({ errors: [], warnings: [] });
  });

  test('one in shadow mode makes nothing urgent', () => {
    const below = { ...content, findings: [{ ...content.findings[0]!, finding: covid(0.1) }, content.findings[1]!] };
    expect(readReport(writePart10(buildStructuredReport(BARE_FILM, below, TWO))).priority).toBe('routine');
  });

  test('the picture stands with the finding that it shows, and a rule that makes nothing urgent comes back', () => {
    const live = { ...OPACITY, mode: 'live' as const };
    const covidRule = { ...IDENTITY.findings[0]!, priority: 'routine' as const };
    const [first, other] = [findingOf(covidRule, 0.9), findingOf(live, 0.8)];
    const both: ReportContent = {
      ...content,
      findings: [
        { ...content.findings[0]!, finding: first },
        { ...content.findings[1]!, finding: other },
      ],
    };
    const report = buildStructuredReport(BARE_FILM, both, { ...TWO, findings: [covidRule, live] });
    expect(readReport(writePart10(report)).findings).toEqual([first, other]);
    const groups = find(report, '126010')?.ContentSequence as Attributes[];
    expect(groups.map((group) => find(group, '121200') !== undefined)).toEqual([false, true]);
    expect(resultUids(parseUid('1.2'), parseUid('1.2.3'), { ...IDENTITY, findings: [covidRule] }).report).not.toEqual(
      resultUids(parseUid('1.2'), parseUid('1.2.3'), IDENTITY).report,
    );
  });

  test('another choice of findings makes other results', () => {
    expect(resultUids(parseUid('1.2'), parseUid('1.2.3'), TWO).report).not.toEqual(
      resultUids(parseUid('1.2'), parseUid('1.2.3'), IDENTITY).report,
    );
  });
});
