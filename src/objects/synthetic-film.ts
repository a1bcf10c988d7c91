import type { Dataset } from '../dicom/dataset';
import { deriveUid, parseUid, type Uid } from '../dicom/uid';
import {
  drawSyntheticFilm,
  type SyntheticFilm,
  type SyntheticPixels,
  type SyntheticSubject,
  type SyntheticView,
} from '../imaging/synthetic-drawing';
import { writePart10 } from './write';

export { drawSyntheticFilm, type SyntheticFilm, type SyntheticView } from '../imaging/synthetic-drawing';

export interface SyntheticObject extends SyntheticFilm {
  /** Number that tells films of one study with the same view apart; default 1. */
  readonly instance?: number;
  /** Computed Radiography (PS3.3 section A.2) or Digital X-Ray for presentation (section A.26); CR by default. */
  readonly modality?: 'CR' | 'DX';
  /** Study of the film; by default the films of one seed are one study. The patient depends on the study. */
  readonly studyInstanceUid?: string;
  /** Attributes that replace the generated ones, by dcmjs's keywords; they do not change UIDs. */
  readonly attributes?: Dataset;
}

export interface SyntheticUids {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** Each view has a series of its own. */
export function syntheticUids(film: SyntheticObject): SyntheticUids {
  const { seed, view, rows, columns, opacities = 'by seed', instance = 1, modality = 'CR', subject = 'chest' } = film;
  // UIDs of chest films do not contain the subject, as in earlier versions.
  const other = subject === 'chest' ? [] : [subject];
  const study =
    film.studyInstanceUid === undefined ? deriveUid(['synthetic film', seed]) : parseUid(film.studyInstanceUid);
  return {
    studyInstanceUid: study,
    seriesInstanceUid: deriveUid(['synthetic series', study, view, modality]),
    sopInstanceUid: deriveUid([
      'synthetic instance',
      study,
      seed,
      view,
      modality,
      rows,
      columns,
      opacities,
      instance,
      ...other,
    ]),
  };
}

/**
 * A drawn film as a PS3.10 file: Explicit VR Little Endian, 12 bits, MONOCHROME2. The patient is made up, and the name
 * says so.
 */
export function syntheticDicom(film: SyntheticObject): Uint8Array {
  const drawn = drawSyntheticFilm(film);
  const modality = film.modality ?? 'CR';
  return writePart10({
    ...common(film),
    ...image(drawn),
    BodyPartExamined: WORDS[film.subject ?? 'chest'].bodyPart,
    ...(modality === 'DX' ? digitalXRay(film) : computedRadiography(film)),
    ...orientation(film),
    ...film.attributes,
  });
}

interface SubjectWords {
  readonly bodyPart: string;
  readonly study: string;
  readonly series: string;
  readonly region: Dataset;
  /** For a paired body part. */
  readonly side?: 'L' | 'R';
}

/** Texts in the header, by subject; a plate without an exposure is labelled as a chest. */
const WORDS: Readonly<Record<SyntheticSubject, SubjectWords>> = {
  chest: {
    bodyPart: 'CHEST',
    study: 'Drawn chest film, no patient',
    series: 'Synthetic chest',
    region: code('51185008', 'SCT', 'Chest'),
  },
  hand: {
    bodyPart: 'HAND',
    study: 'Drawn hand, no patient',
    series: 'Synthetic hand',
    region: code('85562004', 'SCT', 'Hand'),
    side: 'R',
  },
  nothing: {
    bodyPart: 'CHEST',
    study: 'Drawn plate without an exposure, no patient',
    series: 'Synthetic chest',
    region: code('51185008', 'SCT', 'Chest'),
  },
};

function common(film: SyntheticObject): Dataset {
  const words = WORDS[film.subject ?? 'chest'];
  const uids = syntheticUids(film);
  return {
    StudyInstanceUID: uids.studyInstanceUid,
    SeriesInstanceUID: uids.seriesInstanceUid,
    SOPInstanceUID: uids.sopInstanceUid,
    PatientName: 'Synthetic^Film',
    PatientID: `SYNTHETIC-${uids.studyInstanceUid.slice(-12)}`,
    PatientBirthDate: '',
    PatientSex: 'O',
    StudyDate: '20200101',
    StudyTime: '120000',
    StudyID: '',
    StudyDescription: words.study,
    AccessionNumber: '',
    ReferringPhysicianName: '',
    Modality: film.modality ?? 'CR',
    SeriesNumber: film.view === 'LL' ? '2' : '1',
    SeriesDescription: `${words.series} ${film.view}`,
    InstanceNumber: String(film.instance ?? 1),
    Manufacturer: 'Hilum',
    ManufacturerModelName: 'Synthetic film',
    ViewPosition: film.view,
  };
}

/** General Image, Image Pixel (PS3.3 sections C.7.6.1 and C.7.6.3) and one VOI window over all values. */
function image(drawn: SyntheticPixels): Dataset {
  return {
    _vrMap: { PixelData: 'OW' },
    ImageType: ['ORIGINAL', 'PRIMARY', ''],
    BurnedInAnnotation: 'NO',
    PatientOrientation: ['L', 'F'],
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: drawn.rows,
    Columns: drawn.columns,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    RescaleIntercept: '0',
    RescaleSlope: '1',
    RescaleType: 'US',
    WindowCenter: '2048',
    WindowWidth: '4096',
    PixelData: [littleEndian(drawn.pixels)],
  };
}

/** OW holds words in the byte order of the transfer syntax (PS3.5 section A.2), whatever this machine's own is. */
function littleEndian(pixels: Uint16Array): ArrayBuffer {
  const bytes = new DataView(new ArrayBuffer(2 * pixels.length));
  pixels.forEach((value, i) => bytes.setUint16(2 * i, value, true));
  return bytes.buffer;
}

function computedRadiography({ subject = 'chest' }: SyntheticObject): Dataset {
  const { side } = WORDS[subject];
  return { SOPClassUID: '1.2.840.10008.5.1.4.1.1.1', ...(side === undefined ? {} : { Laterality: side }) };
}

/** Attributes of DX that CR does not have: sections C.8.11.1 to C.8.11.5, General Anatomy and Acquisition Context. */
function digitalXRay({ view, subject = 'chest' }: SyntheticObject): Dataset {
  return {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
    PresentationIntentType: 'FOR PRESENTATION',
    PixelIntensityRelationship: 'LOG',
    PixelIntensityRelationshipSign: -1,
    PresentationLUTShape: 'IDENTITY',
    LossyImageCompression: '00',
    DetectorType: 'DIRECT',
    ImagerPixelSpacing: ['0.4', '0.4'],
    PositionerType: 'NONE',
    ImageLaterality: WORDS[subject].side ?? 'U',
    AnatomicRegionSequence: [WORDS[subject].region],
    AcquisitionContextSequence: [],
    ViewCodeSequence: [{ ...VIEW_CODES[view], ViewModifierCodeSequence: [] }],
  };
}

/** A lateral film shows the patient from the left, the front on the image's left. */
function orientation({ view }: SyntheticObject): Dataset {
  return view === 'LL' ? { PatientOrientation: ['P', 'F'] } : {};
}

/** PS3.16 CID 4010. */
const VIEW_CODES: Readonly<Record<SyntheticView, Dataset>> = {
  PA: code('272479007', 'SCT', 'postero-anterior'),
  AP: code('399348003', 'SCT', 'antero-posterior'),
  LL: code('399173006', 'SCT', 'left lateral'),
};

function code(value: string, scheme: string, meaning: string): Dataset {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}
