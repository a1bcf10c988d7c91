import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, type ThreadFailure } from '../base/thread-failure';
import { readModelFolder } from './manifest';
import type { Output, Port } from './network';
import { findRuntime, openGraph, type TfjsModel, type TfjsRuntime } from './tfjs-runtime';

/** Messages to `tfjs-thread.ts`. First `ready`, or `failed` and the thread ends; then one reply for each film. */
export type Reply =
  | {
      readonly kind: 'ready';
      readonly engine: string;
      readonly inputs: readonly Port[];
      readonly outputs: readonly Port[];
      readonly tensors: number;
    }
  | { readonly kind: 'done'; readonly outputs: [name: string, output: Output][]; readonly tensors: number }
  | { readonly kind: 'failed'; readonly failure: ThreadFailure };

const port = parentPort;
if (port === null) throw new Error('tfjs-worker.ts is started as a thread only');

const send = (reply: Reply) => port.postMessage(reply);

/** The engine blocks this thread; the main thread goes on. */
async function serve(): Promise<void> {
  const runtime = await findRuntime(require);
  const model = await openGraph(readModelFolder((workerData as { folder: string }).folder), runtime);
  port!.on('message', (input: Float32Array) => send(answer(input, model, runtime)));
  send({
    kind: 'ready',
    engine: runtime.engine,
    inputs: model.inputs,
    outputs: model.outputs,
    tensors: runtime.tf.memory().numTensors,
  });
}

function answer(input: Float32Array, model: TfjsModel, { tf }: TfjsRuntime): Reply {
  try {
    const outputs = model.run(input);
    return { kind: 'done', outputs, tensors: tf.memory().numTensors };
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error) };
  }
}

serve().catch((error: unknown) => send({ kind: 'failed', failure: failureOf(error) }));
