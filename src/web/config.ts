import { isIP } from 'node:net';
import { z } from 'zod';
import { path } from '../base/schema';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1', '[::1]'];

/** Whether an address or the host of a URL is this machine's own, that no other reaches. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.includes(host.toLowerCase()) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

const proxyAddress = z.string().refine((text) => {
  const [address = '', bits, ...more] = text.split('/');
  return (
    more.length === 0 &&
    isIP(address) !== 0 &&
    (bits === undefined ||
      (/^\d+$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (isIP(address) === 4 ? 32 : 128)))
  );
}, 'is an address, or a network such as 10.1.2.0/24');

export const httpSchema = z
  .strictObject({
    host: z.string().default('127.0.0.1').describe('Address that the reading list, health and metrics are served on'),
    port: z.number().int().min(0).max(65_535).default(8080).describe('Port of it; 0 takes a free one'),
    tls: z
      .strictObject({
        certFile: path('Certificate with its chain, PEM'),
        keyFile: path("The certificate's key, PEM"),
      })
      .optional()
      .describe('Own certificate: the port speaks HTTPS (TLS 1.2 or newer)'),
    trustedProxies: z
      .array(proxyAddress)
      .default([])
      .describe('Declares a reverse proxy that ends TLS: its addresses. Nobody else may connect'),
    publicUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('What people type, e.g. https://hilum.hospital.example; needed behind a proxy and for OpenID Connect'),
    maxConnections: z
      .number()
      .int()
      .min(10)
      .default(1000)
      .describe('Most connections at a time; never more than half of the files that the process may open'),
  })
  .prefault({});

export type HttpConfig = z.infer<typeof httpSchema>;

/** Whether others than this machine can reach the service: by its address, or through a proxy that is declared. */
export function isExposed({ host, trustedProxies, publicUrl }: HttpConfig): boolean {
  return (
    !isLoopback(host) ||
    trustedProxies.length > 0 ||
    (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname))
  );
}
