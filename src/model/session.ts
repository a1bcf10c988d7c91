import { join } from 'node:path';
import { HilumError } from '../base/errors';
import { type Plane, standardise } from '../imaging/plane';
import { plainFilm } from './check-inputs';
import { headsOf, type ModelManifest, outputNames, readManifest } from './manifest';
import type { Network, Output, Port } from './network';
import { openOnnx } from './onnx-engine';
import { type TfjsOptions, TfjsThread } from './tfjs-thread';

/** Answer of a network on one film. */
export interface Prediction {
  /**
   * One probability for each head (view, out-of-distribution check, classification) or for each pixel (lungs), 0..1.
   */
  readonly probability: Float32Array;
  /**
   * Class activation maps at the resolution of the last convolution, before ReLU: for each head, one for each region;
   * null where the model has none. A head's logit is its bias plus the means of its maps.
   */
  readonly cams: readonly (readonly Plane[])[] | null;
  /** Probability of each of the manifest's `answers`, 0..1; absent where it names none. */
  readonly answers?: Float32Array;
}

/** A loaded model: manifest and network. Nothing outside of `model/` knows the engine. */
export interface Model {
  readonly manifest: ModelManifest;
  /**
   * @param normalised N of each region (0..1) at the manifest's input size, in its order; mean and std of the manifest
   * are applied here
   */
  predict(...normalised: readonly Plane[]): Promise<Prediction>;
}

/** A model with its network, for callers that examine or close it. */
export interface OpenedModel extends Model {
  readonly network: Network;
}

/** @throws HilumError MODEL_INVALID, MODEL_DIGEST_MISMATCH or ENGINE_UNAVAILABLE */
export async function openModel(dir: string, id: string, threads = 0, options: TfjsOptions = {}): Promise<OpenedModel> {
  const folder = join(dir, id);
  const manifest = readManifest(folder);
  const network = await openNetwork(folder, manifest, threads, options);
  try {
    const model = guarded(modelOf(manifest, network));
    await refuseUnfit(model);
    return model;
  } catch (error) {
    await network.close();
    throw error;
  }
}

/** Checks once at the start what would otherwise fail with each film. @throws HilumError MODEL_INVALID */
async function refuseUnfit(model: OpenedModel): Promise<void> {
  const { manifest, network } = model;
  const [problem] = portProblems(manifest, network);
  if (problem !== undefined) throw new HilumError('MODEL_INVALID', 'permanent', `${manifest.id}: ${problem.text}`);
  // Outputs, and operators missing in TensorFlow.js, show only in a run.
  await model.predict(...plainFilm(manifest)).catch((cause: unknown) => {
    throw cause instanceof HilumError
      ? cause
      : new HilumError('MODEL_INVALID', 'permanent', `${manifest.id}: the engine can't run the network`, { cause });
  });
}

/**
 * Refuses outputs that are no probabilities: values of two classes, logits, NaN. `predict` then throws HilumError
 * MODEL_INVALID.
 */
export function guarded(model: OpenedModel): OpenedModel {
  const { manifest } = model;
  return {
    ...model,
    async predict(...normalised) {
      const prediction = await model.predict(...normalised);
      const problem = problemOf(prediction, manifest);
      if (problem !== null)
        throw new HilumError(
          'MODEL_INVALID',
          'permanent',
          `${manifest.id}: ${problem}; "hilum models check" looks closer`,
        );
      return prediction;
    },
  };
}

function problemOf({ probability, cams, answers }: Prediction, manifest: ModelManifest): string | null {
  const wanted = probabilitiesOf(manifest);
  if (probability.length !== wanted)
    return (
      `the network gives ${probability.length} values for a film as ${manifest.output.probability}, ${wanted} are ` +
      `wanted for the task ${manifest.task}`
    );
  if (answers !== undefined && answers.length !== manifest.answers?.length)
    return `the network gives ${answers.length} values as ${manifest.output.answers}, not one for each of answers`;
  for (const [name, values] of [
    [manifest.output.probability, probability],
    [manifest.output.answers, answers ?? []],
  ] as const) {
    const outside = values.find((p) => !(p >= 0 && p <= 1));
    if (outside !== undefined) return `the network gives ${outside} as ${name}, which is no probability (0 to 1)`;
  }
  return cams === null || cams.flat().every(({ values }) => values.every((value) => Number.isFinite(value)))
    ? null
    : `the network's ${manifest.output.cam} is not finite`;
}

/** Number of probabilities for a film: one for each head, or one for each pixel. */
export function probabilitiesOf(manifest: ModelManifest): number {
  const [, , rows, columns] = manifest.input.shape;
  return manifest.task === 'lungs' ? rows * columns : headsOf(manifest).length;
}

/** Opens the network of a model folder in the engine that its manifest names. */
export function openNetwork(
  folder: string,
  manifest: ModelManifest,
  threads = 0,
  options: TfjsOptions = {},
): Promise<Network> {
  switch (manifest.engine) {
    case 'onnx':
      return openOnnx(folder, threads);
    case 'tfjs':
      return TfjsThread.open(folder, options);
  }
}

export function modelOf(manifest: ModelManifest, network: Network): OpenedModel {
  const [, planes, rows, columns] = manifest.input.shape;
  return {
    manifest,
    network,
    async predict(...normalised) {
      const wrong = normalised.find((plane) => plane.rows !== rows || plane.columns !== columns);
      if (wrong !== undefined)
        throw new RangeError(`${manifest.id} takes ${rows} x ${columns}, not ${wrong.rows} x ${wrong.columns}`);
      if (normalised.length !== planes)
        throw new RangeError(`${manifest.id} takes ${planes} regions of a film, not ${normalised.length}`);
      const outputs = await network.run(standardised(normalised, manifest));
      const { probability, cam, answers } = manifest.output;
      return {
        probability: named(outputs, probability).values,
        cams: cam === null ? null : maps(cam, named(outputs, cam), planes, headsOf(manifest).length),
        ...(answers === undefined ? {} : { answers: named(outputs, answers).values }),
      };
    },
  };
}

/** Planes standardised and joined in one array. */
function standardised(planes: readonly Plane[], { input: { mean, std } }: ModelManifest): Float32Array {
  const all = planes.map((plane) => standardise(plane, mean, std));
  if (all.length === 1) return all[0]!;
  const joined = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const values of all) {
    joined.set(values, end);
    end += values.length;
  }
  return joined;
}

/**
 * Problems where the manifest's input and outputs differ from the network's. A size that the network leaves open fits
 * any.
 */
export function portProblems(
  manifest: ModelManifest,
  { inputs, outputs }: Network,
): { side: 'input' | 'output'; text: string }[] {
  const [, planes, rows, columns] = manifest.input.shape;
  const missing = (side: 'input' | 'output', ports: readonly Port[], names: readonly string[]) =>
    names
      .filter((name) => !ports.some((port) => port.name === name))
      .map((name) => ({
        side,
        text: `the network has no ${side} named ${name}, but ${ports.map((port) => port.name).join(', ')}`,
      }));
  const layouts = [
    [1, planes, rows, columns],
    [1, rows, columns, planes],
  ];
  const fits = ({ shape }: Port) =>
    layouts
      .slice(0, manifest.engine === 'onnx' ? 1 : 2)
      .some(
        (layout) => layout.length === shape.length && layout.every((size, i) => shape[i] === null || shape[i] === size),
      );
  const [input] = inputs;
  const wrongShape =
    input !== undefined && !fits(input)
      ? [
          {
            side: 'input' as const,
            text:
              `the network's input is [${input.shape.map((size) => size ?? '?').join(', ')}], not ` +
              `${filmsOf(planes)} of ${rows} x ${columns}`,
          },
        ]
      : [];
  const tooMany =
    inputs.length > 1
      ? [{ side: 'input' as const, text: `the network takes ${inputs.length} inputs, not one film` }]
      : [];
  return [
    ...missing('input', inputs, [manifest.input.name]),
    ...tooMany,
    ...wrongShape,
    ...missing('output', outputs, outputNames(manifest)),
  ];
}

function named(outputs: ReadonlyMap<string, Output>, name: string): Output {
  const output = outputs.get(name);
  if (output === undefined) throw new HilumError('MODEL_INVALID', 'permanent', `the model has no output named ${name}`);
  return output;
}

/** A number of films in words. */
export const filmsOf = (planes: number): string =>
  planes === 1 ? 'one grey film' : `${planes} grey regions of a film`;

/** Maps by head and region, from an output of shape [regions, heads, rows, columns]. */
function maps(name: string, output: Output, regions: number, heads: number): Plane[][] {
  if (regions === 1 && heads === 1) return [[plane(name, output)]];
  const [first, second, rows = 0, columns = 0, ...more] = output.shape;
  const area = rows * columns;
  if (first !== regions || second !== heads || more.length > 0 || area * regions * heads !== output.values.length)
    throw noMap(name, output, `of ${regions} x ${heads} maps`);
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: regions }, (__, region) => {
      const start = (region * heads + head) * area;
      return { rows, columns, values: output.values.slice(start, start + area) };
    }),
  );
}

/** A map of one film: [rows, columns] with a batch of 1, and a channel of 1 before (ONNX) or after it (TensorFlow). */
function plane(name: string, output: Output): Plane {
  const { shape, values } = output;
  const sizes = shape.length > 2 ? shape.slice(1) : shape;
  const [rows, columns, ...more] = sizes.length === 3 && sizes[0] === 1 && sizes[2] !== 1 ? sizes.slice(1) : sizes;
  if (
    rows === undefined ||
    columns === undefined ||
    rows * columns !== values.length ||
    more.some((size) => size !== 1)
  )
    throw noMap(name, output, 'of one film');
  return { rows, columns, values };
}

function noMap(name: string, { shape }: Output, wanted: string): HilumError {
  return new HilumError(
    'MODEL_INVALID',
    'permanent',
    `the model's output ${name} is no map ${wanted}: its shape is [${shape.join(', ')}]`,
  );
}
