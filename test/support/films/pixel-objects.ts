import type { Dataset } from '../../../src/dicom/dataset';
import { equipmentModule } from '../../../src/objects/analysis';
import { codeItem } from '../../../src/objects/codes';
import { sourceReference, studyModule } from '../../../src/objects/study-module';
import { BARE_FILM, IDENTITY } from '../broker/outcomes';

/**
 * A Segmentation and a Parametric Map of two by eight pixels, made from the Standard alone: what is checked is not
 * checked against its own builder.
 */
const film = sourceReference(BARE_FILM);
const code = (value: string, scheme: string, meaning: string) => codeItem({ value, scheme, meaning });
const [ORGANISATION, FRAME] = ['1.2.826.0.1.3680043.10.9.1', '1.2.826.0.1.3680043.10.9.2'];

const derivation = {
  DerivationImageSequence: [
    {
      DerivationCodeSequence: [code('113076', 'DCM', 'Segmentation')],
      SourceImageSequence: [
        {
          ReferencedSOPClassUID: film.sopClassUid,
          ReferencedSOPInstanceUID: film.sopInstanceUid,
          PurposeOfReferenceCodeSequence: [code('121322', 'DCM', 'Source image for image processing operation')],
        },
      ],
    },
  ],
};

const common: Dataset = {
  ...studyModule(BARE_FILM),
  ...equipmentModule(IDENTITY),
  SeriesNumber: '7',
  SeriesDescription: 'test',
  InstanceNumber: '1',
  ContentLabel: 'TEST',
  ContentDescription: '',
  ContentCreatorName: '',
  ContentDate: '20260105',
  ContentTime: '142233',
  SeriesDate: '20260105',
  SeriesTime: '142233',
  FrameOfReferenceUID: FRAME,
  PositionReferenceIndicator: '',
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  Rows: 2,
  Columns: 8,
  NumberOfFrames: '1',
  LossyImageCompression: '00',
  DimensionOrganizationSequence: [{ DimensionOrganizationUID: ORGANISATION }],
  ReferencedSeriesSequence: [
    {
      SeriesInstanceUID: film.seriesInstanceUid,
      ReferencedInstanceSequence: [
        { ReferencedSOPClassUID: film.sopClassUid, ReferencedSOPInstanceUID: film.sopInstanceUid },
      ],
    },
  ],
};

const planes = {
  PixelMeasuresSequence: [{ PixelSpacing: ['1', '1'], SliceThickness: '1' }],
  PlaneOrientationSequence: [{ ImageOrientationPatient: ['1', '0', '0', '0', '0', '-1'] }],
  PlanePositionSequence: [{ ImagePositionPatient: ['0', '0', '0'] }],
};

export const SEGMENTATION: Dataset = {
  ...common,
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4',
  SOPInstanceUID: '1.2.826.0.1.3680043.10.9.3',
  SeriesInstanceUID: '1.2.826.0.1.3680043.10.9.4',
  Modality: 'SEG',
  ImageType: ['DERIVED', 'PRIMARY'],
  BitsAllocated: 1,
  BitsStored: 1,
  HighBit: 0,
  PixelRepresentation: 0,
  SegmentationType: 'BINARY',
  SegmentSequence: [
    {
      SegmentNumber: 1,
      SegmentLabel: 'Lungs',
      SegmentAlgorithmType: 'AUTOMATIC',
      SegmentAlgorithmName: 'test',
      SegmentedPropertyCategoryCodeSequence: [code('91723000', 'SCT', 'Anatomical Structure')],
      SegmentedPropertyTypeCodeSequence: [code('39607008', 'SCT', 'Lung')],
    },
  ],
  DimensionIndexSequence: [
    {
      DimensionIndexPointer: 0x0062000b,
      FunctionalGroupPointer: 0x0062000a,
      DimensionOrganizationUID: ORGANISATION,
      DimensionDescriptionLabel: 'Segment',
    },
  ],
  SharedFunctionalGroupsSequence: [{ ...planes, ...derivation }],
  PerFrameFunctionalGroupsSequence: [
    {
      FrameContentSequence: [{ DimensionIndexValues: 1 }],
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
    },
  ],
  PixelData: [Uint8Array.of(0x3c, 0xff).buffer],
  _vrMap: { PixelData: 'OB' },
};

const imageType = ['DERIVED', 'PRIMARY', 'OTHER', 'QUANTITY'];
export const PARAMETRIC_MAP: Dataset = {
  ...common,
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.30',
  SOPInstanceUID: '1.2.826.0.1.3680043.10.9.5',
  SeriesInstanceUID: '1.2.826.0.1.3680043.10.9.6',
  Modality: 'OT',
  ImageType: imageType,
  BitsAllocated: 32,
  ContentQualification: 'RESEARCH',
  BurnedInAnnotation: 'NO',
  RecognizableVisualFeatures: 'NO',
  PresentationLUTShape: 'IDENTITY',
  AcquisitionContextSequence: [],
  Laterality: '',
  DimensionIndexSequence: [
    {
      DimensionIndexPointer: 0x00209057,
      FunctionalGroupPointer: 0x00209111,
      DimensionOrganizationUID: ORGANISATION,
      DimensionDescriptionLabel: 'Position',
    },
  ],
  SharedFunctionalGroupsSequence: [
    {
      ...planes,
      ...derivation,
      ParametricMapFrameTypeSequence: [{ FrameType: imageType }],
      PixelValueTransformationSequence: [{ RescaleIntercept: '0', RescaleSlope: '1', RescaleType: 'US' }],
      FrameVOILUTSequence: [{ WindowCenter: ['0.5'], WindowWidth: ['1'] }],
      RealWorldValueMappingSequence: [
        {
          DoubleFloatRealWorldValueFirstValueMapped: 0,
          DoubleFloatRealWorldValueLastValueMapped: 1,
          RealWorldValueIntercept: 0,
          RealWorldValueSlope: 1,
          LUTExplanation: 'test',
          LUTLabel: 'TEST',
          MeasurementUnitsCodeSequence: [code('1', 'UCUM', 'no units')],
        },
      ],
    },
  ],
  PerFrameFunctionalGroupsSequence: [
    { FrameContentSequence: [{ StackID: '1', InStackPositionNumber: 1, DimensionIndexValues: 1 }] },
  ],
  FloatPixelData: [Float32Array.from({ length: 16 }, (_, i) => i / 16).buffer],
};
