import { join } from 'node:path';
import type { Config } from '../config/config';
import { namedModels } from '../model/config';
import { readManifest } from '../model/manifest';
import { compareWith, type DriftRow, lastDays, referenceOf } from '../monitoring/drift';
import { type DriftDay, readDriftDays } from '../monitoring/drift-store';
import { SHIPPED_MODELS } from './installed';

export type { DriftDay, DriftRow };

export interface DriftReport {
  /** First and last day (YYYY-MM-DD, UTC), both included. */
  readonly from: string;
  readonly to: string;
  readonly days: readonly DriftDay[];
  /** Films by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Id of the first classifier, whose reference the films are compared with. */
  readonly classifier: string;
  /** Number of films in the classifier's reference; null where its manifest has no reference. */
  readonly referenceFilms: number | null;
  readonly measures: readonly DriftRow[];
  /** Files of counts that can't be read. */
  readonly unread: readonly string[];
}

/** Counts of all workers over the last days, compared with the classifier's reference. */
export function driftReport({ models, state }: Config, lastSoMany: number, now = new Date()): DriftReport {
  const [from, to] = lastDays(lastSoMany, now);
  const { counts, days, unread } = readDriftDays(state.dir, from, to);
  const classifier = namedModels(models).classifiers[0]!;
  const reference = referenceOf(readManifest(join(models.dir ?? SHIPPED_MODELS, classifier)));
  return {
    from,
    to,
    days,
    classifier,
    outcomes: counts.outcomes,
    referenceFilms: reference?.films ?? null,
    measures: reference === null ? [] : compareWith(reference, counts),
    unread,
  };
}
