import type { InstanceReference } from '../dicom/instance';
import { isNoImageClass } from '../dicom/sop-class';
import { FILM_MODALITIES } from './closed-lists';
import type { FilmResult } from './result-event';

/**
 * What a result is about. `chest`: a chest film, or possibly one. `other`: a radiograph of another part, by its header,
 * which may be wrong. `no-film`: nothing that a radiologist would read.
 */
export type Subject = 'chest' | 'other' | 'no-film';

const NO_FILM: ReadonlySet<string> = new Set(['modality', 'no-image']);
const OTHER: ReadonlySet<string> = new Set([
  'body-part',
  'derived-result',
  'quality-control-image',
  'not-human',
  'not-for-presentation',
]);

type Judged = Pick<FilmResult, 'outcome' | 'reason'>;

/**
 * Subject of one film. Only `rejected` films have another subject than the chest: `not-analysed` ones are of the chest
 * region, or had a result, which somebody may have read. Unreadable films, and those that a rejection note excludes,
 * may be chest films.
 */
export function subjectOfFilm({ outcome, reason }: Judged): Subject {
  if (outcome !== 'rejected' || reason === null) return 'chest';
  if (NO_FILM.has(reason)) return 'no-film';
  return OTHER.has(reason) ? 'other' : 'chest';
}

/** Subject of a study: one chest film makes it a chest study. */
export function subjectOf(films: readonly Judged[]): Subject {
  const subjects = films.map(subjectOfFilm);
  return (['chest', 'other'] as const).find((subject) => subjects.includes(subject)) ?? 'no-film';
}

/** Instances of modality CR or DX are films, unless their SOP Class is known to have no image. */
export function mayBeFilm({ modality, sopClassUid }: InstanceReference): boolean {
  return FILM_MODALITIES.has(modality) && !isNoImageClass(sopClassUid);
}
