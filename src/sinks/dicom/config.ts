import { z } from 'zod';
import { millis } from '../../base/schema';
import { enabled, httpShape, httpUrl } from '../config';
import { OBJECT_KINDS } from './objects';

/** Ways to verify that the peer has an object, the safest first. */
export const VERIFICATIONS = ['commitment', 'find', 'status'] as const;
export type Verification = (typeof VERIFICATIONS)[number];

export const dicomSchema = z.strictObject({
  enabled,
  url: httpUrl("Orthanc's own REST API, e.g. http://orthanc:8042: it sends the objects"),
  ...httpShape,
  modality: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, "must be a name of Orthanc's DicomModalities: letters, digits, - and _")
    .optional()
    .describe("Name of the PACS in Orthanc's DicomModalities"),
  objects: z
    .array(z.enum(OBJECT_KINDS))
    .min(1)
    .default([...OBJECT_KINDS])
    .describe(`Which objects it gets: ${OBJECT_KINDS.join(', ')}`),
  when: z.enum(['urgent', 'all']).default('all').describe('Of which results'),
  from: z
    .array(z.string().regex(/^[\x20-\x5b\x5d-\x7e]{1,16}$/, 'must be an AE title: 1 to 16 characters'))
    .default([])
    .describe('Only results of films that came to Orthanc from these AE titles; [] is all'),
  verify: z
    .enum(['auto', ...VERIFICATIONS])
    .default('auto')
    .describe(
      'How it is made sure that the PACS has an object: storage commitment, C-FIND, the status of C-STORE alone, or ' +
        'auto, the first of them that the PACS offers',
    ),
  storeTimeoutMs: millis(120_000, 'Longest wait for one C-STORE'),
  commitmentTimeoutMs: millis(60_000, 'Longest wait for the report of a storage commitment'),
});

export type DicomSettings = z.output<typeof dicomSchema>;
