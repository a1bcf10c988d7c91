import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HilumError } from '../base/errors';
import { FINDING_MODES } from '../events/finding';
import { type Region, REGIONS } from '../imaging/region';

/** Lengths of Code Value and Coding Scheme Designator (SH) and Code Meaning (LO), PS3.5 section 6.2. */
const code = z.strictObject({
  value: z.string().min(1).max(16),
  scheme: z.string().min(1).max(16),
  meaning: z.string().min(1).max(64),
});

const operatingPoint = z.looseObject({ threshold: z.number().min(0).max(1), meaning: z.string() });

/** Thresholds for chosen sensitivities, measured on the validation split. */
const operatingPoints = z
  .array(
    z.looseObject({
      sensitivity: z.number().min(0).max(1),
      threshold: z.number().min(0).max(1),
      specificity: z.number().min(0).max(1),
    }),
  )
  .optional();

/** One finding of a classifier with several: an index in its outputs. */
const headSchema = z.looseObject({
  label: z.string().min(1).max(64),
  code: code.optional(),
  operatingPoint,
  operatingPoints,
  /** `shadow`: its operating point was never validated, so that it has no consequences. */
  mode: z.enum(FINDING_MODES).default('live'),
  /** Why it is in shadow mode. */
  reason: z.string().nullable().default(null),
  limitations: z.array(z.string()).default([]),
});
export type Head = z.infer<typeof headSchema>;

/** Kinds of picture that a network for the out-of-distribution check may tell apart. */
const PICTURE_KINDS = ['frontal', 'lateral', 'other', 'inverted', 'turned', 'partial', 'unreadable'] as const;
export type PictureKind = (typeof PICTURE_KINDS)[number];

const region = z.enum(REGIONS);

/** Largest number of regions of one network. */
const MAX_REGIONS = 8;
const size = z.number().int().positive();

const fields = z.looseObject({
  schemaVersion: z.literal([1, 2]),
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
    /** One grey plane for each region. */
    shape: z.tuple([z.literal(1), size.max(MAX_REGIONS), size, size]),
    region: z.union([region, z.array(region).min(1).max(MAX_REGIONS)]),
    fill: z.number(),
    intensity: z.literal('min-max'),
    resample: z.literal('antialiased-triangle'),
    /** Accepted only to refuse any other range. */
    range: z.tuple([z.literal(0), z.literal(1)]).optional(),
    mean: z.number(),
    std: z.number().positive(),
  }),
  output: z.looseObject({ probability: z.string(), cam: z.string().nullable(), answers: z.string().optional() }),
  answers: z
    .array(z.looseObject({ name: z.enum(PICTURE_KINDS), label: z.string().min(1) }))
    .min(2)
    .optional(),
  classes: z
    .array(z.looseObject({ label: z.string().min(1).max(64), code: code.optional() }))
    .min(1)
    .optional(),
  positive: z.number().int().min(0).optional(),
  operatingPoint: operatingPoint.optional(),
  operatingPoints,
  heads: z.array(headSchema).min(1).max(32).optional(),
  plausibility: z.looseObject({}).optional(),
  reference: z.looseObject({}).optional(),
  licence: z.string().min(1),
  intendedUse: z.string().min(1),
  limitations: z.array(z.string()),
});

/** models/<id>/manifest.json: all that the service must know of a model; docs/models.md explains each key. */
export const manifestSchema = fields.superRefine((manifest, context) => {
  const { schemaVersion, heads, classes, positive, operatingPoint: point, input } = manifest;
  const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  const single = { classes, positive, operatingPoint: point };
  for (const [key, value] of Object.entries(schemaVersion === 1 ? single : { heads }))
    if (value === undefined) wrong([key], `is missing, which schemaVersion ${schemaVersion} needs`);
  for (const [key, value] of Object.entries(schemaVersion === 1 ? { heads } : single))
    if (value !== undefined) wrong([key], `is not of schemaVersion ${schemaVersion}`);
  if ((manifest.answers === undefined) !== (manifest.output.answers === undefined))
    wrong(['answers'], 'is needed beside output.answers, and that beside it');
  if (
    manifest.answers !== undefined &&
    new Set(manifest.answers.map(({ name }) => name)).size < manifest.answers.length
  )
    wrong(['answers'], 'names one twice');
  const regions = [input.region].flat().length;
  if (input.shape[1] !== regions)
    wrong(['input', 'shape'], `is for ${input.shape[1]} planes, and there are ${regions} regions`);
});

export type ModelManifest = z.infer<typeof manifestSchema>;

export interface ModelFolder {
  readonly manifest: ModelManifest;
  /** Content of the manifest's `file`. */
  readonly network: Uint8Array;
  /** Weights in files of their own (TensorFlow.js), by name, in the network's order; empty for ONNX. */
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

/** Findings of a network, in the order of its outputs. A network with one class, or without codes, has one. */
export function headsOf({
  heads,
  classes,
  positive,
  operatingPoint: point,
  operatingPoints: points,
}: ModelManifest): Head[] {
  if (heads !== undefined) return heads;
  const named = classes?.[positive ?? 0];
  return point === undefined || named === undefined
    ? []
    : [{ ...named, operatingPoint: point, operatingPoints: points, mode: 'live', reason: null, limitations: [] }];
}

/** Threshold of a network with one answer. @throws HilumError MODEL_INVALID when it has none */
export function thresholdOf(manifest: ModelManifest): number {
  const [head] = headsOf(manifest);
  if (head === undefined) throw new HilumError('MODEL_INVALID', 'permanent', `${manifest.id} has no operating point`);
  return head.operatingPoint.threshold;
}

/** Regions that a network sees, in the order of its input's planes. */
export function regionsOf({ input }: ModelManifest): Region[] {
  return [input.region].flat();
}

/** Names of the outputs that a run must return. */
export function outputNames({ output: { probability, cam, answers } }: ModelManifest): string[] {
  return [probability, ...(cam === null ? [] : [cam]), ...(answers === undefined ? [] : [answers])];
}

/**
 * SHA-256 of the network's file; with shards, of the text that `LC_ALL=C sha256sum model.json *.bin` prints: the
 * network first, then the shards by name.
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

/** File names without a path: a model stays inside of its folder. */
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

/** The manifest, or all of its problems. @throws HilumError MODEL_INVALID when there is none or it is no JSON */
export function inspectManifest(
  folder: string,
): { manifest: ModelManifest; problems: [] } | { manifest: null; problems: string[] } {
  const path = join(folder, 'manifest.json');
  const parsed = manifestSchema.safeParse(parseJson(path, readOrThrow(path)));
  return parsed.success
    ? { manifest: parsed.data, problems: [] }
    : { manifest: null, problems: problemsOf(parsed.error) };
}

/** Problems with the key's path, such as `input.std`. */
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
