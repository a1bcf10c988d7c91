import { z } from 'zod';
import { uidSchema } from '../dicom/uid-schema';
import { CORRECTED_PARTS, knownWarnings, NOT_ANALYSED_REASONS, WARNINGS } from './closed-lists';
import { findingSchema } from './finding';
import { PRIORITIES } from './priority';
import { readEvent } from './read-event';
import type { ReadOnly } from './read-only';

/** Largest result event (bytes): some thousand films. */
export const MAX_RESULT_BYTES = 4 * 1024 * 1024;

const share = z.number().min(0).max(1).nullable();

const warnings = z
  .array(z.string().meta({ examples: [...WARNINGS] }))
  .transform(knownWarnings)
  .describe(
    'What a reader of the result should know. Left out where there are none. The examples are the codes of this ' +
      'version; leave those alone that you do not know',
  );

const outputSchema = z
  .object({ sopClassUid: uidSchema, seriesInstanceUid: uidSchema, sopInstanceUid: uidSchema })
  .meta({ id: 'output', description: 'An object that was stored in the study' });

export const filmResultSchema = z
  .object({
    sopInstanceUid: uidSchema.describe('The film'),
    outcome: z
      .enum(['analysed', 'not-analysed', 'rejected'])
      .describe(
        'not-analysed: a film of the chest, or one with an earlier report, whose report says why not. ' +
          'rejected: no film of the chest, unreadable, or rejected by a note before it was read; there is no report',
      ),
    reason: z.enum(NOT_ANALYSED_REASONS).nullable().describe('Why not; null when analysed'),
    reasonText: z.string().nullable().describe('The fixed sentence of the reason; null when analysed'),
    view: z.enum(['frontal', 'lateral']).nullable().describe('null when that was not looked at'),
    probability: share.describe('Of the live finding that stands for the film; null where there is none'),
    lungFraction: share.describe('Part of the film that is lung; null when not looked at'),
    findings: z
      .array(findingSchema)
      .default([])
      .describe('What the classifiers say of the film, in their order; empty where it was not analysed'),
    warnings: warnings.optional(),
    outputs: z
      .array(outputSchema)
      .describe('In the order of storing: the objects that are switched on, then the report'),
    supersedes: z
      .array(uidSchema)
      .optional()
      .describe(
        'SOP Instance UIDs of all earlier reports of this film that are known: this result takes their place, ' +
          'because the film has another content now or was read anew. Left out where there are none',
      ),
  })
  .meta({ id: 'film', description: 'What became of one film' });

export const correctionSchema = z
  .object({
    corrects: z.array(z.enum(CORRECTED_PARTS)).min(1).describe('What the archive has other attributes of now'),
    correctedAt: z.iso.datetime().describe('When the reading list saw it, UTC; tells one correction from the next'),
  })
  .meta({
    id: 'correction',
    description:
      'The result is the one that was announced before; patient or order of the study were corrected in the archive ' +
      'since. Left out where nothing was',
  });

export const resultEventSchema = z
  .object({
    schemaVersion: z.literal(1),
    type: z.literal('study-result'),
    studyInstanceUid: uidSchema,
    priority: z
      .enum(PRIORITIES)
      .nullable()
      .describe(
        'The highest of the live findings. urgent: a film reaches the operating point. routine: films were ' +
          'analysed and none does. null: none was analysed, or for findings in shadow only, which says nothing about ' +
          'the patient',
      ),
    films: z.array(filmResultSchema),
    skipped: z
      .array(
        z.object({
          seriesInstanceUid: uidSchema,
          modality: z.string(),
          instances: z.number().int().min(1),
        }),
      )
      .describe('Series without a film (CT, results of others ...), which were left alone'),
    models: z
      .array(z.object({ id: z.string(), version: z.string() }))
      .describe('What this version uses; a film of another version names its own in its report'),
    completedAt: z.iso.datetime().describe('UTC'),
    correction: correctionSchema.optional(),
  })
  .meta({
    title: 'Hilum result event, schema version 1',
    description:
      'What became of a study: UIDs, counts and results, nothing about the patient. Readers leave unknown keys ' +
      'alone. docs/events.md',
  });

/** Result of one film. */
export type FilmResult = ReadOnly<z.infer<typeof filmResultSchema>>;

/** A correction of patient or order since the result was announced. */
export type Correction = ReadOnly<z.infer<typeof correctionSchema>>;

/** The result event, schema version 1 (docs/events.md). UIDs, counts and results; nothing about the patient. */
export type ResultEvent = ReadOnly<z.infer<typeof resultEventSchema>>;

/**
 * Parses a result event; unknown keys are dropped.
 * @throws HilumError EVENT_INVALID (permanent) that names the wrong keys and quotes none of their values
 */
export function parseResultEvent(bytes: Uint8Array): ResultEvent {
  return readEvent(bytes, resultEventSchema, { what: 'a result event', maxBytes: MAX_RESULT_BYTES });
}
