import type { FilmResult } from '../events/result-event';
import { reportOf } from '../objects/film-result';

type Films = readonly Pick<FilmResult, 'sopInstanceUid' | 'outputs' | 'supersedes'>[];

/**
 * How a result stands to the one that is held already. `older`: it never takes its place, however late it comes.
 * `newer`: it names what it takes the place of. `unknown`: they say nothing of each other, and arrival decides.
 */
export type Standing = 'older' | 'newer' | 'unknown';

/** By what supersedes what, film by film; no clock decides, as results are made by workers with clocks of their own. */
export function standingOf(arrived: Films, held: Films): Standing {
  if (takesPlaceOf(held, arrived)) return 'older';
  if (takesPlaceOf(arrived, held)) return 'newer';
  return isPartOf(arrived, held) ? 'older' : 'unknown';
}

/** One of them supersedes the report that the other has of the same film. */
function takesPlaceOf(films: Films, others: Films): boolean {
  const reports = new Map(others.map((film) => [film.sopInstanceUid, reportOf(film)?.sopInstanceUid]));
  return films.some(({ sopInstanceUid, supersedes = [] }) => {
    const report = reports.get(sopInstanceUid);
    return report !== undefined && supersedes.includes(report);
  });
}

/** Says nothing that the other does not say, and less: it was made before all films were there. */
function isPartOf(films: Films, others: Films): boolean {
  const said = new Set(others.map(entryOf));
  return films.length < others.length && films.every((film) => said.has(entryOf(film)));
}

function entryOf(film: Films[number]): string {
  return `${film.sopInstanceUid} ${reportOf(film)?.sopInstanceUid ?? ''}`;
}
