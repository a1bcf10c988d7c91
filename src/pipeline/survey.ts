import type { InstanceReference } from '../dicom/instance';
import { isNoImageClass } from '../dicom/sop-class';
import { FILM_MODALITIES } from '../events/closed-lists';
import type { ResultEvent } from '../events/result-event';
import { type AnalysisIdentity, resultUids, type ResultUids } from './encode';

/** What a study holds, from the pipeline's point of view. */
export interface Survey {
  /** Films without a report of this analysis. */
  readonly pending: readonly InstanceReference[];
  /** Films with one. */
  readonly done: readonly { readonly film: InstanceReference; readonly uids: ResultUids }[];
  /** Series that hold no film and no result of this analysis. */
  readonly skipped: ResultEvent['skipped'];
  /** SOP Instance UIDs of all that the study holds: what is there is not sent again. */
  readonly present: ReadonlySet<string>;
}

/**
 * Sorts a study's instances. Modality CR or DX makes a film, unless its SOP Class is known to be no image. A film is done when its report is
 * there: the report is stored last, its UID follows from the film and the analysis, so that one query answers for the
 * whole study.
 */
export function survey(instances: readonly InstanceReference[], identity: AnalysisIdentity): Survey {
  const present = new Set<string>(instances.map((instance) => instance.sopInstanceUid));
  const films = instances.filter(mayBeFilm).map((film) => ({ film, uids: resultUids(film.sopInstanceUid, identity) }));
  const own = new Set<string>(films.flatMap(({ uids }) => Object.values(uids).map(({ series }) => series)));
  const isDone = ({ uids }: { uids: ResultUids }) => present.has(uids.report.instance);
  return {
    present,
    pending: films.filter((entry) => !isDone(entry)).map(({ film }) => film),
    done: films.filter(isDone),
    skipped: groupSeries(instances.filter((instance) => !mayBeFilm(instance) && !own.has(instance.seriesInstanceUid))),
  };
}

function mayBeFilm({ modality, sopClassUid }: InstanceReference): boolean {
  return FILM_MODALITIES.has(modality) && !isNoImageClass(sopClassUid);
}

function groupSeries(instances: readonly InstanceReference[]): ResultEvent['skipped'] {
  const series = new Map<string, ResultEvent['skipped'][number]>();
  for (const { seriesInstanceUid, modality } of instances) {
    series.set(seriesInstanceUid, {
      seriesInstanceUid,
      modality,
      instances: (series.get(seriesInstanceUid)?.instances ?? 0) + 1,
    });
  }
  return [...series.values()];
}
