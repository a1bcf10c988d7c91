import { HilumError } from '../base/errors';
import { reportedFilm } from '../dicom/report-reader';
import type { Archive, InstanceReference } from './stage';
import type { Survey } from './survey';

/**
 * The films that still need a result when those with a report of any version of Hilum are to be left alone: an upgrade must not re-read an archive by
 * itself. A report of another version has another UID, so the structured reports that are not of this analysis are read. Costs nothing where no film is pending.
 * @throws HilumError of the archive.
 */
export async function withoutAnyReport({ pending, done }: Survey, instances: readonly InstanceReference[], archive: Archive): Promise<readonly InstanceReference[]> {
  if (pending.length === 0) return pending;
  const known = new Set<string>(done.map(({ uids }) => uids.report.instance));
  const reported = new Set<string>();
  for (const report of instances.filter(({ modality, sopInstanceUid }) => modality === 'SR' && !known.has(sopInstanceUid))) {
    const film = await filmOfReport(report, archive);
    if (film !== null) reported.add(film);
  }
  return pending.filter(({ sopInstanceUid }) => !reported.has(sopInstanceUid));
}

/** Null for a report that is not ours, was deleted meanwhile, or is too large to be one of ours. */
async function filmOfReport(report: InstanceReference, archive: Archive): Promise<string | null> {
  try {
    return reportedFilm(await archive.retrieve(report));
  } catch (error) {
    if (error instanceof HilumError && error.lasting === 'permanent' && (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')) return null;
    throw error;
  }
}
