import type { StudyRecord } from '../record';
import { isReplacement } from '../statements';

/** What a worklist that reads Orthanc's metadata sorts by, lowest first. */
const METADATA_PRIORITIES = ['LOW', 'MEDIUM', 'HIGH'] as const;
type MetadataPriority = (typeof METADATA_PRIORITIES)[number];

/** The three metadata of a study as texts; '' where there is none. */
export interface MetadataValues {
  readonly priority: string;
  /** The greatest probability of the study's films, four decimals; '' when none was analysed. */
  readonly probability: string;
  /**
   * What Hilum wrote last: `<priority> <probability> <key of the result>`, and the codes that its readers are warned
   * of. A priority other than this one was set by somebody else.
   */
  readonly written: string;
}

export type MetadataName = keyof MetadataValues;

/**
 * How a worklist is to read it. `unknown` is a word that is not on the scale: somebody set it, and means something by
 * it.
 */
export interface TriageMetadata {
  readonly priority: MetadataPriority | 'unknown' | null;
  /** 0..1 */
  readonly probability: number | null;
  readonly setBy: 'hilum' | 'other' | null;
}

/** Reads what {@link metadataChanges} and people wrote. */
export function readTriage({ priority, probability, written }: MetadataValues): TriageMetadata {
  const share = probability === '' ? NaN : Number(probability);
  return {
    priority: priority === '' ? null : (known(priority) ?? 'unknown'),
    probability: share >= 0 && share <= 1 ? share : null,
    setBy: priority === '' ? null : priority === written.split(' ')[0] ? 'hilum' : 'other',
  };
}

/**
 * What is to be written, in this order; empty when all is there. `written` goes first: after a crash between the two,
 * the older priority is taken for somebody else's and at most raised. What somebody else set is never lowered, and left
 * alone where it is not on the scale.
 * @returns null where nothing is to be said of the study: no film was analysed, nor was one before.
 */
export function metadataChanges(
  record: Pick<StudyRecord, 'priority' | 'films' | 'key'>,
  there: MetadataValues,
): readonly (readonly [MetadataName, string])[] | null {
  if (record.priority === null && !record.films.some(isReplacement)) return null;
  const ours: MetadataPriority = record.priority === 'urgent' ? 'HIGH' : 'MEDIUM';
  const probability = record.priority === null ? '' : greatestProbability(record);
  const warnings = [...new Set(record.films.flatMap((film) => film.warnings ?? []))];
  const wanted: MetadataValues = {
    written: [ours, probability, record.key, ...warnings].join(' '),
    probability,
    priority: mayWrite(readTriage(there), ours) ? ours : there.priority,
  };
  return (['written', 'probability', 'priority'] as const)
    .filter((name) => wanted[name] !== there[name])
    .map((name) => [name, wanted[name]]);
}

function mayWrite({ priority, setBy }: TriageMetadata, ours: MetadataPriority): boolean {
  if (setBy !== 'other') return true;
  return (
    priority !== null &&
    priority !== 'unknown' &&
    METADATA_PRIORITIES.indexOf(ours) > METADATA_PRIORITIES.indexOf(priority)
  );
}

function greatestProbability({ films }: Pick<StudyRecord, 'films'>): string {
  return Math.max(...films.flatMap(({ probability }) => probability ?? []), 0).toFixed(4);
}

function known(text: string): MetadataPriority | undefined {
  return METADATA_PRIORITIES.find((priority) => priority === text);
}
