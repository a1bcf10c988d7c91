import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { ReadOnly } from '../../events/read-only';
import { correctionSchema, filmResultSchema, resultEventSchema } from '../../events/result-event';
import { leadingFinding } from '../../finding/finding';
import { RESEARCH_USE } from '../../finding/wording';
import type { OrderFacts, PatientFacts, StudyRecord } from '../record';
import { issuedAt, isWithdrawal, isWithdrawn } from '../statements';

const text = z.string();

const { shape: result } = filmResultSchema;

const filmSchema = z
  .strictObject({
    sopInstanceUid: result.sopInstanceUid,
    outcome: result.outcome,
    reason: text.nullable().describe('Why it was not analysed, a code of docs/events.md; null when analysed'),
    view: result.view,
    probability: result.probability,
    threshold: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .describe('Operating point that the probability was held against; null where there is none'),
    findings: result.findings
      .unwrap()
      .describe(
        'In the order of the classifiers. probability and threshold are those of the live one that makes the film ' +
          'urgent, else of the first live one; null where all are in shadow, of which nothing may be shown as a result',
      ),
    warnings: result.warnings.unwrap().describe('Codes of docs/events.md; leave those alone that you do not know'),
    remarks: z.array(text).describe('Sentences for a reader, those of the warnings among them'),
    outputs: result.outputs,
    supersedes: result.supersedes,
    withdrawn: z
      .literal(true)
      .optional()
      .describe('The earlier result of this film is withdrawn, because the film was rejected; else left out'),
  })
  .meta({ id: 'film', description: 'What became of one film' });

const patientSchema = z
  .object({
    PatientID: text,
    IssuerOfPatientID: text,
    PatientName: text.describe('Components divided by ^'),
    PatientBirthDate: text.describe('YYYYMMDD'),
    PatientSex: text,
  } satisfies Record<keyof PatientFacts, z.ZodString>)
  .catchall(text);

const orderSchema = z
  .object({
    AccessionNumber: text,
    AccessionNumberIssuer: text,
    PlacerOrderNumberImagingServiceRequest: text,
    FillerOrderNumberImagingServiceRequest: text,
    RequestedProcedureID: text,
    RequestedProcedureDescription: text,
  } satisfies Record<keyof OrderFacts, z.ZodString>)
  .catchall(text);

/** `type`, `timestamp` and `data` are required by the Standard Webhooks specification. */
export const webhookMessageSchema = z
  .object({
    type: z.literal('hilum.result'),
    timestamp: z.iso
      .datetime()
      .describe('UTC. When the result was made or corrected, not when it is told: the same at each repetition'),
    data: z.object({
      schemaVersion: z.literal(1),
      notice: text.describe('What the results are not meant for, to be shown with them'),
      studyInstanceUid: resultEventSchema.shape.studyInstanceUid,
      priority: resultEventSchema.shape.priority,
      withdrawn: z
        .literal(true)
        .optional()
        .describe('The whole earlier result of the study is withdrawn: no film is left; else left out'),
      films: z.array(filmSchema),
      models: resultEventSchema.shape.models.describe('What the films were analysed with'),
      correction: correctionSchema.optional(),
      patient: patientSchema
        .describe('Only where the site says so (includePatient); an empty text where the film has none')
        .optional(),
      order: orderSchema.describe('As patient').optional(),
    }),
  })
  .meta({
    title: 'Hilum webhook message, schema version 1',
    description:
      "A study's result as it is posted to a webhook: UIDs and results, patient and order only where the site " +
      'says so. docs/deliveries.md',
  });

/** Body of the message: docs/schemas/webhook.v1.json. */
export type WebhookMessage = ReadOnly<z.infer<typeof webhookMessageSchema>>;

/** UIDs and results; patient data only if configured. */
export function webhookMessage(record: StudyRecord, includePatient: boolean): WebhookMessage {
  const { studyInstanceUid, priority, films, models, correction, patient, order } = record;
  return {
    type: 'hilum.result',
    timestamp: issuedAt(record),
    data: {
      schemaVersion: 1,
      notice: RESEARCH_USE.statement,
      studyInstanceUid,
      priority,
      ...(isWithdrawal(record) ? { withdrawn: true } : {}),
      films: films.map(webhookFilm),
      models,
      ...(correction === undefined ? {} : { correction }),
      ...(includePatient ? { patient, order } : {}),
    },
  };
}

function webhookFilm(film: StudyRecord['films'][number]): WebhookMessage['data']['films'][number] {
  const {
    sopInstanceUid,
    outcome,
    reason,
    view,
    probability,
    findings,
    warnings = [],
    remarks,
    outputs,
    supersedes,
  } = film;
  return {
    sopInstanceUid,
    outcome,
    reason,
    view,
    probability,
    threshold: leadingFinding(film)?.operatingPoint ?? null,
    findings,
    warnings,
    remarks,
    outputs,
    ...(supersedes === undefined ? {} : { supersedes }),
    ...(isWithdrawn(film) ? { withdrawn: true } : {}),
  };
}

/**
 * The three headers of the Standard Webhooks specification, version 1: HMAC-SHA256 over id, time and body, keyed with
 * the decoded secret.
 * @param secret `whsec_` and base64
 * @param seconds time of sending, since 1970
 */
export function webhookHeaders(id: string, seconds: number, body: string, secret: string): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}
