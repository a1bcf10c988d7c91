import { HilumError } from '../base/errors';
import { z } from 'zod';
import type { ModelManifest } from '../model/manifest';
import type { Model } from '../model/session';
import { keepInside, type Plane } from '../model/tensor';
import { components } from './outline';
import type { InferredFilm, LungFinding, PreprocessedFilm, Refusal, ViewFinding } from './stage';

export interface Models {
  readonly view: Model;
  readonly lungs: Model;
  readonly classifier: Model;
}

/** Frontal or lateral; `lateral` from the model's operating point upwards. */
export async function findView(film: PreprocessedFilm, model: Model): Promise<ViewFinding> {
  const { probability } = await model.predict(film.normalised);
  const lateralProbability = single(probability);
  return { view: lateralProbability >= model.manifest.operatingPoint.threshold ? 'lateral' : 'frontal', lateralProbability };
}

export async function findLungs(film: PreprocessedFilm, model: Model): Promise<LungFinding> {
  const { probability } = await model.predict(film.normalised);
  const plane: Plane = { ...film.normalised, values: probability };
  const mask: Plane = { ...plane, values: probability.map((p) => (p >= model.manifest.operatingPoint.threshold ? 1 : 0)) };
  return { probability: plane, mask, lungFraction: mean(mask.values) };
}

/** The classifier on the region that it was trained on: the lungs only, or the whole film. */
export async function classify(film: PreprocessedFilm, view: ViewFinding, lungs: LungFinding, model: Model): Promise<InferredFilm> {
  const { region, fill } = model.manifest.input;
  const seen = region === 'lungs' ? keepInside(film.normalised, lungs.mask, fill) : film.normalised;
  const { probability, cam } = await model.predict(seen);
  if (cam === null) throw new HilumError('MODEL_INVALID', 'permanent', `${model.manifest.id} has no class activation: it can't be explained`);
  const p = single(probability);
  return { preprocessed: film, view, lungs, probability: p, activation: cam, urgent: p >= model.manifest.operatingPoint.threshold };
}

/** Bounds of what a real frontal film's lungs look like, measured on the training films (the lung model's manifest, `plausibility`). */
export interface Plausibility {
  readonly lungFraction: readonly [low: number, high: number];
  /** Share of the smaller lung in both, at least. */
  readonly smallerLungShare: number;
}

/** Why these can't be the two lungs of a frontal chest film, or null. */
export function implausible(lungs: LungFinding, bounds: Plausibility): Refusal | null {
  const [low, high] = bounds.lungFraction;
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  const refuse = (text: string): Refusal => ({ reason: 'implausible-lungs', text });
  if (lungs.lungFraction < low || lungs.lungFraction > high) return refuse(`the lung fields found cover ${percent(lungs.lungFraction)} of the film, outside ${percent(low)} to ${percent(high)}`);
  const [first = 0, second = 0] = components(lungs.mask).map((part) => part.area);
  const share = second / (first + second);
  return share < bounds.smallerLungShare ? refuse('two separate lung fields of comparable size could not be found') : null;
}

function single(values: Float32Array): number {
  const value = values[0];
  if (value === undefined || !Number.isFinite(value)) throw new HilumError('MODEL_INVALID', 'permanent', 'the model gave no probability');
  return value;
}

function mean(values: Float32Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

const plausibilitySchema = z.looseObject({ lungFraction: z.tuple([z.number(), z.number()]), smallerLungShare: z.number() });

/** @throws HilumError MODEL_INVALID when the lung model's manifest has no plausibility bounds. */
export function plausibilityOf(manifest: ModelManifest): Plausibility {
  const parsed = plausibilitySchema.safeParse(manifest.plausibility);
  if (!parsed.success) throw new HilumError('MODEL_INVALID', 'permanent', `${manifest.id}: the manifest has no usable plausibility bounds`);
  return parsed.data;
}
