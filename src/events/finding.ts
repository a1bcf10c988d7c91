import { z } from 'zod';
import { PRIORITIES } from './priority';
import type { ReadOnly } from './read-only';

/** `live`: it may make a study urgent. `shadow`: it is computed and written down, and nothing follows from it. */
export const FINDING_MODES = ['live', 'shadow'] as const;
export type FindingMode = (typeof FINDING_MODES)[number];

const share = z.number().min(0).max(1);

/** What one classifier says of one film for one class, e.g. COVID-19. */
export const findingSchema = z.object({
  /** The class by name, as the model's manifest has it. */
  label: z.string(),
  code: z.object({ value: z.string(), scheme: z.string(), meaning: z.string() }),
  /** Of the class, 0..1. */
  probability: share,
  /** What the probability was held against, 0..1; null in a report of an older version that does not say. */
  operatingPoint: share.nullable(),
  atOrAbove: z.boolean(),
  /** What the finding by itself suggests to the reader; in shadow mode nothing follows from it. */
  priority: z.enum(PRIORITIES),
  mode: z.enum(FINDING_MODES),
});

export type Finding = ReadOnly<z.infer<typeof findingSchema>>;
