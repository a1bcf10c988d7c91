import { HilumError } from '../base/errors';
import type { Warning } from '../events/closed-lists';
import { isAtOrAbove } from '../finding/operating-point';
import { upright } from '../imaging/orient';
import { regionOf } from '../imaging/region';
import { headsOf, type ModelManifest, regionsOf, thresholdOf } from '../model/manifest';
import type { Model } from '../model/session';
import type { InferredFilm } from './stage';

/** A classifier that never saw a lung, of the leading finding. */
export interface ShortcutCheck {
  readonly model: Model;
}

/**
 * Whether the film gives its finding away without its lungs: a second network of the same kind, trained on films with
 * the lungs taken out, is as sure as the first when both reach their operating points. Then what speaks for the finding
 * may be a marker, a tube, a collimator's edge or the machine. Below the operating point nothing is claimed, so there
 * is nothing to warn of.
 * @throws HilumError MODEL_INVALID
 */
export async function checkShortcut(film: InferredFilm, check: ShortcutCheck | null): Promise<InferredFilm> {
  if (check === null || film.findings[0]?.finding.atOrAbove !== true) return film;
  const { manifest } = check.model;
  const { normalised, turn } = film.preprocessed;
  const { plane } = regionOf(normalised, film.lungs.mask, 'removed', manifest.input.fill);
  const [outside] = (await check.model.predict(upright(plane, turn))).probability;
  if (outside === undefined || !Number.isFinite(outside))
    throw new HilumError('MODEL_INVALID', 'permanent', `${manifest.id} gave no probability`);
  const found: readonly Warning[] = isAtOrAbove(outside, thresholdOf(manifest)) ? ['evidence-outside-lungs'] : [];
  return { ...film, warnings: [...(film.warnings ?? []), ...found] };
}

/** @throws HilumError MODEL_INVALID when the model can't check that classifier for shortcuts. */
export function requireShortcutModel(model: ModelManifest, classifier: ModelManifest): void {
  const { id, task } = model;
  const regions = regionsOf(model).join(', ');
  const wrong = (why: string) =>
    new HilumError('MODEL_INVALID', 'permanent', `${id} can't audit ${classifier.id}: ${why}`);
  if (task !== 'classification') throw wrong(`its task is ${task}, not classification`);
  if (regions !== 'removed') throw wrong(`its input.region is ${regions}, not removed`);
  if (codeOf(model) === undefined || codeOf(model) !== codeOf(classifier))
    throw wrong('it is not about the same finding');
}

/** Of what is told first. */
function codeOf(manifest: ModelManifest): string | undefined {
  const code = headsOf(manifest)[0]?.code;
  return code && `${code.scheme} ${code.value}`;
}
