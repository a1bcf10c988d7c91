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
 * The class activation as a Parametric Map (PS3.3 section A.75): one frame of 32-bit floats, 0 to 1, relative to the
 * film's greatest activation. It has the resolution of the heat map: at the film's resolution the values would be
 * interpolated and need a hundred times as many bytes. Pixel Measures give the size of a sample; the frame covers the
 * film.
 * @param heat Grad-CAM after ReLU, divided by its maximum, 0..1
 * @param shown label of its finding; by default the first of the analysis
 * @throws HilumError ENCODE_FAILED when the values, the film's UIDs or the identity can't make a valid object
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
    // Type 2C; a chest has no side, so that it is empty.
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
        // For a film without spacing: the group is required, its values are not.
        PixelMeasuresSequence: [{}],
        ...shared,
        ...plane(source),
        ParametricMapFrameTypeSequence: [{ FrameType: imageType }],
        // Identity, as the floats are the real-world values (section C.7.6.16.2.9).
        PixelValueTransformationSequence: [{ RescaleIntercept: '0', RescaleSlope: '1', RescaleType: 'US' }],
        FrameVOILUTSequence: [{ WindowCenter: ['0.5'], WindowWidth: ['1'] }],
        RealWorldValueMappingSequence: [realWorldValues()],
      },
    ],
    FloatPixelData: [values.buffer],
  };
}

/**
 * The IOD requires a Frame of Reference with a plane (PS3.3 section A.75.3), which a film does not have. Each map gets
 * one of its own with the origin at the top left of the film, so that no viewer can place it among other images.
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

/** By Patient Orientation; a film without one is taken to lie as frontal films are shown, left and foot. */
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
