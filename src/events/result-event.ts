import { z } from 'zod';
import { uidSchema } from '../dicom/uid-schema';
import { NOT_ANALYSED_REASONS, type Warning, WARNINGS } from './closed-lists';
import { findingSchema } from './finding';
import { PRIORITIES } from './priority';
import { readEvent } from './read-event';
import type { ReadOnly } from './read-only';

/** Some thousand films. */
export const MAX_RESULT_BYTES = 4 * 1024 * 1024;

const share = z.number().min(0).max(1).nullable();

/** Codes that a later version added are left out: here they would be words that nobody knows. */
const warnings = z.array(z.string()).transform((codes): Warning[] => WARNINGS.filter((known) => codes.includes(known)));

const output = z.object({ sopClassUid: uidSchema, seriesInstanceUid: uidSchema, sopInstanceUid: uidSchema });

const filmResultSchema = z.object({
  sopInstanceUid: uidSchema,
  /** `rejected`: no chest film at all, or unreadable; it has no object. */
  outcome: z.enum(['analysed', 'not-analysed', 'rejected']),
  reason: z.enum(NOT_ANALYSED_REASONS).nullable(),
  reasonText: z.string().nullable(),
  view: z.enum(['frontal', 'lateral']).nullable(),
  /** Of the first finding: what readers of schema version 1 knew before there were several. */
  probability: share,
  lungFraction: share,
  /** What the classifiers say of the film, the leading one first; empty where it was not analysed. */
  findings: z.array(findingSchema).default([]),
  /** Absent where there are none. */
  warnings: warnings.optional(),
  outputs: z.array(output),
});

export const resultEventSchema = z.object({
  schemaVersion: z.literal(1),
  type: z.literal('study-result'),
  studyInstanceUid: uidSchema,
  /** The highest of the live findings; null where no film was analysed. */
  priority: z.enum(PRIORITIES).nullable(),
  films: z.array(filmResultSchema),
  /** Series without a film (CT, results of others ...), which were left alone. */
  skipped: z.array(
    z.object({ seriesInstanceUid: uidSchema, modality: z.string(), instances: z.number().int().min(1) }),
  ),
  models: z.array(z.object({ id: z.string(), version: z.string() })),
  /** UTC */
  completedAt: z.iso.datetime(),
});

/** What became of one film. */
export type FilmResult = ReadOnly<z.infer<typeof filmResultSchema>>;

/** docs/events.md: the result event, schema version 1. UIDs, counts and results; nothing about the patient. */
export type ResultEvent = ReadOnly<z.infer<typeof resultEventSchema>>;

/**
 * Reads a result event; keys that it does not know are left out.
 * @throws HilumError EVENT_INVALID (permanent) that names the keys at fault and quotes none of their values.
 */
export function parseResultEvent(bytes: Uint8Array): ResultEvent {
  return readEvent(bytes, resultEventSchema, { what: 'a result event', maxBytes: MAX_RESULT_BYTES });
}
