import { join } from 'node:path';
import './no-telemetry';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { HilumError } from '../base/errors';
import { readModelFolder, type ModelManifest } from './manifest';
import { standardise, type Plane } from './tensor';

/** What a network says of one film. */
export interface Prediction {
  /** One probability (view, classification) or one per pixel (lungs), 0..1. */
  readonly probability: Float32Array;
  /** Class activation of the positive class at the last convolution's resolution, before ReLU; null where the model has none. */
  readonly cam: Plane | null;
}

/** A loaded model: a manifest and a way to run it. Engines fit this by shape; nothing outside `model/` knows which one runs. */
export interface Model {
  readonly manifest: ModelManifest;
  /** @param normalised N of the film (0..1) at the manifest's input size; the manifest's mean and std are applied here. */
  predict(normalised: Plane): Promise<Prediction>;
}

/** @throws HilumError MODEL_INVALID or MODEL_DIGEST_MISMATCH. */
export async function openModel(dir: string, id: string, threads = 0): Promise<Model> {
  const { manifest, network } = readModelFolder(join(dir, id));
  const session = await openSession(id, network, threads);
  const [, , rows, columns] = manifest.input.shape;
  return {
    manifest,
    async predict(normalised) {
      if (normalised.rows !== rows || normalised.columns !== columns) throw new RangeError(`${id} takes ${rows} x ${columns}, not ${normalised.rows} x ${normalised.columns}`);
      const input = new Tensor('float32', standardise(normalised, manifest.input.mean, manifest.input.std), [1, 1, rows, columns]);
      const outputs = await session.run({ [manifest.input.name]: input });
      return { probability: floats(outputs, manifest.output.probability).values, cam: manifest.output.cam === null ? null : floats(outputs, manifest.output.cam) };
    },
  };
}

async function openSession(id: string, network: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    // The weights are stored as 8-bit and expanded by Cast and Mul: full optimisation folds them into float constants once, at load.
    return await InferenceSession.create(network, { graphOptimizationLevel: 'all', logSeverityLevel: 3, ...(threads > 0 ? { intraOpNumThreads: threads } : {}) });
  } catch (cause) {
    throw new HilumError('MODEL_INVALID', 'permanent', `the engine can't load the model ${id}`, { cause });
  }
}

function floats(outputs: InferenceSession.OnnxValueMapType, name: string): Plane {
  const tensor = outputs[name];
  if (!(tensor?.data instanceof Float32Array)) throw new HilumError('MODEL_INVALID', 'permanent', `the model has no float output named ${name}`);
  const [rows = 1, columns = 1] = tensor.dims.slice(-2);
  return { rows, columns, values: tensor.data };
}
