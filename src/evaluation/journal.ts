import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Journal } from '../base/journal';
import type { FilmResult } from '../events/result-event';
import type { AnalysisIdentity } from '../objects/analysis';
import type { FileKind } from '../pipeline/picture-file';
import type { Facts } from './header-facts';

/**
 * What came of one film: a line of the journal. Labels are not in it, so that a label may be mended without computing
 * anything anew, nor is anything that tells a patient.
 */
export interface FilmRecord extends Pick<FilmResult, 'outcome' | 'reason' | 'reasonText' | 'view' | 'lungFraction'> {
  /** Probability of each finding, by its label; none where the film was not analysed. */
  readonly probabilities: Readonly<Record<string, number>>;
  readonly file: string;
  /** Size and date of the file: where they differ, `sha256` decides whether it is analysed anew. */
  readonly bytes: number;
  readonly modified: number;
  /** Of the file: the same film may lie there under two names. */
  readonly sha256: string;
  readonly kind: FileKind;
  readonly facts: Facts;
}

/** Raise it when a line's content changes: what was computed before is then computed anew. */
const JOURNAL_VERSION = 4;

/** All that a probability follows from besides the film; the operating point does not belong to it. */
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
 * The journal of an evaluation, in a file named after the digest of models and version, so that nothing computed
 * otherwise is mixed in.
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
