import { HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import { readPart10 } from '../dicom/read';
import { tryParseUid, type Uid } from '../dicom/uid';
import type { RejectionReason } from '../events/closed-lists';

/** Key Object Selection Document Storage (PS3.4 annex B.5). */
export const KEY_OBJECT_SELECTION = '1.2.840.10008.5.1.4.1.1.88.59';

/** Document titles (PS3.16 CID 7010, scheme DCM) that reject, as IHE Imaging Object Change Management has them. */
const TITLES: Readonly<Record<string, RejectionReason>> = {
  '113001': 'rejected-for-quality',
  '113037': 'rejected-for-patient-safety',
  '113038': 'incorrect-worklist-entry',
  '113039': 'retention-expired',
};

/** What a radiologist reads of a film that was rejected. */
export const REJECTION_TEXTS: Readonly<Record<RejectionReason, string>> = {
  'rejected-for-quality': 'the film was rejected for quality reasons',
  'rejected-for-patient-safety': 'the film was rejected for patient safety reasons',
  'incorrect-worklist-entry':
    'the film was rejected: its worklist entry was incorrect, and it may be of another patient',
  'retention-expired': 'the film was rejected: its data retention period has expired',
};

export interface RejectionNote {
  readonly reason: RejectionReason;
  /** SOP Instance UIDs of all that it rejects, films and others. */
  readonly rejected: readonly Uid[];
}

/**
 * Reads a Key Object Selection Document (PS3.3 section A.35.4; IHE RAD TF-3 4.66.4.1.3): its title is the concept name
 * of the root, and its evidence (Current Requested Procedure Evidence Sequence, PS3.3 section C.17.6) names the
 * instances. Null where it is another document, or has another title.
 * @throws HilumError DICOM_UNREADABLE
 */
export function readRejectionNote(bytes: Uint8Array): RejectionNote | null {
  const { attributes } = readPart10(bytes);
  if (attributes.SOPClassUID !== KEY_OBJECT_SELECTION) return null;
  const title = sequence(attributes, 'ConceptNameCodeSequence')[0];
  const reason = title?.CodingSchemeDesignator === 'DCM' ? TITLES[String(title.CodeValue)] : undefined;
  if (reason === undefined) return null;
  const rejected = sequence(attributes, 'CurrentRequestedProcedureEvidenceSequence')
    .flatMap((study) => sequence(study, 'ReferencedSeriesSequence'))
    .flatMap((series) => sequence(series, 'ReferencedSOPSequence'))
    .flatMap(({ ReferencedSOPInstanceUID }) => tryParseUid(ReferencedSOPInstanceUID) ?? []);
  if (rejected.length === 0)
    throw new HilumError('DICOM_UNREADABLE', 'permanent', 'the rejection note names no object');
  return { reason, rejected };
}

function sequence(item: Attributes, keyword: string): Attributes[] {
  const value = item[keyword];
  return Array.isArray(value)
    ? (value as unknown[]).filter((one): one is Attributes => typeof one === 'object' && one !== null)
    : [];
}
