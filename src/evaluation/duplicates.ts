import type { FilmRecord } from './journal';
import type { LabelledFilm } from './labels';

export interface JoinedFilm {
  readonly label: LabelledFilm;
  /** Undefined where the film could not be analysed. */
  readonly record: FilmRecord | undefined;
  /** Digest of the Patient ID in the header; null where there is none. */
  readonly headerPatient: string | null;
}

const COPY = 'same content as another film';
const CONTRADICTION = 'same content as another film, labelled otherwise';

/**
 * Films that are left out as copies (identical bytes), by file with the reason: a copy would count twice, and could be
 * in both halves as another patient. The first one in the labels file stays; if labels contradict each other, none
 * does.
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
