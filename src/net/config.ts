import { z } from 'zod';
import { path } from '../base/schema';

/** Settings of a connection that several sections have. */

export const tlsFiles = {
  caFile: path('Certificate authorities to trust, PEM').optional(),
  certFile: path('Client certificate, PEM').optional(),
  keyFile: path("Client certificate's key, PEM").optional(),
};
export const tlsShape = {
  ...tlsFiles,
  rejectUnauthorized: z.boolean().default(true).describe('false accepts any certificate: for a first trial only'),
};
export const tls = z.strictObject(tlsShape).prefault({});

export const auth = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('basic'), username: z.string().min(1), password: z.string() }),
    z.strictObject({ kind: z.literal('bearer'), token: z.string().min(1) }),
  ])
  .default({ kind: 'none' })
  .describe('How Hilum signs in: {kind: none}, {kind: basic, username, password} or {kind: bearer, token}');
