/**
 * Measures that are counted for drift, with the edges of their bins. A closed list: docs/operations.md has each, and a
 * test compares. The edges never change, so that counts of different days, workers and versions can be added.
 */
export const MEASURES = {
  lateralProbability: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
  unlike: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6],
  lungFraction: [0.12, 0.16, 0.2, 0.23, 0.26, 0.29, 0.32, 0.36, 0.42],
  lungCertainty: [0.92, 0.94, 0.95, 0.96, 0.97, 0.975, 0.98, 0.985, 0.99],
  probability: [0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95],
  meanGrey: [0.35, 0.4, 0.44, 0.48, 0.52, 0.56, 0.6, 0.65, 0.7],
  greySpread: [0.14, 0.17, 0.19, 0.21, 0.23, 0.25, 0.27, 0.29, 0.32],
} as const satisfies Record<string, readonly number[]>;
export type MeasureName = keyof typeof MEASURES;
export const MEASURE_NAMES = Object.keys(MEASURES) as MeasureName[];

/** Measures of one film; those that were not computed are missing. */
export type FilmMeasures = Readonly<Partial<Record<MeasureName, number>>>;
