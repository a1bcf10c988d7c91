import type { FilmResult } from '../events/result-event';
import { reportOf } from '../objects/film-result';

type Films = readonly Pick<FilmResult, 'sopInstanceUid' | 'outputs' | 'supersedes'>[];

/**
 * Relation of a result to the one that is held. `older`: it must not replace it, however late it arrives. `newer`: it
 * names the one that it replaces. `unknown`: neither names the other, and the order of arrival decides.
 */
export type Standing = 'older' | 'newer' | 'unknown';

/** Decided film by film by the superseded reports; not by time, as the clocks of workers differ. */
export function standingOf(arrived: Films, held: Films): Standing {
  if (takesPlaceOf(held, arrived)) return 'older';
  if (takesPlaceOf(arrived, held)) return 'newer';
  return isPartOf(arrived, held) ? 'older' : 'unknown';
}

/** One of them supersedes the other's report of the same film. */
function takesPlaceOf(films: Films, others: Films): boolean {
  const reports = new Map(others.map((film) => [film.sopInstanceUid, reportOf(film)?.sopInstanceUid]));
  return films.some(({ sopInstanceUid, supersedes = [] }) => {
    const report = reports.get(sopInstanceUid);
    return report !== undefined && supersedes.includes(report);
  });
}

/** Contains nothing that the other does not contain, and less: it was made before all films were there. */
function isPartOf(films: Films, others: Films): boolean {
  const said = new Set(others.map(entryOf));
  return films.length < others.length && films.every((film) => said.has(entryOf(film)));
}

function entryOf(film: Films[number]): string {
  return `${film.sopInstanceUid} ${reportOf(film)?.sopInstanceUid ?? ''}`;
}
