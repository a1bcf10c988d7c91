import { HilumError } from '../base/errors';
import type { Uid } from '../dicom/uid';
import { FILM_MODALITIES } from '../events/closed-lists';
import type { Candidate } from './source';
import { studiesBetween, type StudyFinder, undatedStudies } from './study-sweep';

/** `source.system` of the events that `hilum reanalyze` makes. */
export const REANALYZE = 'reanalyze';

/** Studies by UID, those of some days by Study Date (both included), or those without a Study Date. */
export type ReanalysisTarget =
  { readonly studies: readonly Uid[] } | { readonly from: Date; readonly to: Date } | { readonly undated: true };

/** Candidates page by page; for studies given by UID the archive is not searched. @throws HilumError of the archive */
export function candidatesOf(
  target: Exclude<ReanalysisTarget, { readonly studies: readonly Uid[] }>,
  archive: StudyFinder,
): AsyncGenerator<readonly Candidate[]> {
  return 'undated' in target ? undatedStudies(archive) : studiesBetween(archive, target.from, target.to);
}

/**
 * Number of studies without a Study Date, which no search by days finds; null where the archive does not let them be
 * counted.
 */
export async function countUndated(archive: StudyFinder): Promise<number | null> {
  let count = 0;
  try {
    for await (const studies of undatedStudies(archive)) count += studies.length;
    return count;
  } catch (error) {
    if (error instanceof HilumError) return null;
    throw error;
  }
}

export interface AskedStudy {
  readonly studyInstanceUid: Uid;
  /** `not-found`: the archive does not have it; `no-film`: it has neither CR nor DX. Only for studies given by UID. */
  readonly outcome: 'asked' | 'not-found' | 'no-film';
}

/** Port: `archive/dicomweb` fits it by shape. */
export interface ReanalysisArchive extends StudyFinder {
  findSeries(study: Uid): Promise<readonly { readonly modality: string }[]>;
}

/**
 * Requests a new analysis of each study, the newest days first, one after the other. Holds one page of the archive at a
 * time.
 * @param ask publishes the event; it may wait for room in the queue
 * @throws HilumError of the archive, or of `ask`
 */
export async function* reanalyze(
  target: ReanalysisTarget,
  archive: ReanalysisArchive,
  ask: (study: Uid) => Promise<void>,
): AsyncGenerator<AskedStudy> {
  const found = 'studies' in target ? named(target.studies, archive) : searched(target, archive);
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

/** A study whose modalities the search does not return is included: the worker finds out. */
async function* searched(
  target: Parameters<typeof candidatesOf>[0],
  archive: ReanalysisArchive,
): AsyncGenerator<AskedStudy> {
  for await (const studies of candidatesOf(target, archive)) {
    for (const { studyInstanceUid, modalities } of studies) {
      if (modalities === null || modalities.some((modality) => FILM_MODALITIES.has(modality)))
        yield { studyInstanceUid, outcome: 'asked' };
    }
  }
}
