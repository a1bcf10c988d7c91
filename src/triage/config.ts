import { z } from 'zod';
import { millis } from '../base/schema';

/**
 * Attributes that a rule may use: keyword and tag of PS3.6; a closed list, which a test compares with the dictionary.
 * They tell where a film was taken and how urgently it was requested; none names a person. The Standard has no
 * attribute for "portable": view, station and descriptions tell.
 */
export const RULE_ATTRIBUTES = {
  Modality: '00080060',
  InstitutionName: '00080080',
  StationName: '00081010',
  StudyDescription: '00081030',
  SeriesDescription: '0008103E',
  InstitutionalDepartmentName: '00081040',
  BodyPartExamined: '00180015',
  PositionerType: '00181508',
  ViewPosition: '00185101',
  /** Retired from the Standard, but still sent. */
  StudyPriorityID: '0032000C',
  RequestingService: '00321033',
  RequestedProcedureDescription: '00321060',
  CurrentPatientLocation: '00380300',
  PerformedProcedureStepDescription: '00400254',
  RequestedProcedurePriority: '00401003',
  PatientTransportArrangements: '00401004',
} as const;
export type RuleKeyword = keyof typeof RULE_ATTRIBUTES;
export const RULE_KEYWORDS = Object.keys(RULE_ATTRIBUTES) as RuleKeyword[];

/** Conditions that must all hold for one film; each is a list of values of which one must match. */
export type PriorityRule = { readonly [keyword in RuleKeyword]?: readonly string[] | undefined };

const values = z.array(z.string().trim().min(1)).min(1);
const conditions = Object.fromEntries(RULE_KEYWORDS.map((keyword) => [keyword, values.optional()])) as Record<
  RuleKeyword,
  z.ZodOptional<typeof values>
>;
// At least one condition, as a rule without any would match every film.
const rule = z
  .strictObject(conditions)
  .refine((found) => Object.keys(found).length > 0, { error: 'a rule needs a condition' });

/**
 * STAT and HIGH are values of Requested Procedure Priority (PS3.3 section C.4.11); HIGH is one of Study Priority ID.
 */
const DEFAULT_RULES: PriorityRule[] = [
  { StudyPriorityID: ['HIGH', 'STAT'] },
  { RequestedProcedurePriority: ['HIGH', 'STAT'] },
];

export const prioritySchema = z
  .strictObject({
    rules: z
      .array(rule)
      .max(100)
      .default(DEFAULT_RULES as z.infer<typeof rule>[])
      .describe('A study is urgent when one of its films meets all conditions of one rule'),
    routineEvery: z
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(4)
      .describe('Urgent studies in a row after which a waiting routine one has its turn'),
    timeoutMs: millis(5_000, 'Longest wait for what the archive knows of a study', '; after it, the study is routine'),
  })
  .prefault({});
