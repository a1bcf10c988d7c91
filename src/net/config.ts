import { isIP } from 'node:net';
import { z } from 'zod';
import { path } from '../base/schema';

/** Connection settings that several sections share. */

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

/** An IP address, or a network in CIDR notation. */
export const networkAddress = z.string().refine((text) => {
  const [address = '', bits, ...more] = text.split('/');
  return (
    more.length === 0 &&
    isIP(address) !== 0 &&
    (bits === undefined ||
      (/^\d+$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (isIP(address) === 4 ? 32 : 128)))
  );
}, 'is an address, or a network such as 10.1.2.0/24');

export const auth = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('basic'), username: z.string().min(1), password: z.string() }),
    z.strictObject({ kind: z.literal('bearer'), token: z.string().min(1) }),
  ])
  .default({ kind: 'none' })
  .describe('How Hilum signs in: {kind: none}, {kind: basic, username, password} or {kind: bearer, token}');
