import type { FilmRecord } from './journal';
import type { LabelledFilm } from './labels';

export interface JoinedFilm {
  readonly label: LabelledFilm;
  /** Undefined when the film could not be worked on. */
  readonly record: FilmRecord | undefined;
  /** Whose it is by its header, as a digest; null where that does not tell. */
  readonly headerPatient: string | null;
}

const COPY = 'same content as another film';
const CONTRADICTION = 'same content as another film, labelled otherwise';

/**
 * Films to leave out because another one has the same bytes, by file with the reason: a copy under another name would
 * count twice, and as another patient it could stand in both halves. The first in the labels file stays; with
 * contradicting labels none does.
 */
export function copies(joined: readonly JoinedFilm[]): ReadonlyMap<string, string> {
  const byContent = new Map<string, LabelledFilm[]>();
  for (const { label, record } of joined)
    if (record !== undefined) byContent.set(record.sha256, [...(byContent.get(record.sha256) ?? []), label]);
  const left = new Map<string, string>();
  for (const [first, ...others] of byContent.values()) {
    const isContradicted = others.some(({ positive }) => positive !== first!.positive);
    for (const { file } of isContradicted ? [first!, ...others] : others)
      left.set(file, isContradicted ? CONTRADICTION : COPY);
  }
  return left;
}
