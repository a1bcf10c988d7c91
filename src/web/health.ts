import type { Express } from 'express';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import { HilumError, messageOf } from '../base/errors';
import { listenError } from '../net/listen-error';
import type { Access } from './access/access';
import { open } from './access/user';
import { type ConnectionLimits, limitConnections, REQUEST_TIMES } from './connections';

/** A check of something that the service needs. */
export interface Check {
  readonly name: string;
  /** Resolves to null when all is well, else to one plain sentence. */
  readonly look: () => Promise<string | null>;
}

/**
 * A check whose result is reused for `ms` milliseconds, and that runs once for all who ask meanwhile: anybody may ask
 * for readiness, as often as they like.
 */
export function remembered({ name, look }: Check, ms: number, now = () => performance.now()): Check {
  let last: { readonly answer: Promise<string | null>; until: number } | null = null;
  const again = () => {
    const asked = { answer: look().catch(messageOf), until: Infinity };
    void asked.answer.then(() => (asked.until = now() + ms));
    return asked;
  };
  return {
    name,
    look: () => {
      if (last === null || now() >= last.until) last = again();
      return last.answer;
    },
  };
}

/** Response of GET /metrics. */
export interface Scrape {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * GET /health/live: 200 while the process answers. GET /health/ready: 200 when every check is well, else 503; the body
 * has each check for users who may see it. GET /metrics: Prometheus' text format.
 */
export function addHealth(
  app: Express,
  access: Pick<Access, 'maySeeDetails' | 'forMachines'>,
  checks: readonly Check[],
  metrics: Scrape,
): void {
  app.get('/health/live', open, (_request, response) => {
    response.json({ live: true });
  });
  app.get('/health/ready', open, async (request, response) => {
    const results = await Promise.all(
      checks.map(async ({ name, look }) => ({ name, problem: await look().catch(messageOf) })),
    );
    const ready = results.every(({ problem }) => problem === null);
    const details = access.maySeeDetails(request)
      ? { checks: Object.fromEntries(results.map(({ name, problem }) => [name, problem ?? 'ok'])) }
      : {};
    response.status(ready ? 200 : 503).json({ ready, ...details });
  });
  app.get('/metrics', access.forMachines, async (_request, response) => {
    const text = await metrics.text();
    response.set('Content-Type', metrics.contentType).send(text);
  });
}

export interface TlsPair {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Listens, with TLS 1.2 or newer where there is a certificate. `port` 0 takes a free one; resolves to the port. `renew`
 * reloads the certificate for new connections.
 * @throws HilumError CONFIG_INVALID when certificate or key can't be used, LISTEN_FAILED when address or port can't
 */
export async function listen(
  app: Express,
  host: string,
  port: number,
  tls?: TlsPair,
  limits: ConnectionLimits = { most: Infinity, isProxied: false },
): Promise<{ port: number; renew(): void; close(): Promise<void> }> {
  const secure = tls && createHttpsServer({ ...readPair(tls), ...REQUEST_TIMES, minVersion: 'TLSv1.2' }, app);
  const server: Server = secure ?? createHttpServer(REQUEST_TIMES, app);
  limitConnections(server, limits);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(host, port, cause)));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    renew: () => tls && secure?.setSecureContext({ ...readPair(tls), minVersion: 'TLSv1.2' }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function readPair({ certFile, keyFile }: TlsPair): { cert: Buffer; key: Buffer } {
  try {
    const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new HilumError(
      'CONFIG_INVALID',
      'permanent',
      'http.tls: certificate and key are not readable PEM files that fit each other',
      { cause },
    );
  }
}
