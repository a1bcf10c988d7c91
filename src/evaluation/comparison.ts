import { isAtOrAbove } from '../finding/operating-point';
import type { AnalysisIdentity } from '../objects/analysis';
import { callCount, type CallCount } from '../statistics/agreement';
import { type BootstrapOptions, pairedEstimate, type PairedEstimate } from '../statistics/bootstrap';
import type { Scored } from '../statistics/statistics';
import { weightedAuc, weightedFlagged, weightedSensitivity, weightedSpecificity } from '../statistics/weighted';
import type { FilmRecord } from './journal';

/** The other side of a comparison. */
export interface ComparedWith {
  readonly kind: 'threshold' | 'models' | 'configuration';
  /** As given on the command line. */
  readonly name: string;
  readonly models: AnalysisIdentity['models'];
  /** Its operating point for the finding. */
  readonly threshold: number;
  readonly records: ReadonlyMap<string, FilmRecord>;
}

/** Two analyses of the same films; `second` is the one that `--compare` names. */
export interface Comparison extends Pick<ComparedWith, 'kind' | 'name' | 'models'> {
  readonly thresholds: { readonly first: number; readonly second: number };
  /** Number of films that both have analysed; all figures are about these. */
  readonly films: number;
  readonly patients: number;
  /** Number of films that only one has analysed. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly auc: PairedEstimate;
  /** Each at its own threshold. */
  readonly sensitivity: PairedEstimate;
  readonly specificity: PairedEstimate;
  readonly flagged: PairedEstimate;
  readonly calls: { readonly positive: CallCount; readonly negative: CallCount };
}

interface ComparedFilm {
  readonly file: string;
  readonly scored: Scored;
}

/**
 * @param films films that the first has analysed
 * @param all all films that count, also those that the first did not analyse
 */
export function compare(
  films: readonly ComparedFilm[],
  all: readonly string[],
  { finding, threshold, bootstrap }: { finding: string; threshold: number; bootstrap: BootstrapOptions },
  second: ComparedWith,
): Comparison {
  const scoreOf = (file: string) => second.records.get(file)?.probabilities[finding];
  const shared = films.flatMap(({ file, scored }) => {
    const score = scoreOf(file);
    return score === undefined ? [] : [{ first: scored, second: { ...scored, score } }];
  });
  const pair = [shared.map((film) => film.first), shared.map((film) => film.second)] as const;
  const thresholds = { first: threshold, second: second.threshold };
  const at = (figure: typeof weightedSensitivity) =>
    pairedEstimate(pair, [figure(thresholds.first), figure(thresholds.second)], bootstrap);
  const calls = (positive: boolean) =>
    callCount(
      shared
        .filter(({ first }) => first.positive === positive)
        .map((film) => [
          isAtOrAbove(film.first.score, thresholds.first),
          isAtOrAbove(film.second.score, thresholds.second),
        ]),
    );
  return {
    kind: second.kind,
    name: second.name,
    models: second.models,
    thresholds,
    films: shared.length,
    patients: new Set(shared.map(({ first }) => first.patient)).size,
    onlyFirst: films.length - shared.length,
    onlySecond: all.filter((file) => scoreOf(file) !== undefined).length - shared.length,
    auc: pairedEstimate(pair, [weightedAuc, weightedAuc], bootstrap),
    sensitivity: at(weightedSensitivity),
    specificity: at(weightedSpecificity),
    flagged: at(weightedFlagged),
    calls: { positive: calls(true), negative: calls(false) },
  };
}
