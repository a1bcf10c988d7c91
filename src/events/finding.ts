import { z } from 'zod';
import { PRIORITIES } from './priority';
import type { ReadOnly } from './read-only';

/** `live`: may make a study urgent. `shadow`: computed and written to the report, without consequences. */
export const FINDING_MODES = ['live', 'shadow'] as const;
export type FindingMode = (typeof FINDING_MODES)[number];

const share = z.number().min(0).max(1);

export const findingSchema = z
  .object({
    label: z.string().describe("The class by name, as the model's manifest has it"),
    code: z.object({ value: z.string(), scheme: z.string(), meaning: z.string() }),
    probability: share.describe('Of the class'),
    operatingPoint: share
      .nullable()
      .describe('What the probability was held against; null in a report of an older version that does not say'),
    atOrAbove: z.boolean(),
    priority: z
      .enum(PRIORITIES)
      .describe('What the finding by itself suggests to the reader; in shadow mode nothing follows from it'),
    mode: z
      .enum(FINDING_MODES)
      .describe(
        'live: it may make a study urgent. shadow: it is computed and written down, and nothing follows from it',
      ),
  })
  .meta({ id: 'finding', description: 'What one classifier says of one film for one class, e.g. COVID-19' });

/** One finding of a classifier on one film. */
export type Finding = ReadOnly<z.infer<typeof findingSchema>>;
