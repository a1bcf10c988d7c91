import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { digestOf } from '../../../src/model/manifest';

export const TFJS_WORKER = resolve(__dirname, '../threads/tfjs-worker.cjs');
const SIZE = 16;
const TINY = 'tiny-classifier';

interface Node {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Record<string, unknown>;
}

const FLOAT = { type: 'DT_FLOAT' };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const ints = (...values: number[]) => ({ list: { i: values.map(String) } });
const node = (name: string, op: string, input: readonly string[] = [], attr: Record<string, unknown> = {}): Node => ({
  name,
  op,
  input,
  attr: { T: FLOAT, ...attr },
});

const CONSTANTS: Record<string, { shape: number[]; values: number[]; dtype?: 'int32' }> = {
  minus: { shape: [], values: [-1] },
  nought: { shape: [], values: [0] },
  axes: { shape: [2], values: [1, 2], dtype: 'int32' },
  sizes: { shape: [4], values: [1, SIZE, SIZE, 1], dtype: 'int32' },
};

/**
 * cam = means of 4 x 4 pixels, logit = mean of cam, probability = sigmoid(logit): a class activation model in five
 * nodes.
 */
const NODES: readonly Node[] = [
  node('film', 'Placeholder', [], {
    dtype: FLOAT,
    shape: { shape: { dim: [1, SIZE, SIZE, 1].map((size) => ({ size: String(size) })) } },
  }),
  ...Object.entries(CONSTANTS).map(([name, { dtype }]) =>
    node(name, 'Const', [], { dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' } }),
  ),
  node('seen', 'Identity', ['film']),
  node('pooled', 'AvgPool', ['seen'], {
    ksize: ints(1, 4, 4, 1),
    strides: ints(1, 4, 4, 1),
    padding: { s: base64('VALID') },
    data_format: { s: base64('NHWC') },
  }),
  node('cam', 'Identity', ['pooled']),
  node('logit', 'Mean', ['pooled', 'axes'], { keep_dims: { b: false } }),
  node('probability', 'Sigmoid', ['logit']),
];

export interface TinyOptions {
  /** Nodes that take the place of those of the same name, or stand beside them. */
  readonly nodes?: readonly Node[];
  readonly manifest?: Record<string, unknown>;
  /** Keys of model.json. */
  readonly json?: Record<string, unknown>;
  readonly folderName?: string;
}

export { node };

/** A folder with a TensorFlow.js model in a temporary folder. */
export function tinyModel({ nodes = [], manifest = {}, json = {}, folderName = TINY }: TinyOptions = {}): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'hilum-tiny-')), folderName);
  mkdirSync(folder);
  // New nodes come first, as nodes that are replaced may take them as input.
  const added = nodes.filter(({ name }) => !NODES.some((known) => known.name === name));
  const [start, rest] = [NODES.slice(0, 6), NODES.slice(6)];
  const topology = [...start, ...added, ...rest].map((known) => nodes.find(({ name }) => name === known.name) ?? known);
  const entries = Object.entries(CONSTANTS);
  const bytes = Buffer.concat(
    entries.map(([, { values, dtype }]) =>
      Buffer.from(dtype === 'int32' ? Int32Array.from(values).buffer : Float32Array.from(values).buffer),
    ),
  );
  // Not in the order of their names, and cut within a number.
  const shards = new Map([
    ['b.bin', bytes.subarray(0, 9)],
    ['a.bin', bytes.subarray(9)],
  ]);
  const network = Buffer.from(
    JSON.stringify({
      format: 'graph-model',
      modelTopology: { node: topology, library: {}, versions: {} },
      weightsManifest: [
        {
          paths: [...shards.keys()],
          weights: entries.map(([name, { shape, dtype = 'float32' }]) => ({ name, shape, dtype })),
        },
      ],
      ...json,
    }),
  );
  writeFileSync(join(folder, 'model.json'), network);
  for (const [name, part] of shards) writeFileSync(join(folder, name), part);
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ ...tinyManifest(digestOf('model.json', network, shards)), ...manifest }),
  );
  return folder;
}

export function tinyManifest(sha256: string): Record<string, unknown> {
  return {
    schemaVersion: 1,
    id: TINY,
    version: '1.0.0',
    task: 'classification',
    title: 'Bright or dark',
    file: 'model.json',
    sha256,
    engine: 'tfjs',
    architecture: 'mean',
    input: {
      name: 'film',
      shape: [1, 1, SIZE, SIZE],
      region: 'film',
      fill: 0,
      intensity: 'min-max',
      resample: 'antialiased-triangle',
      mean: 0.5,
      std: 0.25,
    },
    output: { probability: 'probability', cam: 'cam' },
    classes: [{ label: 'dark' }, { label: 'bright', code: { value: '1', scheme: '99TEST', meaning: 'bright' } }],
    positive: 1,
    operatingPoint: { threshold: 0.5, meaning: 'bright from here on' },
    licence: 'Apache-2.0',
    intendedUse: 'tests',
    limitations: ['knows no film'],
  };
}
