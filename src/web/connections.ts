import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { SlotLimit } from '../base/slot-limit';
import { networkOf } from '../net/network';

export interface ConnectionLimits {
  /** Largest number of connections. */
  readonly most: number;
  /** Whether all connections come from a reverse proxy, so that one address may have all of them. */
  readonly isProxied: boolean;
}

/** With fewer connections the pages can't be served. */
const MIN = 8;

/** Longest times for the headers and for a whole request (milliseconds); slower clients are disconnected. */
export const REQUEST_TIMES = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 };

/**
 * Limits the connections of a server to half of the process's open files, so that a client that opens many leaves the
 * service those for archive, broker and disk. One address gets half of the connections at most.
 */
export function limitConnections(server: Server, limits: ConnectionLimits, files = openFilesLimit()): void {
  const most = Math.max(MIN, Math.min(limits.most, Math.floor(files / 2)));
  const slots = new SlotLimit({ most, each: limits.isProxied ? most : Math.ceil(most / 2) });
  server.maxConnections = most;
  server.on('connection', (socket) => {
    const release = slots.take(networkOf(socket.remoteAddress ?? ''));
    if (release === null) socket.destroy();
    else socket.once('close', release);
  });
}

/** Limit of open files of this process, from Linux. */
function openFilesLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
