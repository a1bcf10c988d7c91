import { z } from 'zod';
import { uidSchema } from '../dicom/uid-schema';
import { PRIORITIES } from './priority';
import { readEvent } from './read-event';
import type { ReadOnly } from './read-only';

export const MAX_EVENT_BYTES = 64 * 1024;

const source = z.object({ system: z.string().max(64), aet: z.string().max(64).optional() });

export const studyEventSchema = z
  .object({
    schemaVersion: z.literal(1),
    type: z.literal('study-stable'),
    studyInstanceUid: uidSchema,
    source: source.describe('Who tells of the study, with its application entity title').optional(),
    occurredAt: z.iso.datetime({ offset: true }).describe('With a time zone'),
    reanalyze: z
      .boolean()
      .describe(
        'true: films that have a report of another version of Hilum, or of other settings, are read anew; ' +
          'without it they are left alone',
      )
      .optional(),
    compareFilms: z
      .boolean()
      .describe(
        'false: films that have a report are not compared with what it saw; without it they are, so that one whose ' +
          'content was replaced under its UID is read anew',
      )
      .optional(),
    priority: z
      .enum(PRIORITIES)
      .describe('How soon the study is worked on; goes before the rules of the configuration')
      .optional(),
  })
  .meta({
    title: 'Hilum study event, schema version 1',
    description: 'A study became stable in the archive. Unknown keys are left alone. docs/events.md',
  });

/** The study event: a study became stable (docs/events.md, schema version 1). */
export type StudyEvent = ReadOnly<z.infer<typeof studyEventSchema>>;

/**
 * Parses a study event; unknown keys are ignored, so that publishers may add some.
 * @throws HilumError EVENT_INVALID (permanent) that names the wrong keys and quotes none of their values
 */
export function parseStudyEvent(bytes: Uint8Array): StudyEvent {
  return readEvent(bytes, studyEventSchema, { what: 'a study event', maxBytes: MAX_EVENT_BYTES });
}
