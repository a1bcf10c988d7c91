import type { Uid } from '../dicom/uid';
import type { ResultEvent } from '../events/result-event';
import { studyPriority } from '../finding/finding';
import { filmResultOf } from '../objects/film-result';
import { type ChainedReport, chainOf, type ReportChain } from '../objects/report-chain';
import { REPORT_NAME } from '../objects/structured-report';
import { assembleRecord, type ReadReport, readReportIfThere, type RecordArchive } from '../sinks/load-record';
import type { StudyRecord } from '../sinks/record';

/** Port: the archive with a study's reports; `archive/dicomweb` fits it by shape. Every method throws HilumError. */
export interface ReportArchive extends RecordArchive {
  findSeries(
    study: Uid,
  ): Promise<
    readonly { readonly seriesInstanceUid: Uid | null; readonly modality: string; readonly description: string }[]
  >;
}

/**
 * Record of a study from the reports in the archive: the report in effect of each film, by any version of Hilum that
 * can be read. Null where there is none. Films that were rejected before any analysis have no report and are not
 * restored.
 * @throws HilumError of the archive
 */
export async function rebuildRecord(study: Uid, archive: ReportArchive): Promise<StudyRecord | null> {
  const series = (await archive.findSeries(study)).filter(
    ({ modality, description }) => modality === 'SR' && (description === '' || description.startsWith(REPORT_NAME)),
  );
  if (series.length === 0) return null;
  const wanted = new Set(series.map(({ seriesInstanceUid }) => seriesInstanceUid));
  const byFilm = new Map<Uid, ReadReport[]>();
  for (const instance of await archive.findInstances(study)) {
    const report = wanted.has(instance.seriesInstanceUid) ? await readReportIfThere(instance, archive) : null;
    if (report === null || (report.reading.links.study ?? study) !== study) continue;
    const film = report.reading.sopInstanceUid;
    byFilm.set(film, [...(byFilm.get(film) ?? []), report]);
  }
  const chains = [...byFilm.values()].flatMap((reports) => chainOf(reports.map(linked)) ?? []);
  if (chains.length === 0) return null;
  return assembleRecord(
    eventOf(study, chains),
    chains.map(({ inEffect }) => inEffect.report),
    archive,
  );
}

interface LinkedReport extends ChainedReport {
  readonly report: ReadReport;
}

function linked(report: ReadReport): LinkedReport {
  const { links, contentAt } = report.reading;
  const predecessors = links.predecessors.map(({ sopInstanceUid }) => sopInstanceUid);
  return { report, sopInstanceUid: links.report.sopInstanceUid, predecessors, contentAt };
}

/** The result event as the service announced it; the time of the last report stands for the time of completion. */
function eventOf(study: Uid, chains: readonly ReportChain<LinkedReport>[]): ResultEvent {
  const films = chains.map(({ inEffect, superseded }) => filmResultOf(inEffect.report.reading, superseded));
  return {
    schemaVersion: 1,
    type: 'study-result',
    studyInstanceUid: study,
    priority: studyPriority(films),
    films,
    skipped: [],
    models: [],
    completedAt: new Date(Math.max(...chains.map(({ inEffect }) => inEffect.contentAt))).toISOString(),
  };
}
