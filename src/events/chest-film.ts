import type { FilmResult } from './result-event';

/**
 * What a result is about. `chest`: a chest film, or one that may be. `other`: a radiograph of something else, by its
 * header, which may be wrong. `no-film`: nothing that a radiologist would read as a film.
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
 * Of one film. Only what was `rejected` is of another subject: what is `not-analysed` is of the chest region. What
 * can't be read, and what a note rejects, may be a chest film.
 */
export function subjectOfFilm({ outcome, reason }: Judged): Subject {
  if (outcome !== 'rejected' || reason === null) return 'chest';
  if (NO_FILM.has(reason)) return 'no-film';
  return OTHER.has(reason) ? 'other' : 'chest';
}

/** Of a study: one chest film makes it one of the chest. */
export function subjectOf(films: readonly Judged[]): Subject {
  const subjects = films.map(subjectOfFilm);
  return (['chest', 'other'] as const).find((subject) => subjects.includes(subject)) ?? 'no-film';
}
