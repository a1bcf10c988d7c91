import { z } from 'zod';
import type { Log } from '../base/log';
import type { Language } from '../language/say';
import type { SystemSink } from './sink';

/** What a sink may need beside its own settings. */
export interface SinkContext {
  /** DICOMweb root of the archive. */
  readonly archiveUrl: string;
  readonly log?: Log | undefined;
  /** Language of texts for people; default English. */
  readonly language?: Language;
}

/** Settings that every sink has. */
export interface SinkBlock {
  readonly enabled: boolean;
}
export type NamedBlock<Block extends SinkBlock = SinkBlock> = Block & { readonly name: string };
type BlockSchema = z.ZodObject<{ enabled: z.ZodDefault<z.ZodBoolean> }, z.core.$strict>;

/** A sink of the registry: the schema of its settings, and the function that opens it. */
export interface SinkEntry<Key extends string = string, Block extends SinkBlock = SinkBlock> {
  /** Key in `deliveries`; also the name of its queue, metrics label and probe. */
  readonly key: Key;
  /** One block, or a list of named blocks, each of which is a sink of its own. */
  readonly schema: z.ZodPrefault<z.ZodType<Block | NamedBlock<Block>[]>>;
  /**
   * @param block settings of a sink that is switched on; nothing connects yet
   * @throws HilumError CONFIG_INVALID for unreadable TLS files
   */
  open(block: Block, context: SinkContext): SystemSink;
}

interface SinkDefinition<Key extends string, Schema extends BlockSchema, Needed extends keyof z.output<Schema>> {
  readonly key: Key;
  /** Schema of one block. */
  readonly schema: Schema;
  /** Keys without a default that a sink needs when it is switched on; one that is off may lack them. */
  readonly needs: readonly (Needed & string)[];
  readonly open: (block: WithKeys<z.output<Schema>, Needed>, context: SinkContext) => SystemSink;
}
type WithKeys<Block, Needed extends keyof Block> = Block & { readonly [Key in Needed]-?: NonNullable<Block[Key]> };

/** Declares a sink for the registry. */
export function defineSink<
  const Key extends string,
  Schema extends BlockSchema,
  const Needed extends keyof z.output<Schema>,
>({ key, schema, needs, open }: SinkDefinition<Key, Schema, Needed>): SinkEntry<Key, z.output<Schema>> {
  type Block = z.output<Schema>;
  return {
    key,
    schema: oneOrList(schema.superRefine(needed(needs))) as SinkEntry<Key, Block>['schema'],
    // The schema has checked the required keys of a sink that is switched on.
    open: (block, context) => open(block as WithKeys<Block, Needed>, context),
  };
}

function needed(keys: readonly string[]) {
  return (block: SinkBlock & { readonly [key: string]: unknown }, context: z.core.$RefinementCtx) => {
    for (const key of keys)
      if (block.enabled && block[key] === undefined)
        context.addIssue({ code: 'custom', path: [key], message: 'is needed where this delivery is enabled' });
  };
}

function oneOrList(block: BlockSchema): z.ZodPrefault<z.ZodType> {
  const list = z.array(block.safeExtend({ name: instanceName })).superRefine(requireOwnNames);
  return z.union([block, list], { error: 'must be one block, or a list of blocks with a name each' }).prefault({});
}

/** Names that instances must not have: `webhook.dead` would be the dead-letter queue of `webhook`. */
const TAKEN: ReadonlySet<string> = new Set(['dead', 'retry']);

export const INSTANCE_NAME = /^[a-z0-9-]{1,24}$/;

const instanceName = z
  .string()
  .regex(INSTANCE_NAME, 'must be 1 to 24 small letters, digits and hyphens')
  .refine((name) => !TAKEN.has(name), `must not be ${[...TAKEN].join(' or ')}: queues end so`)
  .describe('Which of several this is: its queue, metrics and probe are called by key and name, divided by a dot');

function requireOwnNames(blocks: readonly NamedBlock[], context: z.core.$RefinementCtx): void {
  blocks.forEach(({ name }, index) => {
    if (blocks.findIndex((other) => other.name === name) < index)
      context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another block' });
  });
}
