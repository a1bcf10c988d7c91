import type { StudyRecord } from '../record';
import { isReplacement } from '../statements';

/** Priorities for worklists that sort by Orthanc's metadata, the lowest first. */
const METADATA_PRIORITIES = ['LOW', 'MEDIUM', 'HIGH'] as const;
type MetadataPriority = (typeof METADATA_PRIORITIES)[number];

/** The three metadata of a study as texts; '' where missing. */
export interface MetadataValues {
  readonly priority: string;
  /** The highest probability of the study's films, four decimals; '' when none has a live finding. */
  readonly probability: string;
  /**
   * What Hilum wrote last: `<priority> <probability> <key of the result>`, and codes of warnings. A priority that
   * differs from it was set by somebody else.
   */
  readonly written: string;
}

export type MetadataName = keyof MetadataValues;

/** The metadata as a worklist should read them. `unknown`: a word outside of the scale, which somebody else has set. */
export interface TriageMetadata {
  readonly priority: MetadataPriority | 'unknown' | null;
  /** 0..1 */
  readonly probability: number | null;
  readonly setBy: 'hilum' | 'other' | null;
}

/** Reads metadata that {@link metadataChanges} or people wrote. */
export function readTriage({ priority, probability, written }: MetadataValues): TriageMetadata {
  const share = probability === '' ? NaN : Number(probability);
  return {
    priority: priority === '' ? null : (known(priority) ?? 'unknown'),
    probability: share >= 0 && share <= 1 ? share : null,
    setBy: priority === '' ? null : priority === written.split(' ')[0] ? 'hilum' : 'other',
  };
}

/**
 * Metadata to write, in this order; empty when all are up to date. A priority that somebody else has set is never
 * lowered, and not changed where it is outside of the scale. After a crash in between, the priority that is there is
 * taken for somebody else's and is at most raised. So `written` goes first, but last where the priority is lowered:
 * what is left is the lower priority in both cases.
 * @returns null where there is nothing to write: no film has a live finding, now or before
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
  const order = ['written', 'probability', 'priority'] as const;
  return (rank(wanted.priority) < rank(there.priority) ? order.toReversed() : order)
    .filter((name) => wanted[name] !== there[name])
    .map((name) => [name, wanted[name]]);
}

function mayWrite({ priority, setBy }: TriageMetadata, ours: MetadataPriority): boolean {
  if (setBy !== 'other') return true;
  return priority !== null && priority !== 'unknown' && rank(ours) > rank(priority);
}

/** -1 for what is not on the scale. */
function rank(text: string): number {
  return METADATA_PRIORITIES.findIndex((priority) => priority === text);
}

function greatestProbability({ films }: Pick<StudyRecord, 'films'>): string {
  return Math.max(...films.flatMap(({ probability }) => probability ?? []), 0).toFixed(4);
}

function known(text: string): MetadataPriority | undefined {
  return METADATA_PRIORITIES.find((priority) => priority === text);
}
