import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HilumError } from '../base/errors';

/** As long as Code Value and Coding Scheme Designator (SH) and Code Meaning (LO) may be, PS3.5 section 6.2. */
const code = z.strictObject({
  value: z.string().min(1).max(16),
  scheme: z.string().min(1).max(16),
  meaning: z.string().min(1).max(64),
});

/** models/<id>/manifest.json: all that the service must know of a model; docs/models.md explains each key. */
export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9-]+$/),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  task: z.enum(['view', 'gate', 'lungs', 'classification']),
  title: z.string().min(1).max(64),
  file: z.string().regex(/^[\w.-]+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  engine: z.enum(['onnx', 'tfjs']),
  architecture: z.string(),
  input: z.looseObject({
    name: z.string(),
    shape: z.tuple([z.literal(1), z.literal(1), z.number().int().positive(), z.number().int().positive()]),
    region: z.enum(['film', 'lungs', 'removed']),
    fill: z.number(),
    intensity: z.literal('min-max'),
    resample: z.literal('antialiased-triangle'),
    /** Only so that another one is refused instead of being overlooked. */
    range: z.tuple([z.literal(0), z.literal(1)]).optional(),
    mean: z.number(),
    std: z.number().positive(),
  }),
  output: z.looseObject({ probability: z.string(), cam: z.string().nullable() }),
  classes: z.array(z.looseObject({ label: z.string().min(1).max(64), code: code.optional() })).min(1),
  positive: z.number().int().min(0),
  operatingPoint: z.looseObject({ threshold: z.number().min(0).max(1), meaning: z.string() }),
  /** Thresholds for chosen sensitivities, measured on the validation split. */
  operatingPoints: z
    .array(
      z.looseObject({
        sensitivity: z.number().min(0).max(1),
        threshold: z.number().min(0).max(1),
        specificity: z.number().min(0).max(1),
      }),
    )
    .optional(),
  plausibility: z.looseObject({}).optional(),
  reference: z.looseObject({}).optional(),
  licence: z.string().min(1),
  intendedUse: z.string().min(1),
  limitations: z.array(z.string()),
});

export type ModelManifest = z.infer<typeof manifestSchema>;

export interface ModelFolder {
  readonly manifest: ModelManifest;
  /** The manifest's `file`. */
  readonly network: Uint8Array;
  /**
   * Weights that lie in files of their own, by name, in the order that the network names them (TensorFlow.js); none for
   * ONNX.
   */
  readonly shards: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads and checks a model folder.
 * @throws HilumError MODEL_INVALID when the manifest is missing or wrong, MODEL_DIGEST_MISMATCH when the network is not
 * the one it names.
 */
export function readModelFolder(folder: string): ModelFolder {
  const manifest = readManifest(folder);
  const network = readOrThrow(join(folder, manifest.file));
  const shards =
    manifest.engine === 'tfjs'
      ? readShards(folder, join(folder, manifest.file), network)
      : new Map<string, Uint8Array>();
  const digest = digestOf(manifest.file, network, shards);
  if (digest !== manifest.sha256)
    throw new HilumError(
      'MODEL_DIGEST_MISMATCH',
      'permanent',
      `${join(folder, manifest.file)} has SHA-256 ${digest}, its manifest says ${manifest.sha256}: the file was ` +
        'changed or damaged',
    );
  return { manifest, network, shards };
}

/** The outputs that a run has to give. */
export function outputNames({ output: { probability, cam } }: ModelManifest): string[] {
  return cam === null ? [probability] : [probability, cam];
}

/**
 * SHA-256 of the network's file; with shards, of the list of digests that `LC_ALL=C sha256sum model.json *.bin` prints:
 * the network first, then the shards by name.
 */
export function digestOf(file: string, network: Uint8Array, shards: ReadonlyMap<string, Uint8Array>): string {
  if (shards.size === 0) return sha256(network);
  const names = [...shards.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = [[file, network] as const, ...names.map((name) => [name, shards.get(name)!] as const)].map(
    ([name, bytes]) => `${sha256(bytes)}  ${name}\n`,
  );
  return sha256(Buffer.from(lines.join('')));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Plain names only: a model stays inside its folder. */
const weightsSchema = z.looseObject({
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string().regex(/^[\w-][\w.-]*$/)).min(1) })).min(1),
});

function readShards(folder: string, path: string, network: Uint8Array): Map<string, Uint8Array> {
  const parsed = weightsSchema.safeParse(parseJson(path, network));
  if (!parsed.success)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${path} is no TensorFlow.js model with weights beside it: ${problemsOf(parsed.error).join('; ')}`,
    );
  return new Map(
    parsed.data.weightsManifest.flatMap(({ paths }) => paths).map((name) => [name, readOrThrow(join(folder, name))]),
  );
}

export function readManifest(folder: string): ModelManifest {
  const { manifest, problems } = inspectManifest(folder);
  if (manifest === null)
    throw new HilumError('MODEL_INVALID', 'permanent', `${join(folder, 'manifest.json')}: ${problems.join('; ')}`);
  return manifest;
}

/**
 * The manifest, or everything that is wrong with it. @throws HilumError MODEL_INVALID when there is none or it is no
 * JSON.
 */
export function inspectManifest(
  folder: string,
): { manifest: ModelManifest; problems: [] } | { manifest: null; problems: string[] } {
  const path = join(folder, 'manifest.json');
  const parsed = manifestSchema.safeParse(parseJson(path, readOrThrow(path)));
  return parsed.success
    ? { manifest: parsed.data, problems: [] }
    : { manifest: null, problems: problemsOf(parsed.error) };
}

/** Each with the key's place, such as `input.std`. */
export function problemsOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
}

function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new HilumError('MODEL_INVALID', 'permanent', `${path} is not JSON`, { cause });
  }
}

function readOrThrow(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HilumError('MODEL_INVALID', 'permanent', `${path} can't be read`, { cause });
  }
}
