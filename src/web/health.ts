import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';

/** One thing that the service can't work without. */
export interface Check {
  readonly name: string;
  /** Resolves to null when well, else to one plain sentence. */
  readonly look: () => Promise<string | null>;
}

/** What GET /metrics answers. */
export interface Scrape {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * GET /health/live: 200 while the process answers. GET /health/ready: 200 when every check is well, else 503; the body names each check.
 * GET /metrics: Prometheus' text format.
 */
export function healthApp(checks: readonly Check[], metrics: Scrape): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/health/live', (_request, response) => {
    response.json({ live: true });
  });
  app.get('/health/ready', async (_request, response) => {
    const results = await Promise.all(checks.map(async ({ name, look }) => ({ name, problem: await look().catch((error: Error) => error.message) })));
    const ready = results.every(({ problem }) => problem === null);
    response.status(ready ? 200 : 503).json({ ready, checks: Object.fromEntries(results.map(({ name, problem }) => [name, problem ?? 'ok'])) });
  });
  app.get('/metrics', async (_request, response) => {
    const text = await metrics.text();
    response.set('Content-Type', metrics.contentType).send(text);
  });
  return app;
}

/** Starts to listen. `port` 0 takes a free one; the resolved value says which. */
export async function listen(app: Express, host: string, port: number): Promise<{ port: number; close(): Promise<void> }> {
  const server = await new Promise<Server>((resolve, reject) => {
    const starting = app.listen(port, host, (error?: Error) => (error ? reject(error) : resolve(starting)));
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
