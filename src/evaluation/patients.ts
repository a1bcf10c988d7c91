import { createHash } from 'node:crypto';
import type { JoinedFilm } from './duplicates';

export interface FilmPatient {
  /** Digest that identifies the patient while computing; never written to a file. */
  readonly patient: string;
  /** Neither the labels file nor the header names a patient: the film counts as a patient of its own. */
  readonly isUnknown: boolean;
}

/**
 * Patient of each film, by file: from the labels file, else from the header. Where the labels file names the patients
 * of some films only, their Patient IDs identify the other films of the same patients, so that nobody counts twice. A
 * Patient ID with several names (one for all, after an export) is not used.
 */
export function patientsOf(joined: readonly JoinedFilm[]): ReadonlyMap<string, FilmPatient> {
  const names = new Map<string, Set<string>>();
  for (const { label, headerPatient } of joined) {
    if (label.patient === null || headerPatient === null) continue;
    names.set(headerPatient, (names.get(headerPatient) ?? new Set()).add(label.patient));
  }
  const nameOf = ({ label, headerPatient }: JoinedFilm) => {
    if (label.patient !== null) return `labels ${label.patient}`;
    if (headerPatient === null) return null;
    const [name, ...others] = names.get(headerPatient) ?? [];
    return name === undefined || others.length > 0 ? `header ${headerPatient}` : `labels ${name}`;
  };
  return new Map(
    joined.map((film) => {
      const name = nameOf(film);
      return [
        film.label.file,
        {
          patient: createHash('sha256')
            .update(name ?? `file ${film.label.file}`)
            .digest('hex')
            .slice(0, 16),
          isUnknown: name === null,
        },
      ];
    }),
  );
}
