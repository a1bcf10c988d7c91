import { HilumError } from '../base/errors';
import { findingOf, type FindingRule } from '../finding/finding';
import { isAtOrAbove } from '../finding/operating-point';
import { asStored, upright } from '../imaging/orient';
import { keepRegion } from '../imaging/plane';
import type { Model } from '../model/session';
import type { InferredFilm, InferredFinding, LungFinding, PreprocessedFilm, ViewFinding } from './stage';

export interface Models {
  readonly view: Model;
  /** Null: nothing is kept from the models behind it. */
  readonly gate: Model | null;
  readonly lungs: Model;
  /** The leading one first; never empty. */
  readonly classifiers: readonly Classifier[];
}

/** A network and what it is asked for. */
export interface Classifier {
  readonly model: Model;
  readonly rule: FindingRule;
}

/** Frontal or lateral; `lateral` from the model's operating point upwards. */
export async function findView(film: PreprocessedFilm, model: Model): Promise<ViewFinding> {
  const { probability } = await model.predict(upright(film.normalised, film.turn));
  const lateralProbability = single(probability);
  return {
    view: isAtOrAbove(lateralProbability, model.manifest.operatingPoint.threshold) ? 'lateral' : 'frontal',
    lateralProbability,
  };
}

/** Each classifier on the region that it was trained on: the lungs only, all but the lungs, or the whole film. */
export async function classify(
  film: PreprocessedFilm,
  view: ViewFinding,
  lungs: LungFinding,
  classifiers: readonly Classifier[],
): Promise<InferredFilm> {
  const findings: InferredFinding[] = [];
  for (const classifier of classifiers) findings.push(await findOne(film, lungs, classifier));
  return { preprocessed: film, view, lungs, findings };
}

async function findOne(
  film: PreprocessedFilm,
  lungs: LungFinding,
  { model, rule }: Classifier,
): Promise<InferredFinding> {
  const { region, fill } = model.manifest.input;
  const seen = keepRegion(film.normalised, lungs.mask, region, fill);
  const { probability, cam } = await model.predict(upright(seen, film.turn));
  if (cam === null)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${model.manifest.id} has no class activation: it can't be explained`,
    );
  return { finding: findingOf(rule, single(probability)), activation: asStored(cam, film.turn) };
}

function single(values: Float32Array): number {
  const value = values[0];
  if (value === undefined || !Number.isFinite(value))
    throw new HilumError('MODEL_INVALID', 'permanent', 'the model gave no probability');
  return value;
}
