import { z } from 'zod';

/** Roles of a process: what it does. */
export const ROLES = ['worker', 'list', 'catch-up', 'sinks'] as const;
export type Role = (typeof ROLES)[number];

export const rolesSchema = z
  .array(z.enum(ROLES))
  .min(1, `must name at least one of ${ROLES.join(', ')}: a process without a role does nothing`)
  .refine((roles) => new Set(roles).size === roles.length, 'must name each role once')
  .default([...ROLES])
  .describe(
    'What this process does: worker analyses studies, list keeps the reading list, catch-up finds studies that ' +
      'no event told of, sinks delivers results',
  );
