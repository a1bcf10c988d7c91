import { HilumError } from '../base/errors';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import { isRejection, type RejectionReason } from '../events/closed-lists';
import type { FilmResult } from '../events/result-event';
import { KEY_OBJECT_SELECTION, readRejectionNote, REJECTION_TEXTS } from '../objects/rejection-note';
import type { Archive, FilmOutcome } from './stage';

/** Why a film was rejected, by its SOP Instance UID. */
export type Rejections = ReadonlyMap<Uid, RejectionReason>;

/** Key Object Selection Documents of one study that are read. */
const MOST_NOTES = 200;

/**
 * What the rejection notes of a study (IHE Imaging Object Change Management) reject. Where several reject one film, the
 * reason that says most about the patient counts: incorrect worklist entry, patient safety, quality, retention.
 * @throws HilumError of the archive.
 */
export async function readRejections(
  instances: readonly InstanceReference[],
  archive: Pick<Archive, 'retrieve'>,
): Promise<Rejections> {
  const rejections = new Map<Uid, RejectionReason>();
  for (const instance of instances.filter(mayBeNote).slice(-MOST_NOTES)) {
    const note = await readNote(instance, archive);
    for (const uid of note?.rejected ?? []) rejections.set(uid, weightier(rejections.get(uid), note!.reason));
  }
  return rejections;
}

/** Some archives leave the SOP Class out of their answers. */
function mayBeNote({ modality, sopClassUid }: InstanceReference): boolean {
  return modality === 'KO' || (sopClassUid as string) === KEY_OBJECT_SELECTION;
}

const WEIGHTIEST: readonly RejectionReason[] = [
  'incorrect-worklist-entry',
  'rejected-for-patient-safety',
  'rejected-for-quality',
  'retention-expired',
];

function weightier(one: RejectionReason | undefined, other: RejectionReason): RejectionReason {
  return one !== undefined && WEIGHTIEST.indexOf(one) < WEIGHTIEST.indexOf(other) ? one : other;
}

/** A note that can't be read, or was deleted meanwhile, rejects nothing. */
async function readNote(instance: InstanceReference, archive: Pick<Archive, 'retrieve'>) {
  try {
    return readRejectionNote(await archive.retrieve(instance));
  } catch (error) {
    if (error instanceof HilumError && (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')) return null;
    throw error;
  }
}

/** Of a film that was rejected before anybody analysed it: it is neither fetched nor reported. */
export function rejectedFilm(reason: RejectionReason): FilmOutcome {
  return { outcome: 'rejected', sopInstanceUid: null, refusal: { reason, text: REJECTION_TEXTS[reason] } };
}

/** Whether a result says that its film was rejected. */
export function isWithdrawal({ reason }: Pick<FilmResult, 'reason'>): boolean {
  return reason !== null && isRejection(reason);
}
