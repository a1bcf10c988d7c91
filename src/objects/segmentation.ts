import type { Attributes } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import { cut, plain, refuse } from '../dicom/sanitise';
import { type AnalysisIdentity, checkIdentity, modelOf } from './analysis';
import { codeItem, CODES } from './codes';
import { derivedFrame, type Grid } from './derived-frame';
import { pixelAspectRatio } from './presentation-of-source';

const SERIES_NUMBER = '9903';
/** Light blue #6fd0ff, as the lung outlines on the heat map, in 16-bit CIELab (PS3.3 section C.10.7.1.1). */
const LUNG_COLOUR = [51730, 27793, 24570];
const LONGEST_NAME = 64;

export interface LungContent {
  /** Size of the film in pixels, which is also that of the segmentation. */
  readonly rows: number;
  readonly columns: number;
  /** Above 0 inside of the lungs; on the grid that the network saw, which covers the whole film. */
  readonly mask: Grid;
}

/**
 * The lungs as a binary Segmentation (PS3.3 section A.51) at the film's resolution. Both lungs are one segment: the
 * network does not tell left from right, and a side guessed from the position is wrong on a mirrored film.
 * @throws HilumError ENCODE_FAILED when the mask, the film's UIDs or the identity can't make a valid object
 */
export function buildSegmentation(source: Attributes, content: LungContent, identity: AnalysisIdentity): Dataset {
  checkIdentity(identity);
  const { rows, columns, mask } = content;
  if (mask.values.length !== mask.rows * mask.columns || mask.values.length === 0)
    refuse(`the lung mask has ${mask.values.length} values for ${mask.rows} rows of ${mask.columns}`);
  const model = modelOf(identity, 'lungs');
  const frame = derivedFrame(
    source,
    {
      object: 'segmentation',
      modality: 'SEG',
      seriesNumber: SERIES_NUMBER,
      title: 'lungs',
      contentLabel: 'LUNGS',
      rows,
      columns,
      derivation: CODES.segmentation,
      model,
      dimension: { attribute: 0x0062000b, group: 0x0062000a },
      frameContent: {},
    },
    identity,
  );
  const [shared] = frame.SharedFunctionalGroupsSequence as [Dataset];
  const [perFrame] = frame.PerFrameFunctionalGroupsSequence as [Dataset];
  return {
    ...frame,
    SharedFunctionalGroupsSequence: [{ ...forViewers(source), ...shared }],
    PerFrameFunctionalGroupsSequence: [
      { ...perFrame, SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }] },
    ],
    ImageType: ['DERIVED', 'PRIMARY'],
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    SegmentationType: 'BINARY',
    SegmentsOverlap: 'NO',
    SegmentSequence: [segment(model)],
    PixelData: [packed(content).buffer],
    _vrMap: { PixelData: 'OB' },
  };
}

/**
 * Two functional groups that the Standard does not require of a segmentation located by reference, but without which
 * OHIF 3.12.10 draws nothing or fails. The plane is what OHIF assumes for images without one, such as the film: rows to
 * the right, columns down. Without a Frame of Reference it has no position in the patient; Patient Orientation tells
 * how the film lies. Without a spacing the aspect ratio is used.
 */
function forViewers(source: Attributes): Dataset {
  return {
    PixelMeasuresSequence: [{ PixelAspectRatio: pixelAspectRatio(source).map(String) }],
    PlaneOrientationSequence: [{ ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'] }],
  };
}

/** PS3.3 section C.8.20.4, with the Algorithm Identification of section 10.16. */
function segment({ title, id, version, sha256 }: ReturnType<typeof modelOf>): Dataset {
  const name = cut(plain(title), LONGEST_NAME);
  return {
    SegmentNumber: 1,
    SegmentLabel: 'Lungs',
    SegmentDescription: 'Both lungs, as one segment',
    SegmentedPropertyCategoryCodeSequence: [codeItem(CODES.anatomicalStructure)],
    SegmentedPropertyTypeCodeSequence: [
      { ...codeItem(CODES.lung), SegmentedPropertyTypeModifierCodeSequence: [codeItem(CODES.rightAndLeft)] },
    ],
    SegmentAlgorithmType: 'AUTOMATIC',
    SegmentAlgorithmName: name,
    SegmentationAlgorithmIdentificationSequence: [
      {
        AlgorithmFamilyCodeSequence: [codeItem(CODES.artificialIntelligence)],
        AlgorithmName: name,
        AlgorithmVersion: cut(plain(version), LONGEST_NAME),
        AlgorithmParameters: plain(`model=${id} weights-sha256=${sha256}`),
      },
    ],
    RecommendedDisplayCIELabValue: LUNG_COLOUR,
  };
}

/**
 * One bit per pixel, the first in the lowest bit, rows without padding (PS3.5 section 8.1.1), of even length. Each film
 * pixel has the mask's value at its centre.
 */
function packed({ rows, columns, mask }: LungContent): Uint8Array {
  const bytes = new Uint8Array(2 * Math.ceil((rows * columns) / 16));
  const columnOf = Int32Array.from({ length: columns }, (_, column) =>
    Math.floor(((column + 0.5) * mask.columns) / columns),
  );
  for (let row = 0, at = 0; row < rows; row++) {
    const start = Math.floor(((row + 0.5) * mask.rows) / rows) * mask.columns;
    for (let column = 0; column < columns; column++, at++) {
      if (mask.values[start + columnOf[column]!]! > 0) bytes[at >> 3]! |= 1 << (at & 7);
    }
  }
  return bytes;
}
