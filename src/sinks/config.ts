import { z } from 'zod';
import { millis } from '../base/schema';
import { auth, tls } from '../net/config';

/** Settings that the blocks of several sinks share. */

export const enabled = z.boolean().default(false).describe('Whether results are delivered there');
export const httpUrl = (text: string) =>
  z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(text);
export const httpShape = {
  auth,
  tls,
  connectTimeoutMs: millis(10_000, 'Longest wait for a connection'),
  responseTimeoutMs: millis(30_000, 'Longest wait for an answer'),
};
export const when = z.enum(['urgent', 'all']).default('urgent').describe('Which results are told');
