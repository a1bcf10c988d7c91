import type { Attributes } from '../../src/dicom/attributes';
import { parseUid } from '../../src/dicom/uid';
import { findingOf } from '../../src/finding/finding';
import { percentages } from '../../src/finding/wording';
import { type AnalysisFinding, type AnalysisIdentity, resultUids } from '../../src/objects/analysis';
import { readReport } from '../../src/objects/report-reader';
import { RESULT_OBJECTS } from '../../src/objects/sop-classes';
import { buildStructuredReport, type ReportContent, summaryOf } from '../../src/objects/structured-report';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, ellipse, IDENTITY, realFilms } from '../support/broker/outcomes';
import { COVID, covid } from '../support/records/finding';
import { dciodvfy, dcmdump, dicomSrValidator, dicomSrValidatorAll, dsrdump, pydicom } from '../support/servers/judges';

const ANALYSED = {
  outcome: 'analysed',
  view: 'frontal',
  findings: [{ finding: covid(Math.fround(0.9731234)), region: ellipse(200, 150, 40, 30) }],
  lungFraction: 0.1 + 0.2,
  objects: ['heatMap'],
} satisfies ReportContent;
/** The analysed film with another probability, or another region of the finding. */
const withProbability = (probability: number): ReportContent => ({
  ...ANALYSED,
  findings: [{ ...ANALYSED.findings[0]!, finding: covid(probability) }],
});
const withRegion = (region: readonly (readonly [number, number])[]): ReportContent => ({
  ...ANALYSED,
  findings: [{ ...ANALYSED.findings[0]!, region }],
});
const NOT_ANALYSED: ReportContent = {
  outcome: 'not-analysed',
  reason: 'lateral-view',
  reasonText: 'The film looks like a lateral view.',
  view: 'lateral',
  lungFraction: null,
};
const BELOW = withProbability(0.02);
const PLAIN_SR: AnalysisIdentity = { ...IDENTITY, srClass: 'comprehensive' };

const ALL: AnalysisIdentity = {
  ...IDENTITY,
  objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
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
    ])('%s: no error', (_name, content, identity) => {
      const bytes = write(content, source, identity);
      expect(dciodvfy(bytes).errors).toEqual([]);
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
    const { heatMap } = resultUids(parseUid(BARE_FILM.SOPInstanceUID), IDENTITY);
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
    const uids = resultUids(parseUid(BARE_FILM.SOPInstanceUID), ALL);
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

  test('every item directly inside a measurement group has a concept name: else OHIF shows a blank viewport', () => {
    const group = (content: ReportContent) => find(buildStructuredReport(BARE_FILM, content, IDENTITY), '125007');
    for (const content of [ANALYSED, NOT_ANALYSED]) {
      const items = group(content)?.ContentSequence as Attributes[];
      expect(items.filter((item) => item.ConceptNameCodeSequence === undefined)).toEqual([]);
      expect(items.filter((item) => item.ValueType === 'SCOORD')).toHaveLength(1);
    }
  });
});

describe('the region', () => {
  const graphic = (region: readonly (readonly [number, number])[]) =>
    (find(buildStructuredReport(BARE_FILM, withRegion(region), IDENTITY), '111030')?.GraphicData ?? []) as number[];

  test('an open outline is closed', () =>
    expect(
      graphic([
        [0, 0],
        [4, 0],
        [4, 4],
      ]),
    ).toEqual([0, 0, 4, 0, 4, 4, 0, 0]));
  test('a closed one stays as it is', () =>
    expect(
      graphic([
        [0, 0],
        [4, 0],
        [4, 4],
        [0, 0],
      ]),
    ).toHaveLength(8));
  test('one of very many corners is thinned, for the length field of its VR has 16 bits', () => {
    const coordinates = graphic(Array.from({ length: 50_000 }, (_, i) => [i % 400, Math.floor(i / 400)] as const));
    expect(coordinates.length).toBeLessThan(16_000);
    expect(coordinates.slice(0, 2)).toEqual(coordinates.slice(-2));
  });
});

describe('read back', () => {
  const uids = resultUids(parseUid(BARE_FILM.SOPInstanceUID), IDENTITY);
  const output = (sopClassUid: string, { series, instance }: { series: string; instance: string }) => ({
    sopClassUid,
    seriesInstanceUid: series,
    sopInstanceUid: instance,
  });

  test('an analysed film, to the last bit', () => {
    expect(readReport(write(ANALYSED))).toEqual({
      sopInstanceUid: BARE_FILM.SOPInstanceUID,
      outcome: 'analysed',
      reason: null,
      reasonText: null,
      view: 'frontal',
      findings: [
        {
          label: 'COVID-19',
          code: COVID.code,
          probability: Math.fround(0.9731234),
          operatingPoint: 0.4213,
          atOrAbove: true,
          priority: 'urgent',
          mode: 'live',
        },
      ],
      lungFraction: 0.1 + 0.2,
      priority: 'urgent',
      warnings: [],
      remarks: [],
      film: {
        sopClassUid: BARE_FILM.SOPClassUID,
        seriesInstanceUid: BARE_FILM.SeriesInstanceUID,
        sopInstanceUid: BARE_FILM.SOPInstanceUID,
      },
      softwareVersion: IDENTITY.softwareVersion,
      contentAt: Math.floor(IDENTITY.startedAt.getTime() / 1000) * 1000,
      models: IDENTITY.models.map(({ id, version, sha256 }) => ({ id, version, sha256 })),
      outputs: [
        output('1.2.840.10008.5.1.4.1.1.7', uids.heatMap),
        output('1.2.840.10008.5.1.4.1.1.88.34', uids.report),
      ],
    });
  });

  test('remarks, when it was written in any time zone, and nothing measured of a film that was not analysed', () => {
    const odd = { ...BARE_FILM, BurnedInAnnotation: 'YES', TimezoneOffsetFromUTC: '+0530' };
    expect(readReport(write(ANALYSED, odd))).toMatchObject({
      remarks: [expect.stringContaining('text burned into its pixels')],
      contentAt: Math.floor(IDENTITY.startedAt.getTime() / 1000) * 1000,
    });
    expect(readReport(write(NOT_ANALYSED))).toMatchObject({
      findings: [],
      film: { seriesInstanceUid: BARE_FILM.SeriesInstanceUID },
    });
  });

  test('a film below the operating point is routine, one at it is urgent', () => {
    expect(readReport(write(BELOW)).priority).toBe('routine');
    expect(readReport(write(withProbability(COVID.operatingPoint))).priority).toBe('urgent');
  });

  test('a film that was not analysed', () => {
    expect(readReport(write(NOT_ANALYSED))).toMatchObject({
      outcome: 'not-analysed',
      reason: 'lateral-view',
      reasonText: 'The film looks like a lateral view.',
      view: 'lateral',
      findings: [],
      lungFraction: null,
      priority: null,
      outputs: [output('1.2.840.10008.5.1.4.1.1.88.34', uids.report)],
    });
    expect(readReport(write({ ...NOT_ANALYSED, view: null, lungFraction: 0.02 }))).toMatchObject({
      view: null,
      lungFraction: 0.02,
    });
  });

  test.each([0, 1, 1e-7, 1 / 3, Math.fround(0.1)])('probability %d', (probability) => {
    expect(readReport(write(withProbability(probability))).findings[0]?.probability).toBe(probability);
  });

  test('what is no report of ours is refused', () => {
    expect(() => readReport(BARE_FILM)).toThrow(
      expect.objectContaining({ code: 'DICOM_UNREADABLE', lasting: 'permanent' }),
    );
    expect(() => readReport(new Uint8Array(200))).toThrow(expect.objectContaining({ code: 'DICOM_UNREADABLE' }));
  });
});

test.each([
  ['a probability of NaN', withProbability(NaN)],
  ['a probability above 1', withProbability(1.01)],
  ['a negative lung fraction', { ...ANALYSED, lungFraction: -0.1 }],
  [
    'a region of two points',
    withRegion([
      [0, 0],
      [1, 1],
    ]),
  ],
  [
    'a region with a corner nowhere',
    withRegion([
      [0, 0],
      [1, 1],
      [NaN, 2],
    ]),
  ],
  ['no reason', { ...NOT_ANALYSED, reasonText: ' ' }],
])('%s is refused', (_, content) => {
  expect(() => write(content)).toThrow(expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }));
});

test.each([
  ['no classifier', { models: IDENTITY.models.filter(({ task }) => task !== 'classification') }],
  ['an operating point above 1', { findings: [{ ...IDENTITY.findings[0]!, operatingPoint: 1.5 }] }],
  ['a nameless device', { device: { ...IDENTITY.device, manufacturer: '' } }],
  ['a start that is no date', { startedAt: new Date(NaN) }],
])('an analysis with %s is refused', (_, change) => {
  expect(() => write(ANALYSED, BARE_FILM, { ...IDENTITY, ...change })).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED' }),
  );
});

test('a film of unknown size that was not analysed has its first pixel for a region', () => {
  expect(
    find(buildStructuredReport({ ...BARE_FILM, Rows: 'many', Columns: -1 }, NOT_ANALYSED, IDENTITY), '111030')
      ?.GraphicData,
  ).toEqual([0, 0, 1, 0, 1, 1, 0, 1, 0, 0]);
});

test('two percentages that differ are never shown as the same number', () => {
  expect(percentages(0.5, 0.25)).toEqual(['50.0', '25.0']);
  expect(percentages(0.42129, 0.4213)).toEqual(['42.129', '42.130']);
  expect(percentages(0.5, 0.5)).toEqual(['50.0', '50.0']);
  expect(percentages(0.0003, 0.5)).toEqual(['< 0.1', '50.0']);
  expect(percentages(0.9999, 0.5)).toEqual(['> 99.9', '50.0']);
});

/** The first item, in depth, with that concept name. */
function find(item: Attributes, codeValue: string): Attributes | undefined {
  const children = (item.ContentSequence ?? []) as Attributes[];
  const isIt = (candidate: Attributes) =>
    (candidate.ConceptNameCodeSequence as Attributes[] | undefined)?.[0]?.CodeValue === codeValue;
  return children.find(isIt) ?? children.map((child) => find(child, codeValue)).find((found) => found !== undefined);
}

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

  test('another choice of findings makes other results', () => {
    expect(resultUids(parseUid('1.2.3'), TWO).report).not.toEqual(resultUids(parseUid('1.2.3'), IDENTITY).report);
  });
});
