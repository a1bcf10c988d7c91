import { z } from 'zod';
import { enabled, httpShape, httpUrl, when } from '../config';

export const webhookSchema = z
  .strictObject({
    enabled,
    url: httpUrl('Where the message is posted'),
    ...httpShape,
    when,
    includePatient: z
      .boolean()
      .default(false)
      .describe('true adds patient and order to the message, which then may leave the hospital'),
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be whsec_ and at least 24 bytes in base64')
      .optional()
      .describe('Key of the signature, whsec_ and base64 (Standard Webhooks)'),
  })
  .refine(({ enabled: isOn, includePatient, url: to }) => !(isOn && includePatient && to?.startsWith('http:')), {
    path: ['url'],
    error: 'must be https where includePatient is true',
  });
