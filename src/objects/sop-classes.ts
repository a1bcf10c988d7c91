import { parseUid } from '../dicom/uid';

/**
 * What can be written of an analysed film beside its report, each switched on or off by itself, in the order of
 * storing. The report is no member: it is always written, for its presence says that a film is done.
 */
export const RESULT_OBJECTS = ['heatMap', 'segmentation', 'parametricMap', 'presentationState'] as const;
export type ResultObject = (typeof RESULT_OBJECTS)[number];

/**
 * PS3.4 section B.5. Single-frame Secondary Capture is what every viewer and every archive takes; the multi-frame
 * classes are younger and rarer.
 */
export const SOP_CLASSES = {
  heatMap: parseUid('1.2.840.10008.5.1.4.1.1.7'),
  segmentation: parseUid('1.2.840.10008.5.1.4.1.1.66.4'),
  parametricMap: parseUid('1.2.840.10008.5.1.4.1.1.30'),
  presentationState: parseUid('1.2.840.10008.5.1.4.1.1.11.1'),
} as const satisfies Record<ResultObject, unknown>;
