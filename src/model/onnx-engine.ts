import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { HilumError } from '../base/errors';
import { type ModelManifest, outputNames, readModelFolder } from './manifest';
import type { Network, Output, Port } from './network';
import './no-telemetry';
import { hasExternalWeights } from './onnx-file';

/** @throws HilumError MODEL_INVALID or MODEL_DIGEST_MISMATCH */
export async function openOnnx(folder: string, threads: number): Promise<Network> {
  const { manifest, network } = readModelFolder(folder);
  if (hasExternalWeights(network))
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${manifest.file} of ${manifest.id} keeps its weights in a file beside it (external data), which the ` +
        'digest does not cover: save the model in one file',
    );
  const session = await openSession(manifest, network, threads);
  return {
    engine: `onnxruntime-node ${env.versions.node ?? ''}`,
    inputs: session.inputMetadata.map(port),
    outputs: session.outputMetadata.map(port),
    async run(input) {
      const results = await session.run(
        { [manifest.input.name]: new Tensor('float32', input, [...manifest.input.shape]) },
        outputNames(manifest),
      );
      return new Map(Object.entries(results).map(([name, value]) => [name, output(name, value)]));
    },
    heldTensors: () => null,
    close: () => session.release(),
  };
}

/**
 * Without this, sums in 8-bit networks overflow on x64 processors without VNNI, which changes the probabilities. With
 * VNNI it has no effect.
 */
const SAME_ON_EVERY_PROCESSOR = { session: { x64quantprecision: '1' } };

async function openSession(manifest: ModelManifest, network: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    // Weights are stored in 8 bits and expanded by Cast and Mul: full optimisation folds them into float constants
    // once, at load.
    return await InferenceSession.create(network, {
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      extra: SAME_ON_EVERY_PROCESSOR,
      ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    });
  } catch (cause) {
    throw new HilumError('MODEL_INVALID', 'permanent', `the engine can't load the model ${manifest.id}`, { cause });
  }
}

function port(metadata: InferenceSession.ValueMetadata): Port {
  return {
    name: metadata.name,
    shape: metadata.isTensor ? metadata.shape.map((size) => (typeof size === 'number' && size >= 0 ? size : null)) : [],
  };
}

function output(name: string, tensor: InferenceSession.OnnxValueMapType[string]): Output {
  if (!(tensor.data instanceof Float32Array))
    throw new HilumError('MODEL_INVALID', 'permanent', `the model's output ${name} is not float32`);
  return { shape: tensor.dims, values: tensor.data };
}
