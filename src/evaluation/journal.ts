import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Journal } from '../base/journal';
import type { FilmResult } from '../events/result-event';
import type { AnalysisIdentity } from '../objects/analysis';
import type { FileKind } from '../pipeline/picture-file';
import type { Facts } from './header-facts';

/**
 * Result of one film, a line of the journal. Labels are not in it, so that a label can be corrected without a new
 * computation; nor is anything that identifies a patient.
 */
export interface FilmRecord extends Pick<FilmResult, 'outcome' | 'reason' | 'reasonText' | 'view' | 'lungFraction'> {
  /** Probability of each finding, by label; empty where the film was not analysed. */
  readonly probabilities: Readonly<Record<string, number>>;
  readonly file: string;
  /** Size and date of the file: where they differ, `sha256` decides whether it is analysed again. */
  readonly bytes: number;
  readonly modified: number;
  /** Digest of the file: the same film may be there under two names. */
  readonly sha256: string;
  readonly kind: FileKind;
  readonly facts: Facts;
}

/** Raise it when the fields of a line change: films are then analysed again. */
const JOURNAL_VERSION = 4;

/** Digest of everything that a probability depends on beside the film; the operating point is not part of it. */
export function analysisDigest({
  softwareVersion,
  models,
  minimumAge,
  jpeg2000Resolution,
}: Pick<AnalysisIdentity, 'softwareVersion' | 'models' | 'minimumAge' | 'jpeg2000Resolution'>): string {
  const parts = [
    ...[JOURNAL_VERSION, softwareVersion, minimumAge ?? null, jpeg2000Resolution ?? null],
    ...models.map(({ id, version, sha256 }) => [id, version, sha256]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * Opens the journal of an evaluation. Its name contains the digest of models and version, so that other results are not
 * mixed in.
 */
export function openFilmJournal(dir: string, identity: AnalysisIdentity): Promise<Journal<FilmRecord>> {
  const analysis = analysisDigest(identity);
  const { softwareVersion, models } = identity;
  return Journal.open(join(dir, `films-${analysis.slice(0, 12)}.jsonl`), {
    type: 'hilum-evaluation',
    version: JOURNAL_VERSION,
    analysis,
    softwareVersion,
    models,
  });
}
