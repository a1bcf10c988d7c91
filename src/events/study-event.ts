import { z } from 'zod';
import { uidSchema } from '../dicom/uid-schema';
import { PRIORITIES } from './priority';
import { readEvent } from './read-event';
import type { ReadOnly } from './read-only';

export const MAX_EVENT_BYTES = 64 * 1024;

export const studyEventSchema = z.object({
  schemaVersion: z.literal(1),
  type: z.literal('study-stable'),
  studyInstanceUid: uidSchema,
  source: z.object({ system: z.string().max(64), aet: z.string().max(64).optional() }).optional(),
  /** With a time zone. */
  occurredAt: z.iso.datetime({ offset: true }),
  /** Films that have a report of another version of Hilum are to be read anew; without it they are left alone. */
  reanalyze: z.boolean().optional(),
  /** Goes before the rules of the configuration. */
  priority: z.enum(PRIORITIES).optional(),
});

/** A study became stable: docs/events.md, schema version 1. */
export type StudyEvent = ReadOnly<z.infer<typeof studyEventSchema>>;

/**
 * Reads a study event; keys that it does not know are left alone, so that publishers may add some.
 * @throws HilumError EVENT_INVALID (permanent) that names the keys at fault and quotes none of their values.
 */
export function parseStudyEvent(bytes: Uint8Array): StudyEvent {
  return readEvent(bytes, studyEventSchema, { what: 'a study event', maxBytes: MAX_EVENT_BYTES });
}
