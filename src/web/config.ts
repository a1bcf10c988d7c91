import { z } from 'zod';
import { path } from '../base/schema';
import { networkAddress } from '../net/config';
import { isLoopback } from '../net/network';

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
      .array(networkAddress)
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

/** Whether other machines can reach the service, by its address or through a declared proxy. */
export function isExposed({ host, trustedProxies, publicUrl }: HttpConfig): boolean {
  return (
    !isLoopback(host) ||
    trustedProxies.length > 0 ||
    (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname))
  );
}
