import { z } from 'zod';
import { INSTANCE_NAME, type NamedBlock, type SinkBlock, type SinkContext, type SinkEntry } from './define-sink';
import { dicom } from './dicom';
import { email } from './email';
import { fhir } from './fhir';
import { hl7 } from './hl7';
import { metadata } from './orthanc-metadata';
import { LIST_SINK, type Sink } from './sink';
import { ups } from './ups';
import { webhook } from './webhook';

/** A configured sink. */
export interface SinkInstance {
  /** The entry's key, or key and name of the block joined by a dot; used for its queue, metrics label and probe. */
  readonly name: string;
  readonly enabled: boolean;
  /** Opens the sink; nothing connects yet. @throws HilumError CONFIG_INVALID for unreadable TLS files */
  open(context: SinkContext): Sink;
}

type SchemaShape<Entries extends readonly SinkEntry[]> = {
  readonly [Entry in Entries[number] as Entry['key']]: Entry['schema'];
};
type Blocks<Entries extends readonly SinkEntry[]> = Readonly<Record<Entries[number]['key'], SinkBlock | NamedBlock[]>>;

const awayHours = z
  .number()
  .min(0)
  .max(8760)
  .default(72)
  .describe(
    'How long a delivery is tried again while its receiver, or the archive, is away: no connection, no answer in ' +
      'time, HTTP 502, 503 or 504 (hours)',
  );

/** Registry of sinks: schema, names and instances, from their entries. */
export function sinkRegistry<const Entries extends readonly SinkEntry[]>(entries: Entries) {
  const shape = Object.fromEntries(entries.map(({ key, schema }) => [key, schema])) as SchemaShape<Entries>;
  const schema = z.strictObject({ awayHours, ...shape });
  const names: readonly string[] = [LIST_SINK, ...entries.map(({ key }) => key)];
  return {
    /** Schema of `deliveries`: every key has a default. */
    schema: schema.prefault({} as z.input<typeof schema>),
    /** Names of all possible sinks, the reading list first. */
    names,
    /** Whether some configuration can have a sink of this name. */
    isName: (text: string): boolean =>
      names.includes(text) ||
      entries.some(({ key }) => text.startsWith(`${key}.`) && INSTANCE_NAME.test(text.slice(key.length + 1))),
    /** Sinks of a configuration, switched on or not. */
    instances: (deliveries: Blocks<Entries>): SinkInstance[] =>
      entries.flatMap((entry) => instancesOf(entry, deliveries[entry.key as Entries[number]['key']])),
  };
}

function instancesOf(entry: SinkEntry, blocks: SinkBlock | NamedBlock[]): SinkInstance[] {
  const instance = (name: string, block: SinkBlock): SinkInstance => ({
    name,
    enabled: block.enabled,
    open: (context) => Object.assign(entry.open(block, context), { name }),
  });
  return 'enabled' in blocks
    ? [instance(entry.key, blocks)]
    : blocks.map((block) => instance(`${entry.key}.${block.name}`, block));
}

/** All sinks. A new one is a folder beside this file and an entry here; what else it takes: CONTRIBUTING.md. */
export const SINKS = sinkRegistry([hl7, fhir, ups, metadata, dicom, webhook, email]);
