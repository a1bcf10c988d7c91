import type { Code } from '../dicom/code';
import type { Finding } from '../events/finding';
import { findingOf } from '../finding/finding';
import { reasonTextOf } from '../finding/wording';
import type { FilmRecord, StudyRecord } from '../sinks/record';

/** Rows of version 0.1 do not state what their probability is about; the record does. */
const NOT_STATED: Code = { value: '', scheme: '', meaning: 'the positive class' };

/** Rows and records of version 0.1 have one probability and its operating point instead of findings. */
export function findingOfVersion01(probability: number | null, threshold: number | null, code: Code | null): Finding[] {
  if (probability === null || threshold === null) return [];
  const what = code ?? NOT_STATED;
  return [findingOf({ label: what.meaning, code: what, operatingPoint: threshold, mode: 'live' }, probability)];
}

/** A film as version 0.1 stored it. */
type StoredFilm = Omit<FilmRecord, 'findings'> & {
  readonly findings?: FilmRecord['findings'];
  readonly threshold?: number | null;
  readonly finding?: Code | null;
};

/** Parses the stored record of a study, of this version or of 0.1. @param stored JSON */
export function readStoredRecord(stored: string): StudyRecord {
  const record = JSON.parse(stored) as Omit<StudyRecord, 'films'> & { readonly films: readonly StoredFilm[] };
  return { ...record, films: record.films.map(readFilm) };
}

function readFilm({ findings, threshold = null, finding = null, ...film }: StoredFilm): FilmRecord {
  // An earlier version stored words of the film's header here.
  const reasonText = reasonTextOf(film.reason);
  return { ...film, reasonText, findings: findings ?? findingOfVersion01(film.probability, threshold, finding) };
}
