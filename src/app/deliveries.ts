import type { Config } from '../config/config';
import { SINKS } from '../sinks/registry';
import { LIST_SINK, type Sink } from '../sinks/sink';

const on = (deliveries: Config['deliveries']) => SINKS.instances(deliveries).filter(({ enabled }) => enabled);

/**
 * The sinks of other systems that are switched on; none has connected yet. @throws HilumError CONFIG_INVALID for
 * unreadable TLS files.
 */
export function openSinks({ deliveries, archive }: Config): Sink[] {
  return on(deliveries).map((instance) => instance.open({ archiveUrl: archive.url }));
}

/** Names of all sinks that are switched on, the reading list included. */
export function sinksOn({ deliveries, list }: Config): string[] {
  return [...(list.enabled ? [LIST_SINK] : []), ...on(deliveries).map(({ name }) => name)];
}

/** Names of all sinks that may have queues: one of each kind, and those of the configuration, switched on or not. */
export function knownSinks({ deliveries }: Config): string[] {
  return [...new Set([...SINKS.names, ...SINKS.instances(deliveries).map(({ name }) => name)])];
}
