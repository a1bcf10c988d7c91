import { hostname } from 'node:os';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { OpenedTracing } from '../tracing/open';
import { VERSION } from './installed';

/**
 * Opens tracing; null where it is off: then no part of OpenTelemetry is loaded, which takes up to half a second.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files
 */
export async function openTracing({ tracing, roles }: Config, log: Log): Promise<OpenedTracing | null> {
  if (!tracing.enabled) return null;
  const { startTracing } = await import('../tracing/open.js');
  return startTracing(tracing, { version: VERSION, hostname: hostname(), pid: process.pid, roles }, log);
}
