import { z } from 'zod';
import { HilumError } from '../base/errors';
import type { ModelManifest } from '../model/manifest';
import { MEASURE_NAMES, type MeasureName, MEASURES } from '../pipeline/measures';
import { chanceOfIndex, type DriftLevel, levelOf, populationStabilityIndex } from '../statistics/psi';
import type { DriftCounts } from './drift-store';

const referenceSchema = z.looseObject({
  films: z.number().int().positive(),
  measures: z.partialRecord(z.enum(MEASURE_NAMES), z.array(z.number().int().min(0))),
});

/** Counts of the films that a model was validated on: `reference` in the classifier's manifest. */
export type DriftReference = z.infer<typeof referenceSchema>;

/** Null where the manifest has no reference. @throws HilumError MODEL_INVALID when it can't be used */
export function referenceOf(manifest: ModelManifest): DriftReference | null {
  if (manifest.reference === undefined) return null;
  const parsed = referenceSchema.safeParse(manifest.reference);
  const misfit =
    parsed.success &&
    MEASURE_NAMES.find(
      (name) => (parsed.data.measures[name]?.length ?? MEASURES[name].length + 1) !== MEASURES[name].length + 1,
    );
  if (!parsed.success || misfit !== undefined)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${manifest.id}: the manifest's reference is of another version; scripts/models/drift-reference.mjs writes it`,
    );
  return parsed.data;
}

/** One measure compared with the reference. */
export interface DriftRow {
  readonly measure: MeasureName;
  readonly films: number;
  /** Population stability index; null where either side has no film. */
  readonly index: number | null;
  /** Index that is exceeded by chance alone in one of twenty cases, with this number of films. */
  readonly chance: number;
  readonly level: DriftLevel;
}

export function compareWith(reference: DriftReference, seen: DriftCounts): DriftRow[] {
  return MEASURE_NAMES.map((measure) => {
    const [then, now] = [reference.measures[measure] ?? [], seen.measures[measure] ?? []];
    const [n, m] = [now, then].map((bins) => bins.reduce((a, b) => a + b, 0)) as [number, number];
    const index = populationStabilityIndex(then, now);
    const chance = index === null ? Infinity : chanceOfIndex(now.length, n, m);
    return { measure, films: n, index, chance, level: levelOf(index, chance) };
  });
}

/** The first and the last of this many days up to today (UTC), YYYY-MM-DD. */
export function lastDays(days: number, now: Date): [from: string, to: string] {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  return [day(new Date(now.getTime() - (days - 1) * 86_400_000)), day(now)];
}
