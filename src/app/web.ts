import express, { type Express } from 'express';
import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import { type Access, protect } from '../web/access/access';
import { addHealth, type Check, listen, type Scrape } from '../web/health';
import type { OpenedListWeb } from './list';

/** Interval at which a renewed certificate is loaded (milliseconds). */
const RENEWAL_MS = 3_600_000;

export interface WebParts {
  readonly access: Access;
  readonly checks: readonly Check[];
  readonly metrics: Scrape;
  /** Null where this process keeps no list. */
  readonly listWeb: OpenedListWeb | null;
}

export interface OpenedWeb {
  /** Resolves to the port once it listens. */
  start(): Promise<number>;
  close(): Promise<void>;
}

/** All routes on the service's port: health, metrics and the reading list, behind `access`. */
export function webApp({
  access,
  checks,
  metrics,
  listWeb,
}: Omit<WebParts, 'listWeb'> & { readonly listWeb: Pick<OpenedListWeb, 'routes'> | null }): Express {
  return protect(access, express(), (routes) => {
    addHealth(routes, access, checks, metrics);
    if (listWeb !== null) routes.use(listWeb.routes);
  });
}

/** Listens on the port and starts the background work of `access`. */
export function openWeb({ http }: Config, parts: WebParts, log: Log): OpenedWeb {
  let server: Awaited<ReturnType<typeof listen>> | undefined;
  let renewal: NodeJS.Timeout | undefined;
  return {
    async start() {
      server = await listen(webApp(parts), http.host, http.port, http.tls, {
        most: http.maxConnections,
        isProxied: http.trustedProxies.length > 0,
      });
      await parts.access.begin();
      renewal = setInterval(() => renewCertificate(server, log), RENEWAL_MS).unref();
      return server.port;
    },
    async close() {
      clearInterval(renewal);
      await parts.listWeb?.close();
      await server?.close();
    },
  };
}

function renewCertificate(server: { renew(): void } | undefined, log: Log): void {
  try {
    server?.renew();
  } catch (error) {
    log.error(
      { event: 'http.certificate-unusable', code: error instanceof HilumError ? error.code : undefined },
      'the new certificate can not be used; the old one stays',
    );
  }
}
