import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Attributes } from '../../../src/dicom/attributes';
import { turnOf } from '../../../src/dicom/patient-orientation';
import { readPart10 } from '../../../src/dicom/read';
import { parseUid } from '../../../src/dicom/uid';
import type { Polygon } from '../../../src/imaging/polygon';
import type { AnalysisIdentity } from '../../../src/objects/analysis';
import type { ExplainedFilm, FilmOutcome, Plane } from '../../../src/pipeline/stage';
import { reduced } from '../films/displayed';
import { COVID, covid } from '../records/finding';

export const IDENTITY: AnalysisIdentity = {
  softwareVersion: '0.1.0',
  device: { name: 'Hilum', manufacturer: 'Hilum', model: 'Hilum chest-film triage' },
  startedAt: new Date('2026-01-05T14:22:33.456Z'),
  models: [
    { id: 'view-vgg19', version: '1.0.0', title: 'View of a chest film (VGG19)', sha256: 'a'.repeat(64), task: 'view' },
    {
      id: 'lungs-unet',
      version: '1.0.0',
      title: 'Lungs on a chest film (U-Net)',
      sha256: 'b'.repeat(64),
      task: 'lungs',
    },
    {
      id: 'covid-vgg19',
      version: '1.0.0',
      title: 'COVID-19 on a chest film (VGG19)',
      sha256: 'c'.repeat(64),
      task: 'classification',
      input: '224 x 224, lungs only',
    },
  ],
  findings: [{ ...COVID, model: 'covid-vgg19' }],
  srClass: 'comprehensive-3d',
  objects: { heatMap: true, segmentation: false, parametricMap: false, presentationState: false },
};

/** The least that a film can be: UIDs and pixels, no word about patient or study. */
export const BARE_FILM: Attributes = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
  SOPInstanceUID: '1.2.826.0.1.3680043.10.1.1',
  StudyInstanceUID: '1.2.826.0.1.3680043.10.1.2',
  SeriesInstanceUID: '1.2.826.0.1.3680043.10.1.3',
  Modality: 'DX',
  Rows: 300,
  Columns: 400,
};

const DICOM_DIR = resolve(process.env.HILUM_DATA_DIR ?? resolve(__dirname, '../../../../shared/data'), 'dicom');
/** Rows of `test.each` on real films: [kind of source, its header]. Says so loudly where the folder is missing. */
export function realFilms(): [kind: string, attributes: Attributes][] {
  if (existsSync(DICOM_DIR)) return Object.entries(REAL_FILMS).map(([kind, name]) => [kind, readHeader(name)]);
  console.warn(`SKIPPED: tests on real films, there is no folder ${DICOM_DIR} (HILUM_DATA_DIR)`);
  return [];
}

/** One real chest film of each kind of source: CR, DX, and films stored as Secondary Capture. */
const REAL_FILMS = {
  'CR, lossy JPEG 2000': 'pydicom-data__RG1_J2KI.dcm',
  'CR, few attributes': 'dwv__gdcm-CR-MONO1-10-chest.dcm',
  'CR as Secondary Capture, lossy': 'torchxrayvision__1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm',
  'DX as Secondary Capture, no type 2 attribute': 'AIHCND_C2_Starter__test1.dcm',
  'DX, hashes for dates and numbers': 'pylibjpeg-data__966.dcm',
  'DX of an animal': 'highdicom__dx_image.dcm',
  'DX, Cyrillic name': 'orthanc-tests__Issue56-NoPixelData.dcm',
} as const;

/** Header of a file of the data folder. */
function readHeader(name: string): Attributes {
  return readPart10(new Uint8Array(readFileSync(resolve(DICOM_DIR, name)))).attributes;
}

/** A plane made by a function of the place, both coordinates 0..1. */
export function plane(rows: number, columns: number, value: (x: number, y: number) => number): Plane {
  return {
    rows,
    columns,
    values: Float32Array.from({ length: rows * columns }, (_, i) =>
      value(((i % columns) + 0.5) / columns, (Math.floor(i / columns) + 0.5) / rows),
    ),
  };
}

export function ellipse(centreX: number, centreY: number, radiusX: number, radiusY: number): Polygon {
  const points = Array.from(
    { length: 48 },
    (_, i) =>
      [centreX + radiusX * Math.cos((i / 24) * Math.PI), centreY + radiusY * Math.sin((i / 24) * Math.PI)] as const,
  );
  return [...points, points[0]!];
}

const bump = (x: number, y: number, cx: number, cy: number, width: number) =>
  Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width * width));

/** An analysed film with a drawn chest: two dark ellipses for lungs, heat low in the one on the left. */
export function analysed(
  attributes: Attributes,
  options: { probability?: number; rows?: number; columns?: number } = {},
): FilmOutcome & { outcome: 'analysed' } {
  const { rows = 150, columns = 200 } = options;
  const sopInstanceUid = parseUid(attributes.SOPInstanceUID);
  const inLung = (x: number, y: number) =>
    [0.3, 0.7].some((cx) => ((x - cx) / 0.15) ** 2 + ((y - 0.48) / 0.32) ** 2 < 1);
  const image = plane(rows, columns, (x, y) => (inLung(x, y) ? 0.25 : 0.65) + 0.1 * Math.sin(y * 60) * Math.cos(x * 8));
  const mask = plane(224, 224, (x, y) => (inLung(x, y) ? 1 : 0));
  const heat = plane(224, 224, (x, y) => Math.min(1, bump(x, y, 0.29, 0.62, 0.07) + 0.5 * bump(x, y, 0.72, 0.4, 0.06)));
  const finding = covid(options.probability ?? 0.9731234567);
  const explained: ExplainedFilm = {
    inferred: {
      preprocessed: {
        decoded: { sopInstanceUid, attributes, image: reduced(image, attributes) },
        normalised: mask,
        turn: turnOf(attributes),
      },
      view: { view: 'frontal', lateralProbability: 0.01 },
      lungs: { probability: mask, mask, lungFraction: 0.30123456 },
      findings: [{ finding, activation: heat }],
    },
    findings: [
      {
        finding,
        heat,
        hotRegions: [ellipse(0.29 * columns, 0.62 * rows, 0.08 * columns, 0.08 * rows)],
      },
    ],
    lungOutlines: [
      ellipse(0.3 * columns, 0.48 * rows, 0.15 * columns, 0.32 * rows),
      ellipse(0.7 * columns, 0.48 * rows, 0.15 * columns, 0.32 * rows),
    ],
  };
  return { outcome: 'analysed', sopInstanceUid, explained };
}

export function notAnalysed(attributes: Attributes): FilmOutcome & { outcome: 'not-analysed' } {
  const refusal = {
    reason: 'lateral-view',
    text: 'the film looks like a lateral view; only frontal films are analysed',
  } as const;
  return {
    outcome: 'not-analysed',
    sopInstanceUid: parseUid(attributes.SOPInstanceUID),
    refusal,
    attributes,
    view: 'lateral',
    lungFraction: null,
  };
}

/**
 * Rows of `test.each`, one for each kind of source that an object is judged on: drawn headers first, then the real
 * films.
 */
export function sourceKinds(): [kind: string, attributes: Attributes][] {
  const lossy = {
    LossyImageCompression: '01',
    LossyImageCompressionRatio: [10, 2.5],
    LossyImageCompressionMethod: ['ISO_15444_1', 'ISO_10918_1'],
  };
  return [
    ['a film with the barest header', BARE_FILM],
    ['CR', { ...BARE_FILM, SOPClassUID: '1.2.840.10008.5.1.4.1.1.1', Modality: 'CR' }],
    ['CR as Secondary Capture', { ...BARE_FILM, SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', Modality: 'CR' }],
    [
      'calibrated spacing, turned film',
      {
        ...BARE_FILM,
        PixelSpacing: [0.139, 0.139],
        ImagerPixelSpacing: [0.143, 0.143],
        PatientOrientation: ['F', 'L'],
      },
    ],
    ['spacing at the detector', { ...BARE_FILM, ImagerPixelSpacing: [0.2, 0.1] }],
    ['colour', { ...BARE_FILM, SamplesPerPixel: 3, PhotometricInterpretation: 'YBR_FULL_422' }],
    ['lossy', { ...BARE_FILM, ...lossy }],
    ['lossy without ratio and method', { ...BARE_FILM, LossyImageCompression: '01' }],
    ...realFilms(),
  ];
}
