import { HilumError } from '../base/errors';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import { FILM_MODALITIES } from '../events/closed-lists';
import { reportLinks } from '../objects/report-reader';

/** Port: `archive/dicomweb` fits it by shape. */
export interface CoverageArchive {
  findInstances(study: Uid): Promise<readonly InstanceReference[]>;
  retrieve(
    path: Pick<InstanceReference, 'studyInstanceUid' | 'seriesInstanceUid' | 'sopInstanceUid'>,
  ): Promise<Uint8Array>;
}

/** Film UID by report UID; null for an SR that is no report of Hilum. A report never changes, so each is read once. */
type Known = Map<Uid, Uid | null>;
const MAX_KNOWN = 50_000;

/**
 * Number of films of a study that have a report. Counting reports is not enough, as a film whose content was replaced
 * has several. Reads the structured reports of the study that it has not read before.
 * @throws HilumError of the archive
 */
export function coveredFilms(archive: CoverageArchive, known: Known = new Map()): (study: Uid) => Promise<number> {
  return async (study) => {
    const instances = await archive.findInstances(study);
    const films = new Set<Uid>(
      instances.filter(({ modality }) => FILM_MODALITIES.has(modality)).map(({ sopInstanceUid }) => sopInstanceUid),
    );
    const covered = new Set<Uid>();
    for (const instance of instances.filter(({ modality }) => modality === 'SR')) {
      const film = await filmOf(instance, archive, known);
      if (film !== null && films.has(film)) covered.add(film);
    }
    return covered.size;
  };
}

async function filmOf(instance: InstanceReference, archive: CoverageArchive, known: Known): Promise<Uid | null> {
  const remembered = known.get(instance.sopInstanceUid);
  if (remembered !== undefined) return remembered;
  const film = await readFilm(instance, archive);
  known.set(instance.sopInstanceUid, film);
  const [oldest] = known.keys();
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  return film;
}

/**
 * UID of the film that a report is of. Null also for a report that was written for another study, and for one that was
 * deleted meanwhile.
 */
async function readFilm(instance: InstanceReference, archive: CoverageArchive): Promise<Uid | null> {
  try {
    const links = reportLinks(await archive.retrieve(instance));
    return links === null || (links.study ?? instance.studyInstanceUid) !== instance.studyInstanceUid
      ? null
      : links.film;
  } catch (error) {
    if (error instanceof HilumError && (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')) return null;
    throw error;
  }
}
