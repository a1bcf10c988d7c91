import { z } from 'zod';
import { FINDING_MODES } from '../events/finding';
import { PRIORITIES } from '../events/priority';

export const findingsSchema = z
  .strictObject({
    rules: z
      .array(
        z.strictObject({
          finding: z.string().min(1).max(64).describe("The finding by its label in the model's manifest"),
          threshold: z
            .number()
            .min(0)
            .max(1)
            .optional()
            .describe("Operating point of this site; by default the model's own"),
          priority: z
            .enum(PRIORITIES)
            .default('urgent')
            .describe('What a film at or above the operating point becomes for the reader'),
          mode: z
            .enum([...FINDING_MODES, 'off'])
            .optional()
            .describe(
              'live: it may make a study urgent. shadow: it is computed and written down, and nothing follows from ' +
                "it. off: nobody asks for it. By default the model's own; what a model gives in shadow can't be " +
                'made live',
            ),
        }),
      )
      .default([])
      .describe('What follows from each finding; one without a rule is as its model says, and makes a film urgent'),
  })
  .refine(({ rules }) => new Set(rules.map(({ finding }) => finding)).size === rules.length, {
    path: ['rules'],
    error: 'name a finding twice',
  })
  .prefault({});

export type FindingSettings = z.infer<typeof findingsSchema>;
