import type { Attributes } from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { percentages, percentOf } from '../../src/finding/wording';
import { resultUids } from '../../src/objects/analysis';
import { readReport } from '../../src/objects/report-reader';
import { buildStructuredReport, type ReportContent } from '../../src/objects/structured-report';
import { validateObject } from '../../src/objects/validate';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, IDENTITY } from '../support/broker/outcomes';
import { COVID } from '../support/records/finding';
import { ANALYSED, BELOW, find, NOT_ANALYSED, withProbability } from '../support/records/report-content';

/** The analysed film with another region of the finding. */
const withRegion = (region: readonly (readonly [number, number])[]): ReportContent => ({
  ...ANALYSED,
  findings: [{ ...ANALYSED.findings[0]!, region }],
});

const write = (content: ReportContent, source: Attributes = BARE_FILM, identity = IDENTITY) =>
  writePart10(buildStructuredReport(source, content, identity));

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
  const uids = resultUids(parseUid(BARE_FILM.StudyInstanceUID), parseUid(BARE_FILM.SOPInstanceUID), IDENTITY);
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
      links: {
        film: BARE_FILM.SOPInstanceUID,
        study: BARE_FILM.StudyInstanceUID,
        report: output('1.2.840.10008.5.1.4.1.1.88.34', uids.report),
        predecessors: [],
        digest: null,
        contentAt: Math.floor(IDENTITY.startedAt.getTime() / 1000) * 1000,
      },
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

  test.each([
    ['KLINGON', 1],
    ['ISO-IR 192', 0],
    [['', 'ISO 2022 IR 87'], 0],
    [undefined, 0],
  ])('character set %j: %d remarks', (SpecificCharacterSet, remarks) => {
    expect(readReport(write(ANALYSED, { ...BARE_FILM, SpecificCharacterSet })).remarks).toHaveLength(remarks);
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

  test.each([
    [0, '0.000000'],
    [1, '100.000000'],
    [0.97312341, '97.312341'],
    [6e-9, '0.000001'],
    [4.9e-9, '4.90000e-7'],
    [Math.fround(1e-30), '1.00000e-28'],
    [Number.MIN_VALUE, '4.94066e-322'],
    [1 - 4e-9, '99.9999996000000'],
    [1 - Number.EPSILON / 2, '99.9999999999999'],
  ])('probability %d measures %s per cent: 0 and 100 only where it is exactly that', (probability, text) => {
    const report = buildStructuredReport(BARE_FILM, withProbability(probability), IDENTITY);
    const object = writePart10(report);
    for (const [from, value] of [
      [report, text],
      [readPart10(object).attributes, Number(text)],
    ] as const)
      expect(find(from, '122157')?.MeasuredValueSequence).toMatchObject([{ NumericValue: value }]);
    expect(validateObject(object)).toEqual([]);
    expect(readReport(object).findings[0]?.probability).toBe(probability);
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
  expect([0.25, 0.0003].map(percentOf)).toEqual(['25.0', '< 0.1']);
});
