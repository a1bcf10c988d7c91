import { buildSecondaryCapture } from '../../src/objects/secondary-capture';
import { buildStructuredReport } from '../../src/objects/structured-report';
import { writePart10 } from '../../src/objects/write';
import { encode } from '../../src/pipeline/encode';
import { analyseFilm } from '../../src/pipeline/pipeline';
import type { FixtureElement } from '../support/films/dicom-fixture';
import { drawnCells, lyingFilm } from '../support/films/lying';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import { covid } from '../support/records/finding';
import { dciodvfy } from '../support/servers/judges';

/**
 * Each attribute that the modules of a film make type 2 or 2C (present, maybe empty), and some of type 1 that archives
 * lack all the same: Patient, General Study, General Series, CR and DX Series, General Equipment, General Image, CR and
 * DX Image (PS3.3 sections C.7.1 to C.7.6 and C.8.1, C.8.11).
 */
const ATTRIBUTES: readonly (readonly [name: string, tag: number, vr: string, value: string])[] = [
  ['Patient Name', 0x00100010, 'PN', 'Nobody^Nemo'],
  ['Patient ID', 0x00100020, 'LO', '4711'],
  ["Patient's Birth Date", 0x00100030, 'DA', '19400305'],
  ["Patient's Sex", 0x00100040, 'CS', 'F'],
  ['Study Date', 0x00080020, 'DA', '20240101'],
  ['Study Time', 0x00080030, 'TM', '101530'],
  ["Referring Physician's Name", 0x00080090, 'PN', 'House^Gregory'],
  ['Study ID', 0x00200010, 'SH', 'S1'],
  ['Accession Number', 0x00080050, 'SH', 'A1'],
  ['Series Number', 0x00200011, 'IS', '3'],
  ['Laterality', 0x00200060, 'CS', 'R'],
  ['Manufacturer', 0x00080070, 'LO', 'Maker'],
  ['Instance Number', 0x00200013, 'IS', '7'],
  ['Patient Orientation', 0x00200020, 'CS', 'L\\F'],
  ['Content Date', 0x00080023, 'DA', '20240101'],
  ['Content Time', 0x00080033, 'TM', '101540'],
  ['Acquisition Date', 0x00080022, 'DA', '20240101'],
  ['Acquisition Time', 0x00080032, 'TM', '101540'],
  ['Body Part Examined', 0x00180015, 'CS', 'CHEST'],
  ['View Position', 0x00185101, 'CS', 'PA'],
  ['Burned In Annotation', 0x00280301, 'CS', 'NO'],
  ['Image Type', 0x00080008, 'CS', 'ORIGINAL\\PRIMARY'],
  ['Presentation Intent Type', 0x00080068, 'CS', 'FOR PRESENTATION'],
  ['Presentation LUT Shape', 0x20500020, 'CS', 'IDENTITY'],
  ['Rescale Intercept', 0x00281052, 'DS', '0'],
  ['Rescale Slope', 0x00281053, 'DS', '1'],
  ['Window Center', 0x00281050, 'DS', '2048'],
  ['Window Width', 0x00281051, 'DS', '4096'],
  ['Pixel Representation', 0x00280103, 'US', ''],
  ['Specific Character Set', 0x00080005, 'CS', 'ISO_IR 100'],
];

const { pipeline } = fakePipeline();
const cells = drawnCells({ seed: 5, view: 'PA', rows: 80, columns: 70 });
const all = (changed: FixtureElement | null, without: number): FixtureElement[] => [
  ...ATTRIBUTES.filter(([, tag, vr]) => tag !== without && vr !== 'US').map(([, tag, vr, value]): FixtureElement => [
    tag,
    vr,
    value,
  ]),
  ...(changed ? [changed] : []),
];

/** A dot for a picture: drawing the heat map of so many films takes minutes, and what is at stake are the headers. */
const DOT = { rows: 1, columns: 1, rgb: new Uint8Array(3) };

async function faults(film: Uint8Array): Promise<readonly string[]> {
  const outcome = await analyseFilm(film, pipeline);
  if (outcome.outcome !== 'analysed') return [outcome.refusal.text];
  const { attributes } = outcome.explained.inferred.preprocessed.decoded;
  const report = {
    outcome: 'analysed',
    view: 'frontal',
    findings: [
      {
        finding: covid(0.5),
        region: [
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      },
    ],
    lungFraction: 0.3,
    objects: ['heatMap'],
  } as const;
  const objects = [
    buildSecondaryCapture(attributes, DOT, pipeline.identity()),
    buildStructuredReport(attributes, report, pipeline.identity()),
  ];
  return objects.flatMap((object) => dciodvfy(writePart10(object)).errors);
}

describe.each(ATTRIBUTES)('%s', (_, tag, vr) => {
  test.each([
    ['empty', [tag, vr, vr === 'US' ? [] : '']],
    ['absent', null],
  ] as [string, FixtureElement | null][])(
    '%s: the film is analysed and both results are valid',
    async (_state, element) => {
      expect(await faults(lyingFilm(cells, '', all(element, tag), tag))).toEqual([]);
    },
  );
});

test('all of them present', async () => {
  expect(await faults(lyingFilm(cells, '', all(null, 0)))).toEqual([]);
});

test('none of them at all', async () => {
  expect(await faults(lyingFilm(cells, '', [], ...ATTRIBUTES.map(([, tag]) => tag)))).toEqual([]);
});

test.each([
  ['Study Instance UID', 0x0020000d],
  ['Series Instance UID', 0x0020000e],
  ['SOP Class UID', 0x00080016],
])('without a %s no result could refer to the film: a clear error', async (_, tag) => {
  const outcome = await analyseFilm(lyingFilm(cells, 'L\\F', [], tag), pipeline);
  expect(() => encode(outcome, pipeline.identity())).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }),
  );
});

describe('UIDs that are no UIDs by PS3.5 section 9.1, but stand in archives', () => {
  test.each([
    ['a leading zero', 'StudyInstanceUID', 0x0020000d, '1.2.03.4'],
    ['leading zeros', 'SOPInstanceUID', 0x00080018, '999.999.01.23.45.6789'],
    ['a single component', 'SeriesInstanceUID', 0x0020000e, '12345'],
  ])('%s in %s: analysed, and the results carry it as it is', async (_, keyword, tag, uid) => {
    const outcome = await analyseFilm(lyingFilm(cells, 'L\\F', [[tag, 'UI', uid]]), pipeline);
    expect(outcome).toMatchObject({ outcome: 'analysed' });
    for (const { bytes } of encode(outcome, pipeline.identity())) {
      expect(Buffer.from(bytes).includes(Buffer.from(uid))).toBe(
        keyword !== 'SeriesInstanceUID' || Buffer.from(bytes).includes('Imaging Measurement Report'),
      );
      // What the validator finds is that UID, and nothing else.
      expect(dciodvfy(bytes).errors.filter((error) => !error.includes(`<${uid}>`))).toEqual([]);
    }
  });
});
