import { parseUid } from '../dicom/uid';

/**
 * Objects that can be written beside the report of an analysed film, each with a setting of its own, in the order of
 * storing. The report is always written: it marks a film as done.
 */
export const RESULT_OBJECTS = ['heatMap', 'segmentation', 'parametricMap', 'presentationState'] as const;
export type ResultObject = (typeof RESULT_OBJECTS)[number];

/**
 * SOP Classes of PS3.4 section B.5. Single-frame Secondary Capture is supported by every viewer and archive; the
 * multi-frame classes are newer and rarer.
 */
export const SOP_CLASSES = {
  heatMap: parseUid('1.2.840.10008.5.1.4.1.1.7'),
  segmentation: parseUid('1.2.840.10008.5.1.4.1.1.66.4'),
  parametricMap: parseUid('1.2.840.10008.5.1.4.1.1.30'),
  presentationState: parseUid('1.2.840.10008.5.1.4.1.1.11.1'),
} as const satisfies Record<ResultObject, unknown>;
