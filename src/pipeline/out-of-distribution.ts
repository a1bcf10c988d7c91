import { HilumError } from '../base/errors';
import { isAtOrAbove } from '../finding/operating-point';
import { upright } from '../imaging/orient';
import { thresholdOf } from '../model/manifest';
import type { Model } from '../model/session';
import { plainRefusal } from './refusal';
import type { PreprocessedFilm, Refusal, ViewFinding } from './stage';

const OUT_OF_DISTRIBUTION = plainRefusal('unlike-training-films');

const LATERAL_OR_OUT_OF_DISTRIBUTION: Refusal = {
  reason: 'unlike-training-films',
  text: 'the picture is a lateral view or no chest film; only whole, upright, frontal chest films are analysed',
};

/**
 * Probability that a picture is no whole, upright, frontal chest film, 0..1; null where the out-of-distribution check
 * is off.
 * @throws HilumError MODEL_INVALID
 */
export async function findOutOfDistribution(film: PreprocessedFilm, model: Model | null): Promise<number | null> {
  if (model === null) return null;
  const [probability] = (await model.predict(upright(film.normalised, film.turn))).probability;
  if (probability === undefined || !Number.isFinite(probability))
    throw new HilumError('MODEL_INVALID', 'permanent', `${model.manifest.id} gave no probability`);
  return probability;
}

/**
 * Refuses a picture whose probability is at or above the operating point of the out-of-distribution model; null where
 * it is not. The model also refuses lateral views, and the view model calls most pictures that are no films lateral:
 * where both refuse, either may be true, and the text says so.
 */
export function refuseOutOfDistribution(
  probability: number | null,
  model: Model | null,
  view: ViewFinding['view'],
): Refusal | null {
  if (probability === null || model === null || !isAtOrAbove(probability, thresholdOf(model.manifest))) return null;
  return view === 'lateral' ? LATERAL_OR_OUT_OF_DISTRIBUTION : OUT_OF_DISTRIBUTION;
}
