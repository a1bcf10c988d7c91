import { dicomWebArchive, type DicomWebArchive } from '../archive/dicomweb';
import type { Log } from '../base/log';
import type { ReanalysisTarget } from '../catch-up/reanalyze';
import { studiesBetween } from '../catch-up/study-sweep';
import type { Config } from '../config/config';
import type { Uid } from '../dicom/uid';

export type { ReanalysisTarget };

/** The archive as configured. */
export function openArchive(config: Config, log?: Log): DicomWebArchive {
  return dicomWebArchive(config.archive, log);
}

/**
 * Studies that may have a report of Hilum, by name or of some days, the newest weeks first: one page of the archive at
 * a time.
 */
export async function* reportedStudies(archive: DicomWebArchive, target: ReanalysisTarget): AsyncGenerator<Uid> {
  if ('studies' in target) return yield* target.studies;
  for await (const studies of studiesBetween(archive, target.from, target.to)) {
    for (const { studyInstanceUid, modalities } of studies)
      if (modalities === null || modalities.includes('SR')) yield studyInstanceUid;
  }
}
