import type { DicomWebArchive } from '../archive/dicomweb';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ResultEvent } from '../events/result-event';
import type { Broker } from '../queue/broker';
import { languageOfTexts } from '../language/config';
import { triesWithin } from '../queue/retry-policy';
import { loadCurrentRecord } from '../sinks/load-record';
import { SINKS } from '../sinks/registry';
import { createRunner, type RunnerOptions } from '../sinks/runner';
import { LIST_SINK, type Sink } from '../sinks/sink';
import type { Metrics } from '../web/metrics';

const on = (deliveries: Config['deliveries']) => SINKS.instances(deliveries).filter(({ enabled }) => enabled);

/**
 * Opens the sinks for other systems that are switched on. None connects yet.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files
 */
export function openSinks({ deliveries, archive, language }: Config, log?: Log): Sink[] {
  return on(deliveries).map((instance) =>
    instance.open({
      archiveUrl: archive.url,
      log: log?.child({ sink: instance.name }),
      language: languageOfTexts(language),
    }),
  );
}

/** Names of all sinks that are switched on, the reading list included. */
export function sinksOn({ deliveries, list }: Config): string[] {
  return [...(list.enabled ? [LIST_SINK] : []), ...on(deliveries).map(({ name }) => name)];
}

/**
 * Names of all sinks that may have queues: one of each kind, and those that the configuration names, switched on or
 * not.
 */
export function knownSinks({ deliveries }: Config): string[] {
  return [...new Set([...SINKS.names, ...SINKS.instances(deliveries).map(({ name }) => name)])];
}

/**
 * For the broker: sinks whose queues must exist, whichever process consumes them, and sinks whose queues may be left
 * from before.
 */
export function sinkQueuesOf(
  config: Config,
  opened: readonly Pick<Sink, 'name'>[] = [],
): { sinks: readonly string[]; knownSinks: readonly string[] } {
  const sinks = [...new Set([...sinksOn(config), ...opened.map(({ name }) => name)])];
  return { sinks, knownSinks: knownSinks(config) };
}

/** The sinks, and what reads the record to deliver from the archive. */
export interface Deliveries {
  readonly sinks: readonly Sink[];
  readonly loadRecord: RunnerOptions['loadRecord'];
}

export interface RunningDeliveries {
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface DeliveryParts {
  readonly archive: DicomWebArchive;
  readonly broker: Broker;
  readonly metrics: Metrics;
  /** Filled here for the health routes: since when each sink's deliveries have failed (milliseconds since 1970). */
  readonly failingSince: Map<string, number>;
}

/** Consumes the queue of each sink and delivers the results. */
export function openDeliveries(
  config: Config,
  { sinks, loadRecord: own }: Pick<Deliveries, 'sinks'> & Partial<Deliveries>,
  { archive, broker, metrics, failingSince }: DeliveryParts,
  log: Log,
): RunningDeliveries {
  const studies = { delaysMs: config.broker.retryDelaysMs, limit: config.broker.retryLimit };
  const retry = { ...studies, awayLimit: triesWithin(config.deliveries.awayHours * 3_600_000, studies) };
  const recordOf = own ?? ((event: ResultEvent) => loadCurrentRecord(event, archive));
  const observer: RunnerOptions['observer'] = {
    delivery: (sink, result) => metrics.delivery(sink, result),
    verified: (sink, way, objects) => metrics.verified(sink, way, objects),
    failingSince(sink, since) {
      metrics.failingSince(sink, since);
      if (since === null) failingSince.delete(sink);
      else failingSince.set(sink, since);
    },
  };
  return {
    async start() {
      for (const sink of sinks)
        await broker.consumeSink(sink.name, createRunner({ sink, loadRecord: recordOf, retry, log, observer }));
    },
    async close() {
      for (const sink of sinks) await sink.close?.();
    },
  };
}
