import type { Uid } from '../dicom/uid';
import { attributesOf, type RecordArchive } from '../sinks/load-record';
import type { FoundAttributes } from './attributes';
import type { KnownFilm, KnownStudy } from './corrections';
import type { StudySummary } from './record-columns';
import type { Worklist } from './worklist';

/**
 * Port: present attributes of a study in the archive; `archive/dicomweb` fits it by shape. Every method throws
 * HilumError.
 */
export interface AttributeArchive extends Pick<RecordArchive, 'describe'> {
  /** Null where the archive does not have the study. */
  findStudySummary(study: Uid, timeoutMs?: number): Promise<StudySummary | null>;
}

export interface RefreshParts {
  readonly worklist: Pick<Worklist, 'known' | 'correct'>;
  readonly archive: AttributeArchive;
}

/**
 * Updates the row of a study from the archive, by one query: of a film's header, which results use; without a result,
 * of the study's summary. Resolves to the keywords of corrected attributes; empty for a study that list or archive do
 * not have.
 * @throws HilumError of archive and database
 */
export async function refreshAttributes(study: Uid, { worklist, archive }: RefreshParts): Promise<readonly string[]> {
  const known = await worklist.known(study);
  const found = known && (await find(study, known, archive));
  return found === null ? [] : worklist.correct(study, found);
}

async function find(study: Uid, known: KnownStudy, archive: AttributeArchive): Promise<FoundAttributes | null> {
  if (known.hasResult) return findByFilm(known.films, archive);
  const summary = await archive.findStudySummary(study);
  return summary && { of: 'study', summary };
}

async function findByFilm(films: readonly KnownFilm[], archive: AttributeArchive): Promise<FoundAttributes | null> {
  for (const film of films) {
    const header = await archive.describe(film);
    // Without a modality it is no film's header, whatever the archive returned.
    if (header !== null && header.Modality !== '') return { of: 'film', attributes: attributesOf(header) };
  }
  return null;
}
