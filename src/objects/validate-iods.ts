import { SOP_CLASSES } from './sop-classes';
import { SR_CLASSES } from './structured-report';
import type { FunctionalGroupRules } from './validate-frames';
import type { Module } from './validate-modules';

/**
 * Rules of the IODs of PS3.3 that Hilum writes, as far as they can find mistakes of ours. Where values are more
 * restricted than in the Standard, they are promises of ours (research, unverified).
 */
export interface Iod {
  readonly modules: readonly Module[];
  readonly pixels?: boolean;
  readonly document?: boolean;
  readonly graphics?: boolean;
  readonly functionalGroups?: FunctionalGroupRules;
}

const YES_NO = ['YES', 'NO'];
const REFERENCE: Module = [
  ['ReferencedSOPClassUID', 1],
  ['ReferencedSOPInstanceUID', 1],
];
/** Only that a code is present; pairProblems checks its content. */
const CODE = { items: [['CodeMeaning', 1]] as Module, count: 1 };

const SOP_COMMON: Module = [
  ['SOPClassUID', 1],
  ['SOPInstanceUID', 1],
  ['SpecificCharacterSet', 1, ['ISO_IR 192']],
];
const PATIENT: Module = [
  ['PatientName', 2],
  ['PatientID', 2],
  ['PatientBirthDate', 2],
  ['PatientSex', 2, ['M', 'F', 'O']],
];
const STUDY: Module = [
  ['StudyInstanceUID', 1],
  ['StudyDate', 2],
  ['StudyTime', 2],
  ['ReferringPhysicianName', 2],
  ['StudyID', 2],
  ['AccessionNumber', 2],
];
const series = (modality: string): Module => [
  ['Modality', 1, [modality]],
  ['SeriesInstanceUID', 1],
  ['SeriesNumber', 1],
  ['SeriesDescription', 1],
];
const EQUIPMENT: Module = [
  ['Manufacturer', 1],
  ['ManufacturerModelName', 1],
  ['DeviceSerialNumber', 1],
  ['SoftwareVersions', 1],
];
const COMMON: readonly Module[] = [SOP_COMMON, PATIENT, STUDY, EQUIPMENT];

/** Sections C.7.6.3 and C.7.6.24 */
const PIXELS: Module = [
  ['SamplesPerPixel', 1, [1, 3]],
  ['PhotometricInterpretation', 1],
  ['Rows', 1],
  ['Columns', 1],
  ['BitsAllocated', 1, [1, 8, 16, 32, 64]],
];
const INTEGER_PIXELS: Module = [
  ['BitsStored', 1],
  ['HighBit', 1],
  ['PixelRepresentation', 1, [0, 1]],
];

/** Sections A.8.1, C.8.6.1, C.7.6.1 */
const SECONDARY_CAPTURE: Module = [
  ['ConversionType', 1, ['DV', 'DI', 'DF', 'WSD', 'SD', 'SI', 'DRW', 'SYN']],
  ['InstanceNumber', 2],
  ['PatientOrientation', 2],
  ['ImageType', 1],
  ['BurnedInAnnotation', 1, YES_NO],
  ['LossyImageCompression', 3, ['00', '01']],
  ['SourceImageSequence', 1, { items: [...REFERENCE, ['PurposeOfReferenceCodeSequence', 1, CODE]] }],
];

/** Sections A.35.3 and A.35.13, C.17.1, C.17.2 */
const SERIES_OF_REFERENCES: Module = [
  ['StudyInstanceUID', 1],
  [
    'ReferencedSeriesSequence',
    1,
    {
      items: [
        ['SeriesInstanceUID', 1],
        ['ReferencedSOPSequence', 1, { items: REFERENCE }],
      ],
    },
  ],
];
const SR_DOCUMENT: Module = [
  ['ReferencedPerformedProcedureStepSequence', 2],
  ['InstanceNumber', 1],
  ['CompletionFlag', 1, ['PARTIAL', 'COMPLETE']],
  ['VerificationFlag', 1, ['UNVERIFIED']],
  ['PreliminaryFlag', 1, ['PRELIMINARY']],
  ['ContentQualification', 1, ['RESEARCH']],
  ['ContentDate', 1],
  ['ContentTime', 1],
  ['PerformedProcedureCodeSequence', 2],
  ['CurrentRequestedProcedureEvidenceSequence', 1, { items: SERIES_OF_REFERENCES }],
];

/** Section 10.9 */
const CONTENT_IDENTIFICATION: Module = [
  ['InstanceNumber', 1],
  ['ContentLabel', 1],
  ['ContentDescription', 2],
  ['ContentCreatorName', 2],
];

/** Sections A.33.1, C.11.6, C.11.10, C.11.11, C.10.4, C.10.5, C.10.7 */
const PRESENTATION_STATE: Module = [
  ...CONTENT_IDENTIFICATION,
  ['PresentationCreationDate', 1],
  ['PresentationCreationTime', 1],
  [
    'ReferencedSeriesSequence',
    1,
    {
      items: [
        ['SeriesInstanceUID', 1],
        ['ReferencedImageSequence', 1, { items: REFERENCE }],
      ],
    },
  ],
  [
    'DisplayedAreaSelectionSequence',
    1,
    {
      items: [
        ['DisplayedAreaTopLeftHandCorner', 1],
        ['DisplayedAreaBottomRightHandCorner', 1],
        ['PresentationSizeMode', 1, ['SCALE TO FIT', 'TRUE SIZE', 'MAGNIFY']],
        ['PresentationPixelAspectRatio', 1],
      ],
    },
  ],
  ['GraphicAnnotationSequence', 1, { items: [['GraphicLayer', 1]] }],
  [
    'GraphicLayerSequence',
    1,
    {
      items: [
        ['GraphicLayer', 1],
        ['GraphicLayerOrder', 1],
      ],
    },
  ],
  [
    'SoftcopyVOILUTSequence',
    3,
    {
      items: [
        ['VOILUTFunction', 3, ['LINEAR', 'LINEAR_EXACT', 'SIGMOID']],
        [
          'VOILUTSequence',
          3,
          {
            items: [
              ['LUTDescriptor', 1],
              ['LUTData', 1],
            ],
            count: 1,
          },
        ],
      ],
    },
  ],
  [
    'ModalityLUTSequence',
    3,
    {
      items: [
        ['LUTDescriptor', 1],
        ['LUTData', 1],
        ['ModalityLUTType', 1],
      ],
      count: 1,
    },
  ],
  ['PresentationLUTShape', 1, ['IDENTITY', 'INVERSE']],
  ['ShutterShape', 3, ['RECTANGULAR', 'CIRCULAR', 'POLYGONAL']],
];

/** Sections C.7.6.16, C.7.6.17, and what Segmentation and Parametric Map have in common */
const MULTI_FRAME: Module = [
  ...CONTENT_IDENTIFICATION,
  ['ImageType', 1],
  ['NumberOfFrames', 1],
  ['ContentDate', 1],
  ['ContentTime', 1],
  ['PhotometricInterpretation', 1, ['MONOCHROME2']],
  ['SamplesPerPixel', 1, [1]],
  ['LossyImageCompression', 1, ['00', '01']],
  ['DimensionOrganizationSequence', 1, { items: [['DimensionOrganizationUID', 1]] }],
  [
    'DimensionIndexSequence',
    1,
    {
      items: [
        ['DimensionIndexPointer', 1],
        ['DimensionOrganizationUID', 1],
      ],
    },
  ],
  ['SharedFunctionalGroupsSequence', 1, { items: [], count: 1 }],
  ['PerFrameFunctionalGroupsSequence', 1],
];

/** Sections A.51 and C.8.20 */
const SEGMENTATION: Module = [
  ['SegmentationType', 1, ['BINARY', 'FRACTIONAL']],
  [
    'SegmentSequence',
    1,
    {
      items: [
        ['SegmentNumber', 1],
        ['SegmentLabel', 1],
        ['SegmentAlgorithmType', 1, ['AUTOMATIC']],
        ['SegmentAlgorithmName', 1],
        ['SegmentedPropertyCategoryCodeSequence', 1, CODE],
        ['SegmentedPropertyTypeCodeSequence', 1, CODE],
      ],
    },
  ],
];

/** Sections A.75 and C.8.32 */
const PARAMETRIC_MAP: Module = [
  ['ContentQualification', 1, ['RESEARCH']],
  ['BurnedInAnnotation', 1, ['NO']],
  ['RecognizableVisualFeatures', 1, YES_NO],
  ['PresentationLUTShape', 1, ['IDENTITY']],
  ['AcquisitionContextSequence', 2],
];

const REPORT: Iod = { modules: [...COMMON, series('SR'), SR_DOCUMENT], document: true };

/** By SOP Class UID. */
export const IODS: Readonly<Record<string, Iod | undefined>> = {
  [SOP_CLASSES.heatMap]: {
    modules: [...COMMON, series('OT'), PIXELS, INTEGER_PIXELS, SECONDARY_CAPTURE],
    pixels: true,
  },
  [SR_CLASSES['comprehensive-3d']]: REPORT,
  [SR_CLASSES.comprehensive]: REPORT,
  [SOP_CLASSES.presentationState]: { modules: [...COMMON, series('PR'), PRESENTATION_STATE], graphics: true },
  [SOP_CLASSES.segmentation]: {
    modules: [...COMMON, series('SEG'), PIXELS, INTEGER_PIXELS, MULTI_FRAME, SEGMENTATION],
    pixels: true,
    functionalGroups: {
      everyFrame: ['FrameContentSequence'],
      anywhere: ['DerivationImageSequence', 'SegmentIdentificationSequence'],
    },
  },
  [SOP_CLASSES.parametricMap]: {
    modules: [...COMMON, series('OT'), PIXELS, MULTI_FRAME, PARAMETRIC_MAP],
    pixels: true,
    functionalGroups: {
      everyFrame: ['FrameContentSequence'],
      anywhere: [
        'PixelMeasuresSequence',
        'DerivationImageSequence',
        'PixelValueTransformationSequence',
        'FrameVOILUTSequence',
        'RealWorldValueMappingSequence',
        'ParametricMapFrameTypeSequence',
      ],
    },
  },
};
