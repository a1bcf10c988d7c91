import { createHash } from 'node:crypto';
import type { JoinedFilm } from './duplicates';

export interface FilmPatient {
  /** Digest, for the computing alone: no file has it. */
  readonly patient: string;
  /** Neither the labels file nor a header says whose film it is: it stands for a patient of its own. */
  readonly isUnknown: boolean;
}

/**
 * Whose each film is, by file. The labels file knows best, then the header. Where the labels file names the patient of
 * some films only, the Patient ID of those tells the others, so that nobody counts as two patients; a Patient ID that
 * stands with several names (one for all, after an export) tells nothing.
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
