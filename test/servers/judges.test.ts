import { dicomWebArchive } from '../../src/archive/dicomweb';
import type { Attributes } from '../../src/dicom/attributes';
import type { EncodedObject } from '../../src/dicom/part10';
import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import type { AnalysisIdentity } from '../../src/objects/analysis';
import { RESULT_OBJECTS, SOP_CLASSES } from '../../src/objects/sop-classes';
import { SR_CLASSES } from '../../src/objects/structured-report';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { validateObject } from '../../src/objects/validate';
import { encode } from '../../src/pipeline/encode';
import { analyseFilm } from '../../src/pipeline/pipeline';
import type { FilmOutcome } from '../../src/pipeline/stage';
import { type FilmOptions, film as fixture } from '../support/films/dicom-fixture';
import { realFile, realFiles } from '../support/films/real-films';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import {
  dciodvfy,
  dcmdump,
  dcmpschk,
  dicomSrValidatorAll,
  dsrdump,
  pydicomAll,
  type Verdict,
} from '../support/servers/judges';
import { Servers } from '../support/servers/servers';

/**
 * The five judges on everything that is written, from every kind of film: all real files that are at hand and those
 * that are drawn here. The networks are stand-ins, because no judge looks at what was found; all else is real.
 */
const { pipeline } = fakePipeline();
const USUAL = pipeline.identity();
const FULL: AnalysisIdentity = {
  ...USUAL,
  objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
};
/**
 * Adds reports only: of the other SOP Class, with the usual objects. Drawing every real film's heat map once more for
 * it would double the time.
 */
const BOTH: readonly AnalysisIdentity[] = [FULL, { ...USUAL, srClass: 'comprehensive' }];
const REPORTS: readonly string[] = Object.values(SR_CLASSES);

const DRAWN: readonly [kind: string, bytes: Uint8Array][] = [
  ...(['CR', 'DX'] as const).flatMap((modality) =>
    (['PA', 'LL'] as const).map((view): [string, Uint8Array] => [
      `drawn ${modality} ${view}`,
      syntheticDicom({ seed: 7, view, modality, rows: 96, columns: 80 }),
    ]),
  ),
  ...Object.entries<FilmOptions>({
    'MONOCHROME1, 16 bits': { photometric: 'MONOCHROME1', bitsStored: 16 },
    '8 bits, Secondary Capture class': {
      bitsAllocated: 8,
      bitsStored: 8,
      more: [[0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.7']],
    },
    RGB: { samplesPerPixel: 3, photometric: 'RGB', bitsAllocated: 8, bitsStored: 8 },
    'oblong pixels, window, rescale': {
      more: [
        [0x00280030, 'DS', '0.2\\0.1'],
        [0x00281050, 'DS', '2048'],
        [0x00281051, 'DS', '4096'],
        [0x00281052, 'DS', '-5'],
        [0x00281053, 'DS', '0.5'],
      ],
    },
    constant: {
      more: [
        [0x00281050, 'DS', '1'],
        [0x00281051, 'DS', '0'],
      ],
    },
    'two frames': { more: [[0x00280008, 'IS', '2']] },
    'for processing': { more: [[0x00080068, 'CS', 'FOR PROCESSING']] },
  }).map(([kind, options], index): [string, Uint8Array] => [kind, chest(options, index, kind === 'constant')]),
];

function chest(options: FilmOptions, index: number, constant: boolean): Uint8Array {
  const [rows, columns, limit] = [40, 48, options.bitsAllocated === 8 ? 256 : 4096];
  const cells = Array.from({ length: rows * columns * (options.samplesPerPixel ?? 1) }, (_, i) =>
    constant ? 7 : (i * 37) % limit,
  );
  const identity = [
    [0x00080018, 'UI', `1.2.826.0.1.3680043.10.8.${index + 1}`],
    [0x0020000d, 'UI', '1.2.826.0.1.3680043.10.8'],
    [0x0020000e, 'UI', '1.2.826.0.1.3680043.10.8.0'],
    [0x00180015, 'CS', 'CHEST'],
  ] as const;
  return fixture(cells, { rows, columns, ...options, more: [...identity, ...(options.more ?? [])] });
}

interface Written extends EncodedObject {
  readonly from: string;
  readonly film: FilmOutcome;
}

const isDrawn = (from: string) => DRAWN.some(([kind]) => kind === from);
/**
 * The first of each instance: the heat map is the same beside either report, and some real files hold one film in
 * several encodings.
 */
const withoutRepeats = <T extends EncodedObject>(objects: readonly T[]): T[] =>
  [...new Map([...objects].reverse().map((object) => [object.sopInstanceUid, object])).values()].reverse();
const written: Written[] = [];
const outcomes: Record<FilmOutcome['outcome'], number> = { analysed: 0, 'not-analysed': 0, rejected: 0 };

beforeAll(async () => {
  for (const [from, bytes] of [...DRAWN, ...realFiles().map((name): [string, Uint8Array] => [name, realFile(name)])]) {
    const film = await analyseFilm(bytes, pipeline);
    outcomes[film.outcome] += 1;
    const identities = film.outcome === 'not-analysed' || isDrawn(from) ? BOTH : [FULL];
    written.push(
      ...withoutRepeats(identities.flatMap((identity) => encode(film, identity))).map((object) => ({
        ...object,
        from,
        film,
      })),
    );
  }
}, 300_000);

/** Names what an object came from beside the complaint. */
function complaints(judge: (object: Written) => readonly string[], objects: readonly Written[] = written): string[] {
  return objects.flatMap((object) =>
    judge(object).map((complaint) => `${object.from} (${object.sopClassUid}): ${complaint}`),
  );
}
/** An identifier that breaks its VR in the film is copied as it is, and no fault of the result. */
const filmOf = ({ film }: Written): Attributes => {
  switch (film.outcome) {
    case 'analysed':
      return film.explained.inferred.preprocessed.decoded.attributes;
    case 'not-analysed':
      return film.attributes;
    case 'rejected':
      return {};
  }
};
const allOf = ({ errors, warnings }: Verdict) => [...errors, ...warnings];
const ofClass = (...classes: readonly string[]) => written.filter(({ sopClassUid }) => classes.includes(sopClassUid));

test('there are films of every outcome, and objects of every class', () => {
  expect(outcomes.analysed).toBeGreaterThanOrEqual(realFiles().length > 0 ? 15 : 6);
  expect(outcomes['not-analysed']).toBeGreaterThanOrEqual(2);
  expect(ofClass(SOP_CLASSES.presentationState).length).toBeGreaterThanOrEqual(realFiles().length > 0 ? 6 : 5);
  for (const object of RESULT_OBJECTS.filter((one) => one !== 'presentationState'))
    expect(ofClass(SOP_CLASSES[object]).length).toBe(outcomes.analysed);
  expect(ofClass(SR_CLASSES['comprehensive-3d']).length).toBe(outcomes.analysed + outcomes['not-analysed']);
  expect(ofClass(SR_CLASSES.comprehensive).length).toBeGreaterThanOrEqual(8);
});

test('our own check finds nothing wrong', () => expect(complaints(({ bytes }) => validateObject(bytes))).toEqual([]));

test(
  'dciodvfy finds no error',
  () => expect(complaints((object) => dciodvfy(object.bytes, filmOf(object)).errors)).toEqual([]),
  300_000,
);

test('dcmtk reads all: dcmdump everything, dsrdump the reports, dcmpschk the presentation states', () => {
  expect(complaints(({ bytes }) => allOf(dcmdump(bytes)))).toEqual([]);
  expect(complaints(({ bytes }) => allOf(dsrdump(bytes)), ofClass(...REPORTS))).toEqual([]);
  expect(
    complaints((object) => allOf(dcmpschk(object.bytes, filmOf(object))), ofClass(SOP_CLASSES.presentationState)),
  ).toEqual([]);
}, 300_000);

test('pydicom reads every value', () => {
  const readings = pydicomAll(written.map(({ bytes }) => bytes));
  expect(readings.map(({ SOPClassUID, SpecificCharacterSet }) => [SOPClassUID, SpecificCharacterSet])).toEqual(
    written.map(({ sopClassUid }) => [sopClassUid, 'ISO_IR 192']),
  );
}, 300_000);

test('DicomSRValidator finds neither error nor warning in any kind of document tree', () => {
  const kinds = new Map(ofClass(...REPORTS).map((object) => [shapeOf(object), object]));
  expect(kinds.size).toBeGreaterThanOrEqual(6);
  const judged = [...kinds.values()];
  const verdicts = dicomSrValidatorAll(judged.map(({ bytes }) => bytes));
  expect(
    verdicts.flatMap(({ errors, warnings }, index) =>
      [...errors, ...warnings].map((complaint) => `${judged[index]!.from}: ${complaint}`),
    ),
  ).toEqual([]);
  for (const { text } of verdicts) expect(text).toContain('Found Root Template TID_1500');
}, 600_000);

/**
 * A template rules what items there are and how they are coded, which is what is left here: reports that differ only in
 * their values are one kind.
 */
function shapeOf({ sopClassUid, bytes }: Written): string {
  const VALUES = new Set([
    'TextValue',
    'UID',
    'NumericValue',
    'GraphicData',
    'ReferencedSOPInstanceUID',
    'ReferencedSOPClassUID',
  ]);
  const tree = readPart10(bytes).attributes.ContentSequence;
  return sopClassUid + JSON.stringify(tree, (key, value: unknown) => (VALUES.has(key) ? undefined : value));
}

describe('Orthanc', () => {
  const servers = new Servers();
  afterAll(() => servers.stop());

  test('stores every object, and gives it back as it was', async () => {
    const orthanc = await servers.orthanc();
    const archive = dicomWebArchive({ url: orthanc.dicomWebUrl, auth: { kind: 'none' } });
    const different: string[] = [];
    for (const [study, objects] of byStudy()) {
      await archive.store(study, objects);
      for (const { from, sopClassUid, seriesInstanceUid, sopInstanceUid, bytes } of objects) {
        const back = await archive.retrieve({ studyInstanceUid: study, seriesInstanceUid, sopInstanceUid });
        if (!Buffer.from(back).equals(bytes)) different.push(`${from} (${sopClassUid})`);
      }
    }
    await archive.close();
    expect(different).toEqual([]);
  }, 300_000);

  function byStudy() {
    const studies = new Map<ReturnType<typeof parseUid>, Written[]>();
    for (const object of withoutRepeats(written)) {
      const study = parseUid(readPart10(object.bytes).attributes.StudyInstanceUID);
      studies.set(study, [...(studies.get(study) ?? []), object]);
    }
    return studies;
  }
});
