import { z } from 'zod';
import { readEvent } from '../base/event';
import { uidSchema } from '../dicom/uid-schema';
import { NOT_ANALYSED_REASONS, type ResultEvent } from '../pipeline/stage';

/** Some thousand films. */
export const MAX_RESULT_BYTES = 4 * 1024 * 1024;

const share = z.number().min(0).max(1).nullable();

const film = z.object({
  sopInstanceUid: uidSchema,
  outcome: z.enum(['analysed', 'not-analysed', 'rejected']),
  reason: z.enum(NOT_ANALYSED_REASONS).nullable(),
  reasonText: z.string().nullable(),
  view: z.enum(['frontal', 'lateral']).nullable(),
  probability: share,
  lungFraction: share,
  outputs: z.array(z.object({ sopClassUid: uidSchema, seriesInstanceUid: uidSchema, sopInstanceUid: uidSchema })),
});

const resultEventSchema = z.object({
  schemaVersion: z.literal(1),
  type: z.literal('study-result'),
  studyInstanceUid: uidSchema,
  priority: z.enum(['urgent', 'routine']).nullable(),
  films: z.array(film),
  skipped: z.array(z.object({ seriesInstanceUid: uidSchema, modality: z.string(), instances: z.number().int().min(1) })),
  models: z.array(z.object({ id: z.string(), version: z.string() })),
  completedAt: z.iso.datetime(),
});

/**
 * Reads a result event (docs/events.md, schema version 1); keys that it does not know are left out.
 * @throws HilumError EVENT_INVALID (permanent) that names the keys at fault and quotes none of their values.
 */
export function parseResultEvent(bytes: Uint8Array): ResultEvent {
  return readEvent(bytes, resultEventSchema, { what: 'a result event', maxBytes: MAX_RESULT_BYTES });
}
