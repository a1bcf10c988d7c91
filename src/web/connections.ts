import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { Shares } from '../base/shares';
import { networkOf } from '../net/network';

export interface ConnectionLimits {
  /** Connections at a time. */
  readonly most: number;
  /** Whether all come from a reverse proxy, so that one address may have all of them. */
  readonly isProxied: boolean;
}

/** Below this the pages themselves can't be served. */
const LEAST = 8;

/** A request is short: who sends one more slowly is not waited for (milliseconds). */
export const REQUEST_TIMES = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 };

/**
 * Bounds the connections that a server takes, so that whoever opens many, and sends nothing, leaves the service the
 * files that it needs for archive, broker and disk: half of them. One address has half of the connections at most.
 */
export function limitConnections(server: Server, limits: ConnectionLimits, files = openFilesLimit()): void {
  const most = Math.max(LEAST, Math.min(limits.most, Math.floor(files / 2)));
  const shares = new Shares({ most, each: limits.isProxied ? most : Math.ceil(most / 2) });
  server.maxConnections = most;
  server.on('connection', (socket) => {
    const release = shares.take(networkOf(socket.remoteAddress ?? ''));
    if (release === null) socket.destroy();
    else socket.once('close', release);
  });
}

/** Files that this process may open, as Linux tells it. */
function openFilesLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
