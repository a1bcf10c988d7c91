import { HilumError } from '../base/errors';
import { isAtOrAbove } from '../finding/operating-point';
import { upright } from '../imaging/orient';
import { thresholdOf } from '../model/manifest';
import type { Model } from '../model/session';
import { plainRefusal } from './refusal';
import type { PreprocessedFilm, Refusal, ViewFinding } from './stage';

const UNLIKE = plainRefusal('unlike-training-films');

const LATERAL_OR_UNLIKE: Refusal = {
  reason: 'unlike-training-films',
  text: 'the picture is a lateral view or no chest film; only whole, upright, frontal chest films are analysed',
};

/**
 * Probability that a picture is no whole, upright, frontal chest film, 0..1; null where there is no gate. @throws
 * HilumError MODEL_INVALID
 */
export async function findUnlike(film: PreprocessedFilm, gate: Model | null): Promise<number | null> {
  if (gate === null) return null;
  const [unlike] = (await gate.predict(upright(film.normalised, film.turn))).probability;
  if (unlike === undefined || !Number.isFinite(unlike))
    throw new HilumError('MODEL_INVALID', 'permanent', `${gate.manifest.id} gave no probability`);
  return unlike;
}

/**
 * Why a picture is kept from the models behind the gate, or null: from the gate's operating point upwards. It refuses
 * lateral views too, and the view model calls most pictures that are no films lateral, so where both refuse neither
 * knows which it is.
 */
export function refuseUnlike(unlike: number | null, gate: Model | null, view: ViewFinding['view']): Refusal | null {
  if (unlike === null || gate === null || !isAtOrAbove(unlike, thresholdOf(gate.manifest))) return null;
  return view === 'lateral' ? LATERAL_OR_UNLIKE : UNLIKE;
}
