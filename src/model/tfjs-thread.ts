import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorOf } from '../base/thread-failure';
import type { Network, Output, Port } from './network';
import type { Reply } from './tfjs-worker';

export interface TfjsOptions {
  readonly tfjsWorkerFile?: string;
}

const NAME = 'the TensorFlow.js thread';

type Ready = Extract<Reply, { kind: 'ready' }>;

/**
 * A TensorFlow.js model in a thread of its own: the WASM backend blocks its thread, for seconds with a large network,
 * while the service has to answer the broker. One film at a time. An idle thread does not keep the process alive; a
 * lost one is replaced for the next film.
 */
export class TfjsThread implements Network {
  private worker: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private tensors = 0;
  engine = '';
  inputs: readonly Port[] = [];
  outputs: readonly Port[] = [];

  private constructor(
    private readonly folder: string,
    private readonly workerFile: string,
  ) {}

  /** @throws HilumError MODEL_INVALID, MODEL_DIGEST_MISMATCH or ENGINE_UNAVAILABLE. */
  static async open(
    folder: string,
    { tfjsWorkerFile = join(__dirname, 'tfjs-worker.js') }: TfjsOptions,
  ): Promise<TfjsThread> {
    const thread = new TfjsThread(folder, tfjsWorkerFile);
    await thread.start();
    return thread;
  }

  run(input: Float32Array): Promise<ReadonlyMap<string, Output>> {
    const turn = this.last.then(() => this.ask(input));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  heldTensors(): number {
    return this.tensors;
  }

  /** Waits for earlier requests. */
  async close(): Promise<void> {
    await this.last;
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private async ask(input: Float32Array): Promise<ReadonlyMap<string, Output>> {
    const worker = this.worker ?? (await this.start());
    worker.ref();
    try {
      const reply = await replyOf(worker, () => worker.postMessage(input));
      if (reply.kind !== 'done') throw new Error(`the TensorFlow.js thread answered "${reply.kind}" to a film`);
      this.tensors = reply.tensors;
      return new Map(reply.outputs);
    } finally {
      worker.unref();
    }
  }

  private async start(): Promise<Worker> {
    const worker = new Worker(this.workerFile, { workerData: { folder: this.folder } });
    // Errors during a film are reported by its request; an idle thread that ends is replaced.
    worker.on('error', () => {});
    worker.on('exit', () => void (this.worker === worker && (this.worker = undefined)));
    try {
      const { engine, inputs, outputs, tensors } = (await replyOf(worker, () => {})) as Ready;
      Object.assign(this, { engine, inputs, outputs, tensors });
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    worker.unref();
    this.worker = worker;
    return worker;
  }
}

/** The thread's next reply. @throws the error that the thread reports, or an Error (transient) when it has ended */
function replyOf(worker: Worker, ask: () => void): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      act();
    };
    const onMessage = (reply: Reply) =>
      settle(() => (reply.kind === 'failed' ? reject(errorOf(reply.failure, NAME)) : resolve(reply)));
    const onError = (cause: Error) => settle(() => reject(new Error('the TensorFlow.js thread ended', { cause })));
    const onExit = () => settle(() => reject(new Error('the TensorFlow.js thread ended')));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    ask();
  });
}
