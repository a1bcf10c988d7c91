import { HilumError } from '../base/errors';
import type { InstanceReference } from '../dicom/instance';
import type { FilmResult } from '../events/result-event';
import { reportedFilm } from '../objects/report-reader';
import { readResult } from './encode';
import type { Archive } from './stage';
import type { Survey } from './survey';

/**
 * The films that still need a result when those with a report of any version of Hilum are left alone, and what those
 * reports say: an upgrade must not re-read an archive by itself. A report of another version has another UID, so the
 * structured reports that are not of this analysis are read. Costs nothing where no film is pending.
 * @throws HilumError of the archive.
 */
export async function leaveReported(
  { pending, done }: Survey,
  instances: readonly InstanceReference[],
  archive: Archive,
): Promise<{ pending: readonly InstanceReference[]; earlier: readonly FilmResult[] }> {
  if (pending.length === 0) return { pending, earlier: [] };
  const known = new Set<string>(done.map(({ uids }) => uids.report.instance));
  const reported = new Map<string, FilmResult | null>();
  for (const reference of instances.filter(
    ({ modality, sopInstanceUid }) => modality === 'SR' && !known.has(sopInstanceUid),
  )) {
    const report = await retrieveReport(reference, archive);
    const film = report && reportedFilm(report);
    if (film) reported.set(film, readEarlier(report) ?? reported.get(film) ?? null);
  }
  const earlier = pending.flatMap(({ sopInstanceUid }) => reported.get(sopInstanceUid) ?? []);
  return { pending: pending.filter(({ sopInstanceUid }) => !reported.has(sopInstanceUid)), earlier };
}

/** Null for a report that was deleted meanwhile, or is too large to be one of ours. */
async function retrieveReport(report: InstanceReference, archive: Archive): Promise<Uint8Array | null> {
  try {
    return await archive.retrieve(report);
  } catch (error) {
    if (
      error instanceof HilumError &&
      error.lasting === 'permanent' &&
      (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')
    )
      return null;
    throw error;
  }
}

/** Null for a report of a version so different that it can't be read: its film is left alone all the same. */
function readEarlier(report: Uint8Array): FilmResult | null {
  try {
    return readResult(report);
  } catch {
    return null;
  }
}
