import { z } from 'zod';
import { enabled, httpShape, httpUrl } from '../config';

const index = (byDefault: number, what: string) =>
  z.number().int().min(1024).max(65_535).default(byDefault).describe(`Number of the metadata that holds ${what}`);

export const metadataSchema = z
  .strictObject({
    enabled,
    url: httpUrl("Orthanc's own REST API, e.g. http://orthanc:8042"),
    ...httpShape,
    priority: index(1024, 'the priority, HIGH or MEDIUM'),
    probability: index(1025, 'the greatest probability of the study'),
    written: index(1026, 'what Hilum wrote last'),
  })
  .refine(({ priority, probability, written }) => new Set([priority, probability, written]).size === 3, {
    path: ['priority'],
    error: 'priority, probability and written need three different numbers',
  });
