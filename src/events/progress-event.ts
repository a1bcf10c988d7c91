import { z } from 'zod';
import type { Uid } from '../dicom/uid';
import { uidSchema } from '../dicom/uid-schema';
import { PRIORITIES, type Priority } from './priority';
import { readEvent } from './read-event';
import type { ReadOnly } from './read-only';

export const MAX_PROGRESS_BYTES = 4 * 1024;

/** ISO 8601 text in UTC, parsed to milliseconds since 1970. */
const time = z.iso.datetime().transform((text) => Date.parse(text));
const timeText = (ms: number) => new Date(ms).toISOString();

/** An error code of docs/errors.md, UNKNOWN or WORKER_LOST. */
const reason = z.string().regex(/^[A-Z_]{1,64}$/);

const workerName = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);

const stepSchema = z.discriminatedUnion('kind', [
  z
    .object({ kind: z.literal('waiting'), priority: z.enum(PRIORITIES).nullable() })
    .describe('Its event was sorted; priority null where it could not be told how urgent'),
  z
    .object({ kind: z.literal('analysing'), attempt: z.number().int().min(1) })
    .describe('A worker has it; which try, from 1'),
  z.object({ kind: z.literal('returned') }).describe('To the end of the queue, unfinished and not failed'),
  z
    .object({ kind: z.literal('retry'), reason, retryAt: time })
    .describe('A try failed with this code; the next is not before retryAt'),
  z.object({ kind: z.literal('failed'), reason }).describe('Given up with this code'),
  z
    .object({ kind: z.literal('nothing-new') })
    .describe('No film, every film had its result before, or the archive has nothing of the study'),
]);

export const progressEventSchema = z
  .object({
    schemaVersion: z.literal(1),
    type: z.literal('study-progress'),
    studyInstanceUid: uidSchema,
    step: stepSchema,
    occurredAt: time.describe('UTC'),
    worker: workerName.optional().describe('Which worker tells it: its machine and process'),
  })
  .meta({
    title: 'Hilum progress event, schema version 1',
    description: 'A study took a step on its way through a worker. Unknown keys are left alone. docs/events.md',
  });

/** A step of a study on its way through the service; times in milliseconds since 1970. */
export type Step = ReadOnly<z.infer<typeof stepSchema>>;

/**
 * The progress event, schema version 1 (docs/events.md). It may get lost. UIDs and codes only; nothing about the
 * patient.
 */
export type ProgressEvent = ReadOnly<z.infer<typeof progressEventSchema>>;

/**
 * Parses a progress event; unknown keys are dropped.
 * @throws HilumError EVENT_INVALID (permanent) that names the wrong keys and quotes none of their values
 */
export function parseProgressEvent(bytes: Uint8Array): ProgressEvent {
  return readEvent(bytes, progressEventSchema, { what: 'a progress event', maxBytes: MAX_PROGRESS_BYTES });
}

export function encodeProgressEvent({ step, occurredAt, ...event }: ProgressEvent): Buffer {
  const told = step.kind === 'retry' ? { ...step, retryAt: timeText(step.retryAt) } : step;
  return Buffer.from(JSON.stringify({ ...event, step: told, occurredAt: timeText(occurredAt) }));
}

/** Reports the steps of studies as they happen. */
export interface ProgressNotes {
  waiting(study: Uid, priority: Priority | null): void;
  analysing(study: Uid, attempt: number): void;
  returned(study: Uid): void;
  /** The next attempt is in `delayMs` milliseconds. */
  retry(study: Uid, reason: string, delayMs: number): void;
  failed(study: Uid, reason: string): void;
  nothingNew(study: Uid): void;
}

/**
 * @param tell gets each step as an event; must neither throw nor block
 * @param worker host and process of the worker; null to name none
 */
export function progressNotes(
  tell: (event: ProgressEvent) => void,
  now: () => number = Date.now,
  worker: string | null = null,
): ProgressNotes {
  const name = worker === null ? {} : { worker: worker.replace(/[^A-Za-z0-9._:-]/g, '-').slice(0, 128) };
  const note = (study: Uid, stepAt: (at: number) => Step) => {
    const occurredAt = now();
    tell({
      schemaVersion: 1,
      type: 'study-progress',
      studyInstanceUid: study,
      step: stepAt(occurredAt),
      occurredAt,
      ...name,
    });
  };
  return {
    waiting: (study, priority) => note(study, () => ({ kind: 'waiting', priority })),
    analysing: (study, attempt) => note(study, () => ({ kind: 'analysing', attempt })),
    returned: (study) => note(study, () => ({ kind: 'returned' })),
    retry: (study, code, delayMs) => note(study, (at) => ({ kind: 'retry', reason: code, retryAt: at + delayMs })),
    failed: (study, code) => note(study, () => ({ kind: 'failed', reason: code })),
    nothingNew: (study) => note(study, () => ({ kind: 'nothing-new' })),
  };
}
