import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import { mayBeFilm } from '../events/chest-film';
import type { ResultEvent } from '../events/result-event';
import { type AnalysisIdentity, resultUids, type ResultUids } from './encode';

/** Films and present instances of a study. */
export interface StudyInventory {
  readonly films: readonly InventoryFilm[];
  /** SOP Instance UIDs of all instances of the study: objects that exist are not sent again. */
  readonly present: ReadonlySet<string>;
}

interface InventoryFilm {
  readonly film: InstanceReference;
  /** UIDs of its first result by this analysis. */
  readonly uids: ResultUids;
  /** This result exists. It is stored last, so that all its objects exist too. */
  readonly isReported: boolean;
}

/** Sorts the instances of a study. */
export function inventoryOf(
  study: Uid,
  instances: readonly InstanceReference[],
  identity: AnalysisIdentity,
): StudyInventory {
  const present = new Set<string>(instances.map((instance) => instance.sopInstanceUid));
  const films = instances.filter(mayBeFilm).map((film) => {
    const uids = resultUids(study, film.sopInstanceUid, identity);
    return { film, uids, isReported: present.has(uids.report.instance) };
  });
  return { films, present };
}

/** Series without films and without results of this analysis. @param results series of results with other UIDs */
export function skippedSeries(
  { films }: StudyInventory,
  instances: readonly InstanceReference[],
  results: readonly Uid[],
): ResultEvent['skipped'] {
  const own = new Set<string>([
    ...films.flatMap(({ uids }) => Object.values(uids).map(({ series }) => series)),
    ...results,
  ]);
  return groupSeries(instances.filter((instance) => !mayBeFilm(instance) && !own.has(instance.seriesInstanceUid)));
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
