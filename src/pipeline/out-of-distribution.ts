import { HilumError } from '../base/errors';
import type { NotAnalysedReason } from '../events/closed-lists';
import { isAtOrAbove } from '../finding/operating-point';
import { upright } from '../imaging/orient';
import { type PictureKind, thresholdOf } from '../model/manifest';
import type { Model } from '../model/session';
import { plainRefusal } from './refusal';
import type { OutOfDistribution, PreprocessedFilm, Refusal, ViewFinding } from './stage';

const OUT_OF_DISTRIBUTION = plainRefusal('unlike-training-films');

const LATERAL_OR_OUT_OF_DISTRIBUTION: Refusal = {
  reason: 'unlike-training-films',
  text: 'the picture is a lateral view or no chest film; only whole, upright, frontal chest films are analysed',
};

/** Reason for each kind of picture that is refused here. Lateral views are refused later, by their own reason. */
const REASONS: Readonly<Record<Exclude<PictureKind, 'frontal' | 'lateral'>, NotAnalysedReason>> = {
  other: 'no-chest-film',
  inverted: 'inverted-image',
  turned: 'turned-film',
  partial: 'partial-film',
  unreadable: 'poor-image-quality',
};

/**
 * Probability that a picture is no whole, upright chest film, and of each kind of picture where the network tells them
 * apart; null where the out-of-distribution check is off.
 * @throws HilumError MODEL_INVALID
 */
export async function findOutOfDistribution(
  film: PreprocessedFilm,
  model: Model | null,
): Promise<OutOfDistribution | null> {
  if (model === null) return null;
  const { probability, answers } = await model.predict(upright(film.normalised, film.turn));
  const [first] = probability;
  if (first === undefined || !Number.isFinite(first))
    throw new HilumError('MODEL_INVALID', 'permanent', `${model.manifest.id} gave no probability`);
  const named = model.manifest.answers ?? [];
  return { probability: first, answers: new Map(named.map(({ name }, place) => [name, answers?.[place] ?? 0])) };
}

/**
 * Why a picture is kept from the models behind this one, or null: from its operating point upwards. The reason is the
 * most likely of its answers. A network without answers refuses lateral views too, and the view model calls most
 * pictures that are no films lateral, so where both refuse neither knows which it is.
 */
export function refuseOutOfDistribution(
  found: OutOfDistribution | null,
  model: Model | null,
  view: ViewFinding['view'],
): Refusal | null {
  if (found === null || model === null || !isAtOrAbove(found.probability, thresholdOf(model.manifest))) return null;
  const told = likeliest(found.answers);
  if (told !== null) return plainRefusal(told);
  return view === 'lateral' ? LATERAL_OR_OUT_OF_DISTRIBUTION : OUT_OF_DISTRIBUTION;
}

function likeliest(answers: OutOfDistribution['answers']): NotAnalysedReason | null {
  let [reason, most]: [NotAnalysedReason | null, number] = [null, -1];
  for (const [kind, probability] of answers) {
    if (kind === 'frontal' || kind === 'lateral' || probability <= most) continue;
    [reason, most] = [REASONS[kind], probability];
  }
  return reason;
}
