import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { HilumError } from '../base/errors';
import { isShared } from '../base/shared-bytes';
import { errorOf } from '../base/thread-failure';
import { number } from '../dicom/attributes';
import type { Resolution } from '../dicom/codecs';
import { PixelError, undecodable } from '../dicom/pixel-error';
import type { Opened } from '../dicom/read';
import type { Size } from '../imaging/plane';
import type { Answer, DecoderSettings, Failure, Reply, Request } from './decoder-worker';
import type { FilmReader, ReadFilm } from './film-reader';
import type { FilmPicture, ReducedFilm } from './reduce';
import { transferable } from './transferable';

/** Why a thread was lost over a film. */
type ThreadLoss = 'timeout' | 'memory' | 'died';

export interface DecoderThreadOptions {
  /** Longest time for one step, reading or decoding, of one film (milliseconds). */
  readonly timeoutMs: number;
  /** Heap of the thread in MiB; pixels lie outside it and are bounded by their own limits (image-header.ts). */
  readonly heapMb?: number;
  /** Of what is analysed, where a film can be decoded at half of it; whole by default. */
  readonly resolution?: Resolution;
  /** Told of each lost thread. */
  readonly onLost?: (loss: ThreadLoss, task: Request['task']) => void;
  readonly workerFile?: string;
}

const HEAP_MB = 512;
/** Of new JavaScript objects in a thread: films lie outside the heap, and Node would take 48 (MiB). */
export const YOUNG_MB = 4;
/**
 * WebAssembly memory never shrinks: after a film of more pixels than this the thread is ended, and its memory with it.
 */
const LARGE_FILM_PIXELS = 32_000_000;
/** A machine that stood still for a while must not condemn a film. */
const TRIES = 2;

class Lost extends Error {
  constructor(readonly loss: ThreadLoss) {
    super(loss);
  }
}

/**
 * Reads and decodes films in a thread that can be ended: a film that hangs, or asks for too much memory, costs its own
 * outcome and nothing else. One thread, started when it is first needed, one film at a time; an idle one does not keep
 * the process alive.
 */
export class DecoderThread implements FilmReader {
  private worker: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: DecoderThreadOptions) {}

  async read(bytes: Uint8Array): Promise<ReadFilm> {
    // Given away, so a copy unless it is shared: the caller keeps its own. (Not slice(): a Buffer's is no copy.)
    const given = () => (isShared(bytes) ? bytes : new Uint8Array(bytes));
    return (await this.inTurn(() => ({ task: 'read', bytes: given() }))) as ReadFilm;
  }

  async decode(opened: Opened, size: Size): Promise<ReducedFilm> {
    return (await this.inTurn(() => ({ task: 'decode', opened, size }))) as ReducedFilm;
  }

  async picture(opened: Opened, longest: number): Promise<FilmPicture> {
    return (await this.inTurn(() => ({ task: 'picture', opened, longest }))) as FilmPicture;
  }

  async digest(opened: Opened): Promise<string> {
    return (await this.inTurn(() => ({ task: 'digest', opened }))) as string;
  }

  /** Waits for what was asked before. */
  async close(): Promise<void> {
    await this.last;
    await this.end();
  }

  private inTurn(request: () => Request): Promise<Answer> {
    const turn = this.last.then(() => this.ask(request, TRIES));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async ask(makeRequest: () => Request, tries: number): Promise<Answer> {
    const worker = (this.worker ??= await this.start());
    const request = makeRequest();
    worker.ref();
    try {
      const answer = await answerOf(worker, request, this.options.timeoutMs);
      if (decodedPixels(request) > LARGE_FILM_PIXELS) await this.end();
      return answer;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      await this.end();
      this.options.onLost?.(error.loss, request.task);
      if (error.loss !== 'memory' && tries > 1) return await this.ask(makeRequest, tries - 1);
      throw lossError(request.task, error.loss, this.options.timeoutMs);
    } finally {
      worker.unref();
    }
  }

  /** @throws Error when the thread cannot start: a broken installation, and no film's fault */
  private async start(): Promise<Worker> {
    const { workerFile = join(__dirname, 'decoder-worker.js'), heapMb = HEAP_MB, resolution } = this.options;
    const settings: DecoderSettings = resolution === undefined ? {} : { resolution };
    const worker = new Worker(workerFile, {
      workerData: settings,
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const gone = once(worker, 'exit').then(() => Promise.reject(new Error('it ended')));
    await Promise.race([once(worker, 'message'), gone]).catch((cause: unknown) => {
      throw new Error('the decoder thread cannot start', { cause });
    });
    // What is lost while a film is worked on is told there; an idle thread that ends is replaced.
    worker.on('error', () => {});
    worker.on('exit', () => void (this.worker === worker && (this.worker = undefined)));
    return worker;
  }

  private async end(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }
}

/** Of the film that was decoded, by its header, which was believed; 0 where nothing was. */
function decodedPixels(request: Request): number {
  if (request.task === 'read') return 0;
  const { attributes } = request.opened;
  return (number(attributes, 'Rows') ?? 0) * (number(attributes, 'Columns') ?? 0);
}

/** @throws Lost, or what the worker says of the film */
function answerOf(worker: Worker, request: Request, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      act();
    };
    const onMessage = (reply: Reply) => {
      if (reply.kind === 'done') settle(() => resolve(reply.value));
      if (reply.kind === 'failed') settle(() => reject(errorFrom(reply.failure)));
    };
    const onError = (error: Error & { code?: string }) =>
      settle(() => reject(new Lost(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'died')));
    const onExit = () => settle(() => reject(new Lost('died')));
    const timer = setTimeout(() => settle(() => reject(new Lost('timeout'))), timeoutMs);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(request, request.task === 'read' ? transferable([request.bytes]) : []);
  });
}

function errorFrom(failure: Failure): Error {
  return failure.kind === 'pixels'
    ? new PixelError(failure.fault, failure.message, { cause: failure.cause })
    : errorOf(failure.failure, 'the decoder thread');
}

/** A thread that is lost over a film at every try is the film's own fault. */
function lossError(task: Request['task'], loss: ThreadLoss, timeoutMs: number): HilumError {
  const what = task === 'read' ? 'reading the file' : 'decoding the film';
  const why = {
    timeout: `took longer than ${timeoutMs / 1000} s`,
    memory: 'took more memory than is allowed',
    died: 'ended the decoder',
  }[loss];
  return task === 'read'
    ? new HilumError('DICOM_UNREADABLE', 'permanent', `${what} ${why}`)
    : undecodable(`${what} ${why}`);
}
