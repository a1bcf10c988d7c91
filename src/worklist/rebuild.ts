import { HilumError } from '../base/errors';
import type { Uid } from '../dicom/uid';
import type { ResultEvent } from '../events/result-event';
import { studyPriority } from '../finding/finding';
import { filmResultOf } from '../objects/film-result';
import { REPORT_NAME } from '../objects/structured-report';
import { assembleRecord, type ReadReport, readReportFile, type RecordArchive } from '../sinks/load-record';
import type { StudyRecord } from '../sinks/record';

/** Port: what a study's results are found in; `archive/dicomweb` fits it by shape. Every method throws HilumError. */
export interface ReportArchive extends RecordArchive {
  findSeries(
    study: Uid,
  ): Promise<
    readonly { readonly seriesInstanceUid: Uid | null; readonly modality: string; readonly description: string }[]
  >;
}

/**
 * The record of a study from what is stored in it: the newest report of each film, by any version of Hilum that can be
 * read. Null where there is none. Rejected films have no report, so nothing of them comes back.
 * @throws HilumError of the archive.
 */
export async function rebuildRecord(study: Uid, archive: ReportArchive): Promise<StudyRecord | null> {
  const series = (await archive.findSeries(study)).filter(
    ({ modality, description }) => modality === 'SR' && (description === '' || description.startsWith(REPORT_NAME)),
  );
  if (series.length === 0) return null;
  const wanted = new Set(series.map(({ seriesInstanceUid }) => seriesInstanceUid));
  const newest = new Map<Uid, ReadReport>();
  for (const instance of await archive.findInstances(study)) {
    const report = wanted.has(instance.seriesInstanceUid) ? await readStored(instance, archive) : null;
    const film = report?.reading.sopInstanceUid;
    if (report && film && (newest.get(film)?.reading.contentAt ?? -Infinity) < report.reading.contentAt)
      newest.set(film, report);
  }
  if (newest.size === 0) return null;
  const reports = [...newest.values()];
  return assembleRecord(eventOf(study, reports), reports, archive);
}

/** Null for a report that is none of ours, or was deleted meanwhile. */
async function readStored(
  instance: Parameters<RecordArchive['retrieve']>[0],
  archive: RecordArchive,
): Promise<ReadReport | null> {
  try {
    return readReportFile(await archive.retrieve(instance));
  } catch (error) {
    if (error instanceof HilumError && (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')) return null;
    throw error;
  }
}

/** As the service announced it: when the last report was written stands for when it was complete. */
function eventOf(study: Uid, reports: readonly ReadReport[]): ResultEvent {
  const films = reports.map(({ reading }) => filmResultOf(reading));
  return {
    schemaVersion: 1,
    type: 'study-result',
    studyInstanceUid: study,
    priority: studyPriority(films),
    films,
    skipped: [],
    models: [],
    completedAt: new Date(Math.max(...reports.map(({ reading }) => reading.contentAt))).toISOString(),
  };
}
