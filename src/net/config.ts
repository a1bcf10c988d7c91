import { z } from 'zod';

/** Parts of the configuration that several sections have. */

export const millis = (byDefault: number, text: string) =>
  z.number().int().positive().default(byDefault).describe(`${text} (milliseconds)`);
export const file = (text: string) =>
  z.string().min(1).optional().describe(`${text} (path, relative to the configuration file)`);

export const tlsShape = {
  caFile: file('Certificate authorities to trust, PEM'),
  certFile: file('Client certificate, PEM'),
  keyFile: file("Client certificate's key, PEM"),
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
