import { z } from 'zod';
import { millis } from '../base/schema';

export const catchUpSchema = z
  .strictObject({
    kind: z
      .enum(['off', 'orthanc', 'dicomweb'])
      .default('dicomweb')
      .describe(
        "How studies that no event told of are found: by Orthanc's list of changes, by searching any DICOMweb " +
          'archive, or not at all',
      ),
    orthancUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        "Orthanc's own REST API, e.g. http://orthanc:8042; needed with kind orthanc, signed in to as to the archive",
      ),
    intervalMs: millis(300_000, 'Time from one look to the next'),
    windowDays: z
      .number()
      .int()
      .min(1)
      .max(36_500)
      .default(2)
      .describe(
        'How far back to look (days): by Study Date at each search; with kind orthanc by arrival, at the first ' +
          'start only',
      ),
    studiesPerMinute: z.number().positive().max(60_000).default(120).describe('Most events that are made in a minute'),
    compareFilms: z
      .boolean()
      .default(false)
      .describe(
        'true has the films of every study that is found compared with what their reports saw, also where each has ' +
          'one, so that a film whose content was replaced is read anew though no event told of it: each is fetched, ' +
          'every six hours and at each start',
      ),
    queueLimit: z
      .number()
      .int()
      .min(1)
      .default(100)
      .describe('Studies waiting to be worked on at which the catch-up waits'),
  })
  .refine(({ kind, orthancUrl }) => kind !== 'orthanc' || orthancUrl !== undefined, {
    path: ['orthancUrl'],
    error: 'is needed with kind orthanc',
  })
  .prefault({});
export type CatchUpConfig = z.infer<typeof catchUpSchema>;
