import { z } from 'zod';
import { millis } from '../base/schema';
import { MINIMUM_AGE } from './subject';

export const classificationSchema = z
  .strictObject({
    threshold: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(
        "Operating point of this site: urgent at this probability or more; by default the classifier's own. " +
          '`hilum evaluate --apply-threshold` writes it',
      ),
    shortcutAudit: z
      .string()
      .min(1)
      .default('off')
      .describe(
        'Folder of a classifier trained on films without their lungs (input.region removed), which tells where ' +
          'the evidence may lie outside the lungs; or off',
      ),
    minimumAge: z
      .number()
      .min(0)
      .max(150)
      .default(MINIMUM_AGE)
      .describe('Youngest patient whose films are analysed, years; 0 for every age. An unknown age is analysed'),
  })
  .prefault({});

export const analysisSchema = z
  .strictObject({
    concurrency: z
      .union([z.literal('auto'), z.number().int().min(1).max(64)])
      .default('auto')
      .describe('Films that one process analyses at the same time, each in a thread; auto: one for each core'),
    timeoutMs: millis(
      300_000,
      'Longest time to analyse one film, before its thread is ended and the study tried again',
    ),
  })
  .prefault({});

export const decodeSchema = z
  .strictObject({
    timeoutMs: millis(30_000, 'Longest time to read or to decode one film, each tried twice'),
    jpeg2000HalfResolution: z
      .boolean()
      .default(false)
      .describe(
        'true decodes JPEG 2000 of 1024 x 1024 pixels or more at half its resolution, in a fifth of the time: ' +
          'probabilities change, by up to 0.1 on the films that were tried; the results are those of another analysis, ' +
          'with UIDs of their own',
      ),
  })
  .prefault({});

export const resultsSchema = z
  .strictObject({
    mode: z
      .enum(['live', 'shadow'])
      .default('live')
      .describe(
        'live stores results in the archive and announces them; shadow analyses everything and only notes the ' +
          'outcomes, in state.dir',
      ),
    reportClass: z
      .enum(['comprehensive-3d', 'comprehensive'])
      .default('comprehensive-3d')
      .describe(
        'SOP Class of reports: Comprehensive 3D SR (IHE AIR), or Comprehensive SR for viewers that draw only that',
      ),
    heatMap: z.boolean().default(true).describe('Heat map as a picture (Secondary Capture)'),
    segmentation: z.boolean().default(false).describe('Lungs as a Segmentation'),
    parametricMap: z.boolean().default(false).describe('Heat map in numbers (Parametric Map)'),
    presentationState: z
      .boolean()
      .default(false)
      .describe(
        'Outlines of the lungs and the hottest regions on the film itself (Grayscale Softcopy Presentation State)',
      ),
  })
  .prefault({});

export const stopTimeoutMs = millis(60_000, 'Longest wait for the film in hand when the service is asked to stop');

export const studySliceMs = millis(
  600_000,
  'How long a study is worked on before it goes to the end of the queue between two films; with its longest film ' +
    "it must stay well below the broker's consumer_timeout, 30 minutes by default",
);
