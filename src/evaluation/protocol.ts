import { createHash } from 'node:crypto';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { HilumError } from '../base/errors';

/** Names of the acceptance criteria. */
export const CRITERIA = [
  'auc',
  'sensitivity',
  'specificity',
  'positivePredictiveValue',
  'negativePredictiveValue',
  'calibrationError',
  'flagged',
  'notAnalysed',
  'patientsWith',
  'patientsWithout',
] as const;
export type CriterionName = (typeof CRITERIA)[number];

const COUNTS: readonly CriterionName[] = ['patientsWith', 'patientsWithout'];
const PREDICTIVE: readonly CriterionName[] = ['positivePredictiveValue', 'negativePredictiveValue'];
/** Criteria for which no interval is computed. */
const PLAIN: readonly CriterionName[] = ['calibrationError', ...COUNTS];

const line = z.string().trim().min(1).max(200);
const person = z.strictObject({ name: line.optional(), role: line.optional() });
const share = z.number().gt(0).lt(1);

const criterion = z
  .strictObject({
    atLeast: z.number().min(0).optional(),
    atMost: z.number().min(0).optional(),
    by: z.enum(['value', 'bound']).optional(),
  })
  .refine(({ atLeast, atMost }) => (atLeast === undefined) !== (atMost === undefined), {
    error: 'needs one of atLeast and atMost',
  });

const protocolSchema = z
  .strictObject({
    site: line.optional(),
    department: line.optional(),
    /** What is tested, and the X-ray devices that it will be used with. */
    device: line.optional(),
    purpose: line.optional(),
    examiner: person.optional(),
    responsible: person.optional(),
    prevalence: share.optional(),
    threshold: z.number().min(0).max(1).optional(),
    criteria: z.partialRecord(z.enum(CRITERIA), criterion).optional(),
  })
  .superRefine(({ criteria = {}, prevalence }, context) => {
    for (const [name, { atLeast, atMost, by }] of Object.entries(criteria) as [
      CriterionName,
      z.infer<typeof criterion>,
    ][]) {
      const say = (message: string) => context.addIssue({ code: 'custom', path: ['criteria', name], message });
      if (!COUNTS.includes(name) && (atLeast ?? atMost ?? 0) > 1) say('is a share, 0 to 1');
      if (PLAIN.includes(name) && by === 'bound') say('has no interval, so it is judged by its value');
      if (PREDICTIVE.includes(name) && prevalence === undefined)
        say('needs prevalence, the share of patients with the finding');
    }
  });

/** A site's acceptance test: description and criteria. */
export interface Protocol extends z.infer<typeof protocolSchema> {
  /** Digest of the file. */
  readonly sha256: string;
}

/** Description of the test in a report; the criteria are reported separately. */
export type TestFacts = Omit<Protocol, 'criteria'>;

export function factsOfTest(protocol: Protocol): TestFacts {
  const facts: TestFacts & Partial<Pick<Protocol, 'criteria'>> = { ...protocol };
  delete facts.criteria;
  return facts;
}

/**
 * Reads a protocol file (YAML or JSON).
 * @throws HilumError PROTOCOL_INVALID with all problems
 */
export function readProtocol(bytes: Uint8Array): Protocol {
  const document = parseDocument(Buffer.from(bytes).toString('utf8'));
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(broken.message.split('\n')[0]!, broken);
  const parsed = protocolSchema.safeParse(document.toJS() ?? {});
  if (!parsed.success) throw invalid(parsed.error.issues.flatMap(described).join('; '));
  return { ...parsed.data, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Problem with its place in the file; unknown keys are named one by one. */
function described(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: unknown key`);
  return [`${issue.path.join('.') || 'the file'}: ${issue.message}`];
}

function invalid(message: string, cause?: unknown): HilumError {
  return new HilumError('PROTOCOL_INVALID', 'permanent', `protocol file: ${message}`, { cause });
}
