import { type Attributes, numbers } from '../dicom/attributes';
import type { Code } from '../dicom/code';
import type { Dataset } from '../dicom/dataset';
import { lossyHistory } from '../dicom/lossy';
import { patientOrientation } from '../dicom/patient-orientation';
import { clean, cut, plain, refuse } from '../dicom/sanitise';
import { deriveUid } from '../dicom/uid';
import { RESEARCH_USE } from '../finding/wording';
import { type AnalysisIdentity, type AnalysisModel, equipmentModule, localMoment, resultUids } from './analysis';
import { codeItem, CODES } from './codes';
import { SOP_CLASSES } from './sop-classes';
import { sourceReference, type SourceReference, studyModule } from './study-module';

/** Values on a grid over the whole film, row by row. Its pixels may differ from the film's in size and shape. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/** Differences between Segmentation and Parametric Map in the attributes that both have. */
export interface FrameDescription {
  readonly object: 'segmentation' | 'parametricMap';
  readonly modality: string;
  readonly seriesNumber: string;
  /** Description for people; the research notice is added in the Series Description. */
  readonly title: string;
  /** CS */
  readonly contentLabel: string;
  readonly rows: number;
  readonly columns: number;
  readonly derivation: Code;
  /** The network that made it. */
  readonly model: AnalysisModel;
  /** The attribute that identifies the frame, and its functional group (PS3.3 section C.7.6.17). */
  readonly dimension: { readonly attribute: number; readonly group: number };
  readonly frameContent: Dataset;
}

/**
 * Common parts of a one-frame Segmentation and a Parametric Map of a film: study, series, equipment, references and the
 * multi-frame functional groups. The frame is located on the film by a reference to it (Derivation Image), as a film
 * has no Frame of Reference (PS3.3 section A.51.5).
 */
export function derivedFrame(source: Attributes, description: FrameDescription, identity: AnalysisIdentity): Dataset {
  const film = sourceReference(source);
  const { object, rows, columns } = description;
  const uids = resultUids(film.studyInstanceUid, film.sopInstanceUid, identity)[object];
  const { date, time, offset } = localMoment(identity.startedAt, source);
  const organisation = deriveUid(['dimension', uids.instance]);
  if (![rows, columns].every((size) => Number.isInteger(size) && size > 0 && size <= 0xffff))
    refuse(`${rows} rows of ${columns} pixels are no frame`);
  return {
    SOPClassUID: SOP_CLASSES[object],
    SOPInstanceUID: uids.instance,
    ...studyModule(source),
    ...equipmentModule(identity),
    ...offset,
    // Never CR or DX: receivers would take it for a film, and Hilum itself would analyse it.
    Modality: description.modality,
    SeriesInstanceUID: uids.series,
    SeriesNumber: description.seriesNumber,
    SeriesDate: date,
    SeriesTime: time,
    SeriesDescription: cut(`Hilum ${description.title} - ${RESEARCH_USE.seriesDescription}`, 64),
    InstanceNumber: '1',
    PatientOrientation: patientOrientation(source) ?? [],
    ContentDate: date,
    ContentTime: time,
    ContentLabel: description.contentLabel,
    ContentDescription: cut(`${description.title}, ${RESEARCH_USE.short}`, 64),
    ContentCreatorName: '',
    ContentQualification: 'RESEARCH',
    ...{ LossyImageCompression: '00', ...lossyHistory(source) },
    ...referencedSeries(film),
    Rows: rows,
    Columns: columns,
    NumberOfFrames: '1',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organisation }],
    DimensionIndexSequence: [
      {
        DimensionOrganizationUID: organisation,
        DimensionIndexPointer: description.dimension.attribute,
        FunctionalGroupPointer: description.dimension.group,
      },
    ],
    SharedFunctionalGroupsSequence: [pixelMeasures(source, rows, columns)],
    PerFrameFunctionalGroupsSequence: [
      {
        FrameContentSequence: [{ ...description.frameContent, DimensionIndexValues: [1] }],
        DerivationImageSequence: [derivationImage(film, description)],
      },
    ],
  };
}

/** Common Instance Reference (PS3.3 section C.12.2), by which viewers find the film. */
function referencedSeries(film: SourceReference): Dataset {
  return {
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: film.seriesInstanceUid, ReferencedInstanceSequence: [reference(film)] },
    ],
  };
}

function derivationImage(film: SourceReference, { title, derivation, model }: FrameDescription): Dataset {
  return {
    DerivationDescription: cut(plain(`${title} by ${model.id} ${model.version}. ${RESEARCH_USE.brief}`), 1024),
    DerivationCodeSequence: [codeItem(derivation)],
    SourceImageSequence: [
      {
        ...reference(film),
        SpatialLocationsPreserved: 'YES',
        PurposeOfReferenceCodeSequence: [codeItem(CODES.sourceImage)],
      },
    ],
  };
}

function reference({ sopClassUid, sopInstanceUid }: SourceReference): Dataset {
  return { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid };
}

/**
 * Pixel Measures (PS3.3 section C.7.6.16.2.1) of a grid over the same area as the film. The spacing is the film's
 * calibrated one, else that at the detector or scanner (section 10.7.1.3 allows it as Pixel Spacing, uncorrected for
 * magnification); a film without spacing gives none.
 */
function pixelMeasures(source: Attributes, rows: number, columns: number): Dataset {
  const filmSize = [Number(source.Rows), Number(source.Columns)] as const;
  const spacing = (['PixelSpacing', 'ImagerPixelSpacing', 'NominalScannedPixelSpacing'] as const)
    .map((keyword) => numbers(source, keyword))
    .find((pair) => pair.length === 2 && pair.every((value) => value > 0 && value < Infinity));
  if (spacing === undefined || !filmSize.every((size) => size > 0)) return {};
  const scaled = [clean('DS', (spacing[0]! * filmSize[0]) / rows), clean('DS', (spacing[1]! * filmSize[1]) / columns)];
  return scaled.includes('') ? {} : { PixelMeasuresSequence: [{ PixelSpacing: scaled }] };
}
