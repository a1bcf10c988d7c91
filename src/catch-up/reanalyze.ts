import type { Uid } from '../dicom/uid';
import { FILM_MODALITIES } from '../events/closed-lists';
import { studiesBetween, type StudyFinder } from './study-sweep';

/** `source.system` of the events that `hilum reanalyze` makes. */
export const REANALYZE = 'reanalyze';

/** Some studies by name, or all of some days by Study Date, both included. */
export type ReanalysisTarget = { readonly studies: readonly Uid[] } | { readonly from: Date; readonly to: Date };

export interface AskedStudy {
  readonly studyInstanceUid: Uid;
  /**
   * `not-found`: the archive does not know it; `no-film`: it has neither CR nor DX. Only studies that were named can be
   * either.
   */
  readonly outcome: 'asked' | 'not-found' | 'no-film';
}

/** Port: `archive/dicomweb` fits it by shape. */
export interface ReanalysisArchive extends StudyFinder {
  findSeries(study: Uid): Promise<readonly { readonly modality: string }[]>;
}

/**
 * Asks for studies to be analysed anew, the newest days first, one after the other: it holds one page of the archive at
 * a time, whatever its size.
 * @param ask puts the event into the queue; it may wait for room
 * @throws HilumError of the archive, or of `ask`.
 */
export async function* reanalyze(
  target: ReanalysisTarget,
  archive: ReanalysisArchive,
  ask: (study: Uid) => Promise<void>,
): AsyncGenerator<AskedStudy> {
  const found = 'studies' in target ? named(target.studies, archive) : dated(target, archive);
  for await (const study of found) {
    if (study.outcome === 'asked') await ask(study.studyInstanceUid);
    yield study;
  }
}

async function* named(studies: readonly Uid[], archive: ReanalysisArchive): AsyncGenerator<AskedStudy> {
  for (const studyInstanceUid of new Set(studies)) {
    const modalities = (await archive.findSeries(studyInstanceUid)).map(({ modality }) => modality);
    const hasFilm = modalities.some((modality) => modality === '' || FILM_MODALITIES.has(modality));
    yield { studyInstanceUid, outcome: modalities.length === 0 ? 'not-found' : hasFilm ? 'asked' : 'no-film' };
  }
}

async function* dated({ from, to }: { from: Date; to: Date }, archive: StudyFinder): AsyncGenerator<AskedStudy> {
  for await (const studies of studiesBetween(archive, from, to)) {
    for (const { studyInstanceUid, modalities } of studies) {
      if (modalities === null || modalities.some((modality) => FILM_MODALITIES.has(modality)))
        yield { studyInstanceUid, outcome: 'asked' };
    }
  }
}
