import type { Config } from '../config/config';
import { SINK_NAMES, type SinkName } from '../events/sink-names';
import { mllpClient } from '../hl7/mllp';
import { fhirServer } from '../sinks/fhir/client';
import { fhirSink } from '../sinks/fhir/sink';
import { hl7Sink } from '../sinks/hl7/sink';
import type { Sink } from '../sinks/sink';
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

/** For the broker: whose queues are to be there, and whose may be left from before. */
export function sinkQueuesOf(config: Config): { sinks: readonly string[]; knownSinks: readonly string[] } {
  return { sinks: sinksOn(config), knownSinks: SINK_NAMES };
}

/**
 * The sinks of other systems that are switched on; none has connected yet. @throws HilumError CONFIG_INVALID for
 * unreadable TLS files.
 */
export function openSinks(config: Config): Sink[] {
  return Object.values(OPENERS).flatMap((open) => open(config) ?? []);
}
