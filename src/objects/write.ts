import type { Dataset } from '../dicom/dataset';
import { deriveUid } from '../dicom/uid';
import { encodePart10, type Implementation } from '../dicom/write';

const HILUM: Implementation = { classUid: deriveUid(['implementation class', 'hilum']), versionName: 'HILUM_0' };

/** A data set as a PS3.10 file by Hilum. @throws HilumError ENCODE_FAILED as {@link encodePart10} does. */
export function writePart10(dataset: Dataset): Uint8Array {
  return encodePart10(dataset, HILUM);
}
