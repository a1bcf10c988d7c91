import { HilumError } from '../base/errors';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import { isRejection, type RejectionReason } from '../events/closed-lists';
import type { FilmResult } from '../events/result-event';
import { KEY_OBJECT_SELECTION, readRejectionNote, type RejectionNote } from '../objects/rejection-note';
import { plainRefusal } from './refusal';
import type { Archive, FilmOutcome } from './stage';

/** Content of all rejection notes of a study. */
export interface Rejections {
  /** Reason by SOP Instance UID of the film. */
  readonly reasons: ReadonlyMap<Uid, RejectionReason>;
  /** Whether all notes were read: if not, further films may be rejected. */
  readonly isWhole: boolean;
}

/**
 * Largest number of key object selections of a study that are read, and largest size of one (bytes): some 30,000
 * instances.
 */
const MAX_NOTES = 200;
const LARGEST_NOTE = 16 * 1024 * 1024;

/** Why a key object selection is not read and rejects nothing. */
type UnreadNote = 'unreadable' | 'too-large' | 'too-many';

export interface NoteReading {
  readonly archive: Pick<Archive, 'retrieve'>;
  /** Called for each note that is not read. */
  readonly onUnread?: ((instance: Uid, why: UnreadNote) => void) | undefined;
}

/**
 * Reads the rejection notes of a study (IHE Imaging Object Change Management). Where several reject one film, the most
 * serious reason counts: incorrect worklist entry, patient safety, quality, retention.
 * @throws HilumError of the archive
 */
export async function readRejections(
  study: Uid,
  instances: readonly InstanceReference[],
  { archive, onUnread = () => {} }: NoteReading,
): Promise<Rejections> {
  const reasons = new Map<Uid, RejectionReason>();
  // Sorted, so that the same notes are read each time whatever the archive's order.
  const documents = instances.filter(mayBeNote).sort((a, b) => (a.sopInstanceUid < b.sopInstanceUid ? -1 : 1));
  for (const { sopInstanceUid } of documents.slice(MAX_NOTES)) onUnread(sopInstanceUid, 'too-many');
  let isWhole = documents.length <= MAX_NOTES;
  for (const instance of documents.slice(0, MAX_NOTES)) {
    const note = await readNote(study, instance, { archive, onUnread });
    if (note === undefined) isWhole = false;
    for (const uid of note?.rejected ?? []) reasons.set(uid, moreSerious(reasons.get(uid), note!.reason));
  }
  return { reasons, isWhole };
}

/** Some archives leave the SOP Class out of their responses. */
export function mayBeNote({ modality, sopClassUid }: InstanceReference): boolean {
  return modality === 'KO' || (sopClassUid as string) === KEY_OBJECT_SELECTION;
}

const BY_SEVERITY: readonly RejectionReason[] = [
  'incorrect-worklist-entry',
  'rejected-for-patient-safety',
  'rejected-for-quality',
  'retention-expired',
];

/** The more serious of two reasons. */
export function moreSerious(one: RejectionReason | undefined, other: RejectionReason): RejectionReason {
  return one !== undefined && BY_SEVERITY.indexOf(one) < BY_SEVERITY.indexOf(other) ? one : other;
}

/**
 * Null for a document that rejects nothing; undefined where it could not be read, for example because it was deleted.
 */
async function readNote(
  study: Uid,
  instance: InstanceReference,
  { archive, onUnread }: Required<NoteReading>,
): Promise<RejectionNote | null | undefined> {
  try {
    const bytes = await archive.retrieve(instance);
    if (bytes.length <= LARGEST_NOTE) return readRejectionNote(bytes, study);
    onUnread(instance.sopInstanceUid, 'too-large');
  } catch (error) {
    if (!(error instanceof HilumError) || !['NOT_FOUND', 'DICOM_UNREADABLE'].includes(error.code)) throw error;
    if (error.code === 'DICOM_UNREADABLE') onUnread(instance.sopInstanceUid, 'unreadable');
  }
  return undefined;
}

/** Outcome of a film that was rejected before any analysis: it is neither fetched nor reported. */
export function rejectedFilm(reason: RejectionReason): FilmOutcome {
  return { outcome: 'rejected', sopInstanceUid: null, refusal: plainRefusal(reason) };
}

/** Whether a result says that its film was rejected. */
export function saysRejected({ reason }: Pick<FilmResult, 'reason'>): boolean {
  return reason !== null && isRejection(reason);
}
