import type { Attributes } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import { patientOrientation } from '../dicom/patient-orientation';
import { refuse } from '../dicom/sanitise';
import { deriveUid } from '../dicom/uid';
import { type AnalysisIdentity, checkIdentity, classifierOf, findingNamed, firstOf } from './analysis';
import { codeItem, CODES } from './codes';
import { derivedFrame, type Grid } from './derived-frame';

const SERIES_NUMBER = '9904';

/**
 * The class activation as a Parametric Map (PS3.3 section A.75): one frame of 32-bit floats, each a share of the film's
 * own greatest activation, 0 to 1. It keeps the samples of the heat map and is no larger: the film's pixels would hold
 * interpolated values, and a hundred times as many bytes. Its Pixel Measures say what ground a sample covers; the frame
 * covers the film.
 * @param heat Grad-CAM after ReLU, divided by its maximum, 0..1
 * @param shown label of the finding that it is of; by default the first of the analysis
 * @throws HilumError ENCODE_FAILED when the values, the film's UIDs or the identity cannot make a valid object.
 */
export function buildParametricMap(
  source: Attributes,
  heat: Grid,
  identity: AnalysisIdentity,
  shown = firstOf(identity).label,
): Dataset {
  checkIdentity(identity);
  const values = Float32Array.from(heat.values);
  if (values.length !== heat.rows * heat.columns || !values.every((value) => value >= 0 && value <= 1))
    refuse('the activation map holds values beyond 0 to 1, or too few or many');
  const frame = derivedFrame(
    source,
    {
      object: 'parametricMap',
      modality: 'OT',
      seriesNumber: SERIES_NUMBER,
      title: 'activation map',
      contentLabel: 'GRAD_CAM',
      rows: heat.rows,
      columns: heat.columns,
      derivation: CODES.classActivation,
      model: classifierOf(identity, findingNamed(identity, shown)),
      dimension: { attribute: 0x00209057, group: 0x00209111 },
      frameContent: { StackID: '1', InStackPositionNumber: 1 },
    },
    identity,
  );
  const [shared] = frame.SharedFunctionalGroupsSequence as [Dataset];
  const imageType = ['DERIVED', 'PRIMARY', 'OTHER', 'QUANTITY'];
  return {
    ...frame,
    // Type 2C; a chest has no side, so it is there and empty.
    Laterality: '',
    ...frameOfReference(frame),
    ImageType: imageType,
    BurnedInAnnotation: 'NO',
    RecognizableVisualFeatures: 'NO',
    PresentationLUTShape: 'IDENTITY',
    AcquisitionContextSequence: [],
    BitsAllocated: 32,
    SharedFunctionalGroupsSequence: [
      {
        // A film that states no spacing: the group is required, its values are not.
        PixelMeasuresSequence: [{}],
        ...shared,
        ...plane(source),
        ParametricMapFrameTypeSequence: [{ FrameType: imageType }],
        // Floats are what they mean: the identity (section C.7.6.16.2.9).
        PixelValueTransformationSequence: [{ RescaleIntercept: '0', RescaleSlope: '1', RescaleType: 'US' }],
        FrameVOILUTSequence: [{ WindowCenter: ['0.5'], WindowWidth: ['1'] }],
        RealWorldValueMappingSequence: [realWorldValues()],
      },
    ],
    FloatPixelData: [values.buffer],
  };
}

/**
 * The IOD wants a Frame of Reference with a plane in it (PS3.3 section A.75.3), and a film has none. So each map has
 * one to itself, whose origin is the top left of the film: nothing else is in it, so that no viewer can mistake it for
 * a place among other images.
 */
function frameOfReference({ SOPInstanceUID }: Dataset): Dataset {
  return {
    FrameOfReferenceUID: deriveUid(['frame of reference', String(SOPInstanceUID)]),
    PositionReferenceIndicator: '',
  };
}

/**
 * Unit vectors of patient orientation (PS3.3 section C.7.6.1.1.1) in the patient's coordinates (section C.7.6.2.1.1).
 */
const DIRECTIONS: Readonly<Record<string, readonly [number, number, number]>> = {
  L: [1, 0, 0],
  R: [-1, 0, 0],
  P: [0, 1, 0],
  A: [0, -1, 0],
  H: [0, 0, 1],
  F: [0, 0, -1],
};

/** As Patient Orientation says; a film that does not say lies as frontal films are shown, left and foot. */
function plane(source: Attributes): Dataset {
  const [row, column] = patientOrientation(source) ?? ['L', 'F'];
  return {
    PlanePositionSequence: [{ ImagePositionPatient: ['0', '0', '0'] }],
    PlaneOrientationSequence: [
      { ImageOrientationPatient: [row, column].flatMap((direction) => DIRECTIONS[direction[0]!]!).map(String) },
    ],
  };
}

/** PS3.3 section C.7.6.16.2.11. */
function realWorldValues(): Dataset {
  return {
    DoubleFloatRealWorldValueFirstValueMapped: 0,
    DoubleFloatRealWorldValueLastValueMapped: 1,
    RealWorldValueIntercept: 0,
    RealWorldValueSlope: 1,
    LUTExplanation: 'Grad-CAM after ReLU, share of its maximum on this film',
    LUTLabel: 'GRAD_CAM',
    MeasurementUnitsCodeSequence: [codeItem(CODES.noUnits)],
    QuantityDefinitionSequence: [
      {
        ValueType: 'CODE',
        ConceptNameCodeSequence: [codeItem(CODES.quantity)],
        ConceptCodeSequence: [codeItem(CODES.classActivation)],
      },
    ],
  };
}
