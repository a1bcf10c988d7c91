import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HilumError } from '../base/errors';

const code = z.strictObject({ value: z.string().min(1), scheme: z.string().min(1), meaning: z.string().min(1) });

/** models/<id>/manifest.json: all that the service must know of a model; docs/models.md explains each key. */
export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9-]+$/),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  task: z.enum(['view', 'lungs', 'classification']),
  title: z.string().min(1).max(64),
  file: z.string().regex(/^[\w.-]+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  engine: z.enum(['onnx']),
  architecture: z.string(),
  input: z.looseObject({
    name: z.string(),
    shape: z.tuple([z.literal(1), z.literal(1), z.number().int().positive(), z.number().int().positive()]),
    region: z.enum(['film', 'lungs']),
    fill: z.number(),
    intensity: z.literal('min-max'),
    resample: z.literal('antialiased-triangle'),
    mean: z.number(),
    std: z.number().positive(),
  }),
  output: z.looseObject({ probability: z.string(), cam: z.string().nullable() }),
  classes: z.array(z.looseObject({ label: z.string(), code: code.optional() })).min(1),
  positive: z.number().int().min(0),
  operatingPoint: z.looseObject({ threshold: z.number().min(0).max(1), meaning: z.string() }),
  plausibility: z.looseObject({}).optional(),
  licence: z.string().min(1),
  intendedUse: z.string().min(1),
  limitations: z.array(z.string()),
});

export type ModelManifest = z.infer<typeof manifestSchema>;

/**
 * Reads and checks a model folder.
 * @throws HilumError MODEL_INVALID when the manifest is missing or wrong, MODEL_DIGEST_MISMATCH when the network is not the one it names.
 */
export function readModelFolder(folder: string): { manifest: ModelManifest; network: Uint8Array } {
  const manifest = readManifest(folder);
  const network = readOrThrow(join(folder, manifest.file));
  const digest = createHash('sha256').update(network).digest('hex');
  if (digest !== manifest.sha256) throw new HilumError('MODEL_DIGEST_MISMATCH', 'permanent', `${join(folder, manifest.file)} has SHA-256 ${digest}, its manifest says ${manifest.sha256}: the file was changed or damaged`);
  return { manifest, network };
}

export function readManifest(folder: string): ModelManifest {
  const path = join(folder, 'manifest.json');
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(readOrThrow(path)).toString('utf8'));
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    throw new HilumError('MODEL_INVALID', 'permanent', `${path} is not JSON`, { cause });
  }
  const parsed = manifestSchema.safeParse(raw);
  if (!parsed.success) throw new HilumError('MODEL_INVALID', 'permanent', `${path}: ${parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')}`);
  return parsed.data;
}

function readOrThrow(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HilumError('MODEL_INVALID', 'permanent', `${path} can't be read`, { cause });
  }
}
