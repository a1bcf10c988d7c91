import { HilumError } from '../base/errors';
import type { Code } from '../dicom/code';
import type { Warning } from '../events/closed-lists';
import { isAtOrAbove } from '../finding/operating-point';
import { upright } from '../imaging/orient';
import { regionOf } from '../imaging/region';
import { headsOf, type ModelManifest, regionsOf, thresholdOf } from '../model/manifest';
import type { Model } from '../model/session';
import type { InferredFilm } from './stage';

/** A classifier for the first finding of the first classifier that was trained on films without lungs. */
export interface ShortcutCheck {
  readonly model: Model;
}

/**
 * Whether the finding may come from something else than the lungs: a second network of the same kind, trained on films
 * with the lungs removed, is as sure as the first, and both reach their operating points. Then the evidence may be a
 * marker, a tube, the edge of a collimator or the machine. Below the operating point, and of a finding in shadow,
 * nothing is claimed and no warning is needed.
 * @throws HilumError MODEL_INVALID
 */
export async function checkShortcut(film: InferredFilm, check: ShortcutCheck | null): Promise<InferredFilm> {
  if (check === null) return film;
  // The first finding may be off: then the first of the film is another one.
  const claimed = film.findings.find(({ finding }) => keyOf(finding.code) === codeOf(check.model.manifest))?.finding;
  if (claimed?.atOrAbove !== true || claimed.mode !== 'live') return film;
  const { manifest } = check.model;
  const { normalised, turn } = film.preprocessed;
  const { plane } = regionOf(normalised, film.lungs.mask, 'removed', manifest.input.fill);
  const [outside] = (await check.model.predict(upright(plane, turn))).probability;
  if (outside === undefined || !Number.isFinite(outside))
    throw new HilumError('MODEL_INVALID', 'permanent', `${manifest.id} gave no probability`);
  const found: readonly Warning[] = isAtOrAbove(outside, thresholdOf(manifest)) ? ['evidence-outside-lungs'] : [];
  return { ...film, warnings: [...(film.warnings ?? []), ...found] };
}

/** @throws HilumError MODEL_INVALID when the model is no shortcut check for that classifier */
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

/** Code of the first finding. */
function codeOf(manifest: ModelManifest): string | undefined {
  const code = headsOf(manifest)[0]?.code;
  return code && keyOf(code);
}

function keyOf({ scheme, value }: Omit<Code, 'meaning'>): string {
  return `${scheme} ${value}`;
}
