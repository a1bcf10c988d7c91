import { HilumError } from '../base/errors';
import { type Attributes, items, text } from '../dicom/attributes';
import { readPart10 } from '../dicom/read';
import { tryParseUid, type Uid } from '../dicom/uid';
import type { RejectionReason } from '../events/closed-lists';

/** Key Object Selection Document Storage (PS3.4 annex B.5). */
export const KEY_OBJECT_SELECTION = '1.2.840.10008.5.1.4.1.1.88.59';

/** Document titles (PS3.16 CID 7010, scheme DCM) of rejection notes in IHE Imaging Object Change Management. */
const TITLES: ReadonlyMap<string, RejectionReason> = new Map([
  ['113001', 'rejected-for-quality'],
  ['113037', 'rejected-for-patient-safety'],
  ['113038', 'incorrect-worklist-entry'],
  ['113039', 'retention-expired'],
]);

export interface RejectionNote {
  readonly reason: RejectionReason;
  /** SOP Instance UIDs of all rejected instances of the study. */
  readonly rejected: readonly Uid[];
}

/**
 * Reads a Key Object Selection Document (PS3.3 section A.35.4; IHE RAD TF-3 section 4.66.4.1.3): its title is the
 * concept name of the root, and its evidence (Current Requested Procedure Evidence Sequence, PS3.3 section C.17.6)
 * names the instances by study. Only those of `study` count, as the same film may be in another study too. Without
 * evidence, the instances are those that its content refers to. Null for another document or title.
 * @throws HilumError DICOM_UNREADABLE; also where it names no instance
 */
export function readRejectionNote(bytes: Uint8Array, study: Uid): RejectionNote | null {
  const { attributes, sopClassUid } = readPart10(bytes);
  if (sopClassUid !== KEY_OBJECT_SELECTION) return null;
  const [title = {}] = items(attributes, 'ConceptNameCodeSequence');
  const code = text(title, 'CodingSchemeDesignator') === 'DCM' ? text(title, 'CodeValue') : undefined;
  const reason = TITLES.get(code ?? '');
  if (reason === undefined) return null;
  const named = evidenceOf(attributes);
  if (named.length === 0) throw new HilumError('DICOM_UNREADABLE', 'permanent', 'the rejection note names no object');
  return { reason, rejected: named.filter((one) => one.study === study || one.study === null).map(({ uid }) => uid) };
}

interface Named {
  /** Null where the document does not name it. */
  readonly study: Uid | null;
  readonly uid: Uid;
}

function evidenceOf(document: Attributes): Named[] {
  const named = items(document, 'CurrentRequestedProcedureEvidenceSequence').flatMap((entry) => {
    const study = tryParseUid(entry.StudyInstanceUID) ?? null;
    return items(entry, 'ReferencedSeriesSequence')
      .flatMap(references)
      .map((uid) => ({ study, uid }));
  });
  return named.length > 0 ? named : contentOf(document).map((uid) => ({ study: null, uid }));
}

/** References of a content item and its descendants; the parser limits the depth. */
function contentOf(item: Attributes): Uid[] {
  return [...references(item), ...items(item, 'ContentSequence').flatMap(contentOf)];
}

function references(item: Attributes): Uid[] {
  return items(item, 'ReferencedSOPSequence').flatMap((one) => tryParseUid(one.ReferencedSOPInstanceUID) ?? []);
}
