import type { DicomWebArchive } from '../archive/dicomweb';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ResultEvent } from '../events/result-event';
import { SINK_NAMES, type SinkName } from '../events/sink-names';
import { mllpClient } from '../hl7/mllp';
import type { Broker } from '../queue/broker';
import { triesWithin } from '../queue/retry-policy';
import { fhirServer } from '../sinks/fhir/client';
import { fhirSink } from '../sinks/fhir/sink';
import { hl7Sink } from '../sinks/hl7/sink';
import { loadRecord } from '../sinks/load-record';
import { createRunner, type RunnerOptions } from '../sinks/runner';
import type { Sink } from '../sinks/sink';
import type { Metrics } from '../web/metrics';
import { openEmail, openMetadata, openUps, openWebhook } from './worklist-sinks';

/** How each sink of the configuration is put together, where it is switched on. */
const OPENERS: Partial<Record<SinkName, (config: Config) => Sink | null>> = {
  hl7: ({ deliveries: { hl7 } }) =>
    hl7.enabled && hl7.host !== undefined
      ? hl7Sink(mllpClient({ ...hl7, host: hl7.host, tls: hl7.tls.enabled ? hl7.tls : undefined }), hl7)
      : null,
  fhir: ({ deliveries: { fhir } }) =>
    fhir.enabled && fhir.url !== undefined ? fhirSink(fhirServer({ ...fhir, url: fhir.url }), fhir) : null,
  ups: openUps,
  metadata: openMetadata,
  webhook: openWebhook,
  email: openEmail,
};

/** Names of all sinks that are switched on, the reading list included. */
export function sinksOn({ deliveries, list }: Config): SinkName[] {
  return SINK_NAMES.filter((name) =>
    name === 'list'
      ? list.enabled
      : name in deliveries && deliveries[name as keyof Omit<Config['deliveries'], 'awayHours'>].enabled,
  );
}

/**
 * For the broker: whose queues are to be there, whichever process delivers what is in them, and whose may be left from
 * before.
 */
export function sinkQueuesOf(
  config: Config,
  opened: readonly Pick<Sink, 'name'>[] = [],
): { sinks: readonly string[]; knownSinks: readonly string[] } {
  const sinks = [...new Set([...sinksOn(config), ...opened.map(({ name }) => name)])];
  return { sinks, knownSinks: SINK_NAMES };
}

/** Where results go, and what reads from the archive the record that is told there. */
export interface Deliveries {
  readonly sinks: readonly Sink[];
  readonly loadRecord: RunnerOptions['loadRecord'];
}

export interface RunningDeliveries {
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Hands the results in the queue of each sink to it. */
export function openDeliveries(
  config: Config,
  { sinks, loadRecord: own }: Pick<Deliveries, 'sinks'> & Partial<Deliveries>,
  { archive, broker, metrics }: { archive: DicomWebArchive; broker: Broker; metrics: Metrics },
  log: Log,
): RunningDeliveries {
  const studies = { delaysMs: config.broker.retryDelaysMs, limit: config.broker.retryLimit };
  const retry = { ...studies, awayLimit: triesWithin(config.deliveries.awayHours * 3_600_000, studies) };
  const recordOf = own ?? ((event: ResultEvent) => loadRecord(event, archive));
  return {
    async start() {
      for (const sink of sinks)
        await broker.consumeSink(
          sink.name,
          createRunner({ sink, loadRecord: recordOf, retry, log, observer: metrics }),
        );
    },
    async close() {
      for (const sink of sinks) await sink.close?.();
    },
  };
}

/**
 * The sinks of other systems that are switched on; none has connected yet. @throws HilumError CONFIG_INVALID for
 * unreadable TLS files.
 */
export function openSinks(config: Config): Sink[] {
  return Object.values(OPENERS).flatMap((open) => open(config) ?? []);
}
