import { createHmac } from 'node:crypto';
import type { Warning } from '../../events/closed-lists';
import type { Finding } from '../../events/finding';
import { leadingFinding } from '../../finding/finding';
import { RESEARCH_USE } from '../../finding/wording';
import type { OrderFacts, PatientFacts, StudyRecord } from '../record';

/**
 * Body of the message: docs/schemas/webhook.v1.json. Type, timestamp and data are what the Standard Webhooks
 * specification asks for.
 */
export interface WebhookMessage {
  readonly type: 'hilum.result';
  /** When the result was made, not when it is told: the same at each repetition. */
  readonly timestamp: string;
  readonly data: {
    readonly schemaVersion: 1;
    readonly notice: string;
    readonly studyInstanceUid: string;
    readonly priority: StudyRecord['priority'];
    readonly films: readonly WebhookFilm[];
    readonly models: StudyRecord['models'];
    readonly patient?: PatientFacts;
    readonly order?: OrderFacts;
  };
}

interface WebhookFilm {
  readonly sopInstanceUid: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly view: string | null;
  readonly probability: number | null;
  readonly threshold: number | null;
  /** The leading one first; `probability` and `threshold` are its. */
  readonly findings: readonly Finding[];
  /** Codes of docs/events.md. */
  readonly warnings: readonly Warning[];
  /** Sentences for a reader, those of the warnings among them. */
  readonly remarks: readonly string[];
  readonly outputs: StudyRecord['films'][number]['outputs'];
}

/** UIDs and results; nothing about the patient, unless the site says so. */
export function webhookMessage(
  { studyInstanceUid, priority, films, models, completedAt, patient, order }: StudyRecord,
  includePatient: boolean,
): WebhookMessage {
  return {
    type: 'hilum.result',
    timestamp: completedAt,
    data: {
      schemaVersion: 1,
      notice: RESEARCH_USE.statement,
      studyInstanceUid,
      priority,
      films: films.map(webhookFilm),
      models,
      ...(includePatient ? { patient, order } : {}),
    },
  };
}

function webhookFilm(film: StudyRecord['films'][number]): WebhookFilm {
  const { sopInstanceUid, outcome, reason, view, probability, findings, warnings = [], remarks, outputs } = film;
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
  };
}

/**
 * The three headers of the Standard Webhooks specification, version 1: HMAC-SHA256 over id, time and body, keyed with
 * the decoded secret.
 * @param secret `whsec_` and base64
 * @param seconds since 1970, of sending
 */
export function webhookHeaders(id: string, seconds: number, body: string, secret: string): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}
