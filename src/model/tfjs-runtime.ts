import type * as Converter from '@tensorflow/tfjs-converter';
import type * as Core from '@tensorflow/tfjs-core';
import { HilumError } from '../base/errors';
import { type ModelFolder, outputNames } from './manifest';
import type { Output, Port } from './network';

/**
 * An installed TensorFlow.js: the packages with a native library are complete, otherwise core, converter and the WASM
 * backend are combined.
 */
export interface TfjsRuntime {
  readonly tf: Pick<typeof Core, 'tensor4d' | 'tidy' | 'memory' | 'getBackend'>;
  readonly loadGraphModel: typeof Converter.loadGraphModel;
  /** Engine and its version. */
  readonly engine: string;
}

type Load = (name: string) => unknown;

const NATIVE = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;
const CORE = '@tensorflow/tfjs-core';
const CONVERTER = '@tensorflow/tfjs-converter';
const WASM = '@tensorflow/tfjs-backend-wasm';
const VERSION = '4.22.0';
/**
 * Not in node_modules itself: npm would install all development packages too, or with --omit=dev none, as these are
 * among them.
 */
const INSTALL = 'npm install --prefix dist --no-save --no-package-lock';

/**
 * Loads the first that is installed: tfjs-node-gpu, tfjs-node, else the WASM backend. One that is installed and does
 * not load is an error, because the next one would be many times slower without a reason that anybody sees.
 * @throws HilumError ENGINE_UNAVAILABLE
 */
export async function findRuntime(load: Load): Promise<TfjsRuntime> {
  for (const name of NATIVE) {
    const tf = loadIfInstalled(load, name) as (typeof Core & typeof Converter) | null;
    if (tf !== null) {
      await tf.ready();
      return { tf, loadGraphModel: tf.loadGraphModel, engine: `${name} ${versionOf(load, name)}` };
    }
  }
  const [tf, converter, wasm] = [CORE, CONVERTER, WASM].map((name) => loadIfInstalled(load, name)) as [
    typeof Core | null,
    typeof Converter | null,
    object | null,
  ];
  if (tf === null || converter === null || wasm === null)
    throw new HilumError(
      'ENGINE_UNAVAILABLE',
      'permanent',
      `a TensorFlow.js model needs packages that are not installed; in Hilum's folder: ${INSTALL} ` +
        `${[CORE, CONVERTER, WASM].map((name) => `${name}@${VERSION}`).join(' ')} (or @tensorflow/tfjs-node, or ` +
        '-node-gpu)',
    );
  // The backend finds its .wasm files in its own package.
  if (!(await tf.setBackend('wasm')))
    throw new HilumError('ENGINE_UNAVAILABLE', 'permanent', `${WASM} is installed and does not start`);
  return { tf, loadGraphModel: converter.loadGraphModel, engine: `${WASM} ${versionOf(load, WASM)}` };
}

function loadIfInstalled(load: Load, name: string): unknown {
  try {
    return load(name);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)) return null;
    throw new HilumError(
      'ENGINE_UNAVAILABLE',
      'permanent',
      `${name} is installed and does not load: mend or remove it`,
      { cause },
    );
  }
}

function versionOf(load: Load, name: string): string {
  return (load(`${name}/package.json`) as { version: string }).version;
}

/** A graph model in memory; one film at a time. */
export interface TfjsModel {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  run(input: Float32Array): [name: string, output: Output][];
}

/** @throws HilumError MODEL_INVALID */
export async function openGraph(folder: ModelFolder, { tf, loadGraphModel }: TfjsRuntime): Promise<TfjsModel> {
  const { manifest } = folder;
  const { model, json } = await load(folder, loadGraphModel);
  const inputs = json.signature?.inputs
    ? ports(json.signature.inputs)
    : model.inputs.map(({ name, shape }) => ({ name, shape: shape ?? [] }));
  const outputs = json.signature?.outputs
    ? ports(json.signature.outputs)
    : model.outputs.map(({ name, shape }) => ({ name, shape: shape ?? [] }));
  const names = outputNames(manifest);
  const shape = layout(
    inputs.find(({ name }) => name === manifest.input.name),
    manifest.input.shape,
  );
  const run = (input: Float32Array) => {
    let read: [string, Output][] = [];
    tf.tidy(() => {
      const given = model.execute(
        { [manifest.input.name]: tf.tensor4d(ordered(input, shape, manifest.input.shape), shape) },
        names,
      );
      read = (Array.isArray(given) ? given : [given]).map((tensor, i) => [
        names[i]!,
        { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) },
      ]);
    });
    return read;
  };
  return { inputs, outputs, run };
}

/** A function of its own, so that the files' bytes are freed when it returns. */
async function load(
  { manifest, network, shards }: ModelFolder,
  loadGraphModel: TfjsRuntime['loadGraphModel'],
): Promise<{ model: Converter.GraphModel; json: GraphJson }> {
  const json = JSON.parse(Buffer.from(network).toString('utf8')) as GraphJson;
  if (json.format !== 'graph-model')
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${manifest.id} is a TensorFlow.js ${json.format ?? 'model without a format'}, not a graph model: convert ` +
        'it with --output_format=tfjs_graph_model',
    );
  try {
    return { json, model: await loadGraphModel({ load: async () => artifacts(json, shards) }) };
  } catch (cause) {
    throw new HilumError('MODEL_INVALID', 'permanent', `the engine can't load the model ${manifest.id}`, { cause });
  }
}

interface SignatureEntry {
  readonly tensorShape?: { readonly dim?: readonly { readonly size?: string | number }[] };
}

interface GraphJson {
  readonly format?: string;
  readonly modelTopology: object;
  readonly signature?: {
    readonly inputs?: Record<string, SignatureEntry>;
    readonly outputs?: Record<string, SignatureEntry>;
  };
  readonly weightsManifest: { readonly paths: string[]; readonly weights: Core.io.WeightsManifestEntry[] }[];
}

function artifacts(
  { format, modelTopology, signature, weightsManifest }: GraphJson,
  shards: ReadonlyMap<string, Uint8Array>,
): Core.io.ModelArtifacts {
  const weights = [...shards.values()];
  const joined = new Uint8Array(weights.reduce((sum, { byteLength }) => sum + byteLength, 0));
  weights.reduce((at, part) => (joined.set(part, at), at + part.byteLength), 0);
  return {
    format: format!,
    modelTopology,
    ...(signature ? { signature } : {}),
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: joined.buffer,
  };
}

function ports(entries: Record<string, SignatureEntry>): Port[] {
  return Object.entries(entries).map(([name, { tensorShape }]) => ({
    name,
    shape: (tensorShape?.dim ?? []).map(({ size }) => (Number(size) > 0 ? Number(size) : null)),
  }));
}

/** TensorFlow most often has channels last: rows and columns before the planes. */
function layout(
  port: Port | undefined,
  [, planes, rows, columns]: readonly [1, number, number, number],
): [number, number, number, number] {
  return port?.shape[1] === planes && port.shape[3] !== planes
    ? [1, planes, rows, columns]
    : [1, rows, columns, planes];
}

/** Planes one behind the other, in the order of a TensorFlow `shape`: mixed pixel by pixel where it has them last. */
export function ordered(
  input: Float32Array,
  [, , , planes]: readonly number[],
  [, regions]: readonly number[],
): Float32Array {
  if (regions === undefined || regions === 1 || planes !== regions) return input;
  const pixels = input.length / regions;
  return input.map((_, i) => input[(i % regions) * pixels + Math.floor(i / regions)]!);
}
