import type { Dataset } from '../dicom/dataset';
import { deriveUid } from '../dicom/uid';
import { encodePart10, type Implementation } from '../dicom/write';

const HILUM: Implementation = { classUid: deriveUid(['implementation class', 'hilum']), versionName: 'HILUM_0' };

/** Encodes a data set as a PS3.10 file written by Hilum. @throws HilumError ENCODE_FAILED as {@link encodePart10} */
export function writePart10(dataset: Dataset): Uint8Array {
  return encodePart10(dataset, HILUM);
}
