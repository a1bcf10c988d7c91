import { type FileHandle, open, readFile } from 'node:fs/promises';
import { tryParseUid } from '../dicom/uid';
import type { RejectionReason } from '../events/closed-lists';
import { KEY_OBJECT_SELECTION, readRejectionNote } from '../objects/rejection-note';
import { openFilm, type Pipeline } from '../pipeline/pipeline';
import { moreSerious } from '../pipeline/rejections';

/**
 * The SOP Class is found in the first bytes of a file: in the file meta information, or among the first elements of a
 * bare data set.
 */
const PEEK_BYTES = 1024;
/** Largest rejection note that is read (bytes), as for notes in the archive. */
const LARGEST_NOTE = 16 * 1024 * 1024;

/** Rejection reasons, by study and film. */
export type RejectedFilms = ReadonlyMap<string, RejectionReason>;

const keyOf = (study: string, film: string) => `${study} ${film}`;

/** Why a film was rejected; null where it was not, or the film is not known. */
export function rejectionOf(
  study: string | null,
  film: string | null,
  rejections: RejectedFilms,
): RejectionReason | null {
  return study === null || film === null ? null : (rejections.get(keyOf(study, film)) ?? null);
}

/**
 * Reads the rejection notes (IHE Imaging Object Change Management) among files. Each applies within its own study. A
 * file that can't be read is skipped here and reported by the analysis.
 */
export async function rejectionsIn(
  files: readonly string[],
  pipeline: Pick<Pipeline, 'reader'>,
): Promise<RejectedFilms> {
  const reasons = new Map<string, RejectionReason>();
  for (const file of files) {
    if (!(await mayBeNote(file))) continue;
    const bytes = await readFile(file);
    const source = bytes.length > LARGEST_NOTE ? null : await openFilm(bytes, pipeline);
    const study = source === null || 'outcome' in source ? undefined : tryParseUid(source.attributes.StudyInstanceUID);
    const note = study === undefined ? null : noteOf(bytes, study);
    for (const film of note?.rejected ?? []) {
      const key = keyOf(study!, film);
      reasons.set(key, moreSerious(reasons.get(key), note!.reason));
    }
  }
  return reasons;
}

function noteOf(...given: Parameters<typeof readRejectionNote>): ReturnType<typeof readRejectionNote> {
  try {
    return readRejectionNote(...given);
  } catch {
    // A note that names no instance rejects nothing.
    return null;
  }
}

async function mayBeNote(file: string): Promise<boolean> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(PEEK_BYTES), length: PEEK_BYTES });
    return buffer.subarray(0, bytesRead).includes(KEY_OBJECT_SELECTION);
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}
