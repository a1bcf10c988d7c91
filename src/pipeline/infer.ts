import { HilumError } from '../base/errors';
import { findingOf, type FindingRule } from '../finding/finding';
import { isAtOrAbove } from '../finding/operating-point';
import { asStored, upright } from '../imaging/orient';
import type { Plane } from '../imaging/plane';
import { type Frame, layOver, regionOf } from '../imaging/region';
import { type ModelManifest, regionsOf, thresholdOf } from '../model/manifest';
import type { Model } from '../model/session';
import type {
  InferredFilm,
  InferredFinding,
  LungFinding,
  OutOfDistribution,
  PreprocessedFilm,
  ViewFinding,
} from './stage';

export interface Models {
  readonly view: Model;
  /** Out-of-distribution check; null where it is off. */
  readonly outOfDistribution: Model | null;
  readonly lungs: Model;
  /** At least one. */
  readonly classifiers: readonly Classifier[];
}

/** A network, and the findings that it is asked for. */
export interface Classifier {
  readonly model: Model;
  /** Rule of each head; null where the head is not used. */
  readonly rules: readonly (FindingRule | null)[];
}

/**
 * Frontal or lateral; `lateral` at and above the model's operating point. Where the out-of-distribution check is the
 * same network, its answers are used and the network is not run again.
 * @param told what the out-of-distribution check answered; null where it is off
 */
export async function findView(
  film: PreprocessedFilm,
  { view: model, outOfDistribution: first }: Pick<Models, 'view' | 'outOfDistribution'>,
  told: OutOfDistribution | null,
): Promise<ViewFinding> {
  const same = first !== null && isSameNetwork(first.manifest, model.manifest) ? told : null;
  const lateralProbability =
    lateralShare(same) ?? single((await model.predict(upright(film.normalised, film.turn))).probability);
  return {
    view: isAtOrAbove(lateralProbability, thresholdOf(model.manifest)) ? 'lateral' : 'frontal',
    lateralProbability,
  };
}

const isSameNetwork = (a: ModelManifest, b: ModelManifest) =>
  a.sha256 === b.sha256 && a.input.mean === b.input.mean && a.input.std === b.input.std;

/** Probability of lateral as a share of both views, 0..1; null where the network does not answer with both. */
function lateralShare(told: OutOfDistribution | null): number | null {
  const [frontal, lateral] = [told?.answers.get('frontal'), told?.answers.get('lateral')];
  if (frontal === undefined || lateral === undefined) return null;
  return lateral / Math.max(frontal + lateral, MIN_SUM);
}

/** A picture that is neither view must not divide by zero. */
const MIN_SUM = 1e-9;

/** Runs each classifier on the regions that it was trained on. */
export async function classify(
  film: PreprocessedFilm,
  view: ViewFinding,
  lungs: LungFinding,
  classifiers: readonly Classifier[],
): Promise<InferredFilm> {
  const findings: InferredFinding[] = [];
  for (const classifier of classifiers) findings.push(...(await findingsOf(film, lungs, classifier)));
  return { preprocessed: film, view, lungs, findings };
}

async function findingsOf(
  film: PreprocessedFilm,
  lungs: LungFinding,
  { model, rules }: Classifier,
): Promise<InferredFinding[]> {
  const [standing, mask] = [upright(film.normalised, film.turn), upright(lungs.mask, film.turn)];
  const seen = regionsOf(model.manifest).map((region) => regionOf(standing, mask, region, model.manifest.input.fill));
  const { probability, cams } = await model.predict(...seen.map(({ plane }) => plane));
  if (cams === null)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${model.manifest.id} has no class activation: it can't be explained`,
    );
  return rules.flatMap((rule, head) => {
    if (rule === null) return [];
    const maps = cams[head]!.map((map, at) => ({ map, frame: seen[at]!.frame }));
    const activation = maps.length === 1 && isWhole(maps[0]!.frame, standing) ? maps[0]!.map : layOver(maps, standing);
    return [{ finding: findingOf(rule, finite(probability[head])), activation: asStored(activation, film.turn) }];
  });
}

const isWhole = (frame: Frame, { rows, columns }: Plane) => frame.rows === rows && frame.columns === columns;

function single(values: Float32Array): number {
  return finite(values[0]);
}

function finite(value: number | undefined): number {
  if (value === undefined || !Number.isFinite(value))
    throw new HilumError('MODEL_INVALID', 'permanent', 'the model gave no probability');
  return value;
}
