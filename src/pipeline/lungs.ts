import { z } from 'zod';
import { HilumError } from '../base/errors';
import { STANDARD, type Turn } from '../dicom/patient-orientation';
import { asStored, upright } from '../imaging/orient';
import { components } from '../imaging/outline';
import { mapValues, type Plane } from '../imaging/plane';
import { type ModelManifest, problemsOf } from '../model/manifest';
import type { Model } from '../model/session';
import type { LungFinding, PreprocessedFilm, Refusal } from './stage';

/** Lung mask: pixels at and above the model's threshold, without regions that are too small by its manifest. */
export async function findLungs(film: PreprocessedFilm, model: Model): Promise<LungFinding> {
  const standing = upright(film.normalised, film.turn);
  const { probability } = await model.predict(standing);
  const plane = asStored({ ...standing, values: probability }, film.turn);
  const mask = cleanMask(plane, maskRuleOf(model.manifest));
  return { probability: plane, mask, lungFraction: share(mask) };
}

/** Figures of a lung mask; `export/plausibility.py` of training/ measures the same on real films. */
export interface LungFigures {
  /** Lung pixels / film pixels. */
  readonly lungFraction: number;
  /** Number of connected regions of the mask. */
  readonly components: number;
  /** Share of the lung pixels on the side (left or right of the middle of the mask's bounding box) that has fewer. */
  readonly smallerSideShare: number;
  /** Mean lung probability inside of the mask. */
  readonly meanProbability: number;
}

/** Strict, as a misspelt bound would be ignored. */
const range = z
  .looseObject({ min: z.number().optional(), max: z.number().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { error: 'has neither min nor max' })
  .refine(({ min, max }) => (min ?? -Infinity) <= (max ?? Infinity), { error: 'min is over max' });
const plausibilitySchema = z.looseObject({
  lungFraction: range,
  components: range,
  smallerSideShare: range,
  meanProbability: range,
});

/** Bounds of {@link LungFigures} on real frontal films: `plausibility` in the lung model's manifest. */
export type Plausibility = z.infer<typeof plausibilitySchema>;

/** @throws HilumError MODEL_INVALID when the manifest has no plausibility bounds */
export function plausibilityOf(manifest: ModelManifest): Plausibility {
  return fromManifest(manifest, 'plausibility', plausibilitySchema);
}

/** Refuses lung masks that can't be those of a frontal chest film; null where they can. */
export function implausible(lungs: LungFinding, bounds: Plausibility, turn: Turn = STANDARD): Refusal | null {
  const figures = describeLungs(lungs, turn);
  const out = (Object.keys(SENTENCES) as (keyof LungFigures)[]).find(
    (name) => figures[name] < (bounds[name].min ?? -Infinity) || figures[name] > (bounds[name].max ?? Infinity),
  );
  return out === undefined ? null : { reason: 'implausible-lungs', text: SENTENCES[out](figures) };
}

const percent = (value: number) => `${(100 * value).toFixed(0)} %`;

const SENTENCES: Record<keyof LungFigures, (figures: LungFigures) => string> = {
  lungFraction: ({ lungFraction }) =>
    `the lung fields that were found cover ${percent(lungFraction)} of the film, unlike those of a frontal chest film`,
  components: ({ components: parts }) => `the lung fields that were found fall into ${parts} parts`,
  smallerSideShare: ({ smallerSideShare }) =>
    `only ${percent(smallerSideShare)} of the lung fields that were found lie on the smaller side, unlike two lungs`,
  meanProbability: () => 'the lung fields could not be told from the rest of the film with enough certainty',
};

export function describeLungs(
  { mask: stored, probability, lungFraction }: LungFinding,
  turn: Turn = STANDARD,
): LungFigures {
  const mask = upright(stored, turn);
  const certainty = upright(probability, turn);
  const byColumn = new Uint32Array(mask.columns);
  let [pixels, sum] = [0, 0];
  for (let at = 0; at < mask.values.length; at++) {
    if (!(mask.values[at]! > 0)) continue;
    pixels++;
    sum += certainty.values[at]!;
    byColumn[at % mask.columns]!++;
  }
  if (pixels === 0) return { lungFraction: 0, components: 0, smallerSideShare: 0, meanProbability: 0 };
  const first = byColumn.findIndex((count) => count > 0);
  const middle = (first + byColumn.findLastIndex((count) => count > 0) + 1) / 2;
  const left = byColumn.reduce((total, count, column) => (column + 0.5 < middle ? total + count : total), 0);
  return {
    lungFraction,
    components: components(mask).length,
    smallerSideShare: Math.min(left, pixels - left) / pixels,
    meanProbability: sum / pixels,
  };
}

const maskSchema = z.looseObject({
  threshold: z.number().min(0).max(1),
  connectivity: z.literal(4),
  minComponentFraction: z.number().min(0).max(1),
});

/** @throws HilumError MODEL_INVALID when the manifest has no mask rule */
export function maskRuleOf(manifest: ModelManifest): z.infer<typeof maskSchema> {
  return fromManifest(manifest, 'mask', maskSchema);
}

function cleanMask(probability: Plane, rule: z.infer<typeof maskSchema>): Plane {
  const raw = { ...probability, values: mapValues(probability.values, (p) => (p >= rule.threshold ? 1 : 0)) };
  const kept = components(raw).filter(({ area }) => area >= rule.minComponentFraction * raw.values.length);
  const values = new Float32Array(raw.values.length);
  for (const { mask } of kept) for (let at = 0; at < values.length; at++) values[at]! += mask.values[at]!;
  return { ...raw, values };
}

function share(mask: Plane): number {
  return mask.values.reduce((a, b) => a + b, 0) / mask.values.length;
}

function fromManifest<T extends z.ZodType>(manifest: ModelManifest, key: string, schema: T): z.infer<T> {
  const parsed = schema.safeParse(manifest[key]);
  if (!parsed.success)
    throw new HilumError('MODEL_INVALID', 'permanent', `${key}: ${problemsOf(parsed.error).join('; ')}`);
  return parsed.data;
}
