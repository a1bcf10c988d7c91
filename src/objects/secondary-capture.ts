import type { Attributes } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import { lossyHistory } from '../dicom/lossy';
import { overlayLength, type OverlayPlane } from '../dicom/overlay';
import { patientOrientation } from '../dicom/patient-orientation';
import { cut, plain, refuse } from '../dicom/sanitise';
import { RESEARCH_USE } from '../finding/wording';
import {
  type AnalysisIdentity,
  checkIdentity,
  classifierOf,
  equipmentModule,
  findingNamed,
  firstOf,
  localMoment,
  resultUids,
} from './analysis';
import { codeItem, CODES } from './codes';
import { SOP_CLASSES } from './sop-classes';
import { sourceReference, type SourceReference, studyModule } from './study-module';

/** A colour picture, 3 bytes per pixel, row by row. */
export interface Picture {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns * 3 bytes: red, green, blue */
  readonly rgb: Uint8Array;
  /** Outlines over the picture that a viewer can hide; absent: none. */
  readonly outlines?: readonly OutlinePlane[];
}

/** Closed lines over the picture: one bit per pixel, as in Overlay Data (PS3.5 section 8.1.2). */
export interface OutlinePlane {
  readonly of: keyof typeof OVERLAYS;
  readonly bits: Uint8Array;
}

/** One repeating group each (PS3.5 section 7.6), so that they can be shown and hidden separately. */
const OVERLAYS = {
  lungs: { group: 0x6000, label: 'Lungs', description: 'Hilum: outlines of the lungs' },
  activation: {
    group: 0x6002,
    label: 'Greatest activation',
    description: 'Hilum: outlines of the greatest class activation',
  },
} as const;

/** High and constant, so that the series is sorted after the films and a site can filter on it. */
const SERIES_NUMBER = '9901';

/**
 * The heat map as a Secondary Capture (PS3.3 section A.8.1) in a series of its own, derived from the film and referring
 * to it. IHE AIR does not use Secondary Captures, because programs can't read them: the report is the result, this is a
 * picture that every viewer shows.
 * @param shown label of the finding whose activation it shows; by default the first of the analysis
 * @throws HilumError ENCODE_FAILED when the picture, the film's UIDs or the identity can't make a valid object
 */
export function buildSecondaryCapture(
  source: Attributes,
  picture: Picture,
  identity: AnalysisIdentity,
  shown = firstOf(identity).label,
): Dataset {
  checkIdentity(identity);
  const film = sourceReference(source);
  const { series, instance } = resultUids(film.studyInstanceUid, film.sopInstanceUid, identity).heatMap;
  const { date, time, offset } = localMoment(identity.startedAt, source);
  return {
    SOPClassUID: SOP_CLASSES.heatMap,
    SOPInstanceUID: instance,
    ...studyModule(source),
    ...equipmentModule(identity),
    ...offset,
    // Never CR or DX: receivers would take the picture for a film, and Hilum itself would analyse it.
    Modality: 'OT',
    SeriesInstanceUID: series,
    SeriesNumber: SERIES_NUMBER,
    SeriesDate: date,
    SeriesTime: time,
    SeriesDescription: `Hilum heat map - ${RESEARCH_USE.seriesDescription}`,
    ConversionType: 'WSD',
    DateOfSecondaryCapture: date,
    TimeOfSecondaryCapture: time,
    InstanceNumber: '1',
    ContentDate: date,
    ContentTime: time,
    // Type 2C of General Series; a chest has no side, so that it is empty.
    Laterality: '',
    // Type 2C. The film's orientation also holds for the picture; an invalid one is left empty.
    PatientOrientation: patientOrientation(source) ?? [],
    ImageType: ['DERIVED', 'SECONDARY', 'OTHER'],
    BurnedInAnnotation: 'YES',
    ...derivation(film, identity, shown),
    ...lossyHistory(source),
    ...pixelModule(picture),
    _overlays: (picture.outlines ?? []).map((plane) => overlayPlane(plane, picture)),
  };
}

/** Overlay over the whole picture. */
function overlayPlane({ of, bits }: OutlinePlane, { rows, columns }: Picture): OverlayPlane {
  const { group, label, description } = OVERLAYS[of];
  if (bits.length !== overlayLength({ rows, columns }))
    refuse(`the outlines have ${bits.length} bytes for ${rows} rows of ${columns} pixels`);
  return { group, rows, columns, bits, label, description: cut(`${description}. ${RESEARCH_USE.brief}`, 64) };
}

function derivation(film: SourceReference, identity: AnalysisIdentity, shown: string): Dataset {
  const finding = findingNamed(identity, shown);
  const { id, version } = classifierOf(identity, finding);
  return {
    DerivationDescription: cut(
      plain(
        `Film resampled to 8 bits, with the class activation map of ${id} ${version} for ${finding.label} in ` +
          `colour. ${RESEARCH_USE.brief}`,
      ),
      1024,
    ),
    DerivationCodeSequence: [codeItem(CODES.spatialResampling)],
    SourceImageSequence: [
      {
        ReferencedSOPClassUID: film.sopClassUid,
        ReferencedSOPInstanceUID: film.sopInstanceUid,
        PurposeOfReferenceCodeSequence: [codeItem(CODES.sourceImage)],
      },
    ],
  };
}

function pixelModule({ rows, columns, rgb }: Picture): Dataset {
  const fits = [rows, columns].every((size) => Number.isInteger(size) && size > 0 && size <= 0xffff);
  if (!fits || rgb.length !== rows * columns * 3)
    refuse(`the picture has ${rgb.length} bytes for ${rows} rows of ${columns} pixels`);
  return {
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: rows,
    Columns: columns,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: [rgb.slice().buffer],
    _vrMap: { PixelData: 'OB' },
  };
}
