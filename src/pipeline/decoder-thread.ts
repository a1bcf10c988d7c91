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

/** Why a thread was lost while it worked on a film. */
type ThreadLoss = 'timeout' | 'memory' | 'died';

export interface DecoderThreadOptions {
  /** Longest time for one step (reading or decoding) of one film (milliseconds). */
  readonly timeoutMs: number;
  /** Heap of the thread (MiB); pixels are outside of it and have limits of their own (image-header.ts). */
  readonly heapMb?: number;
  /** Resolution for the analysis, where half is possible; by default whole. */
  readonly resolution?: Resolution;
  /** Called for each lost thread. */
  readonly onLost?: (loss: ThreadLoss, task: Request['task']) => void;
  readonly workerFile?: string;
}

const HEAP_MB = 512;
/** Heap for new JavaScript objects of a thread (MiB); Node's default is 48, and films are outside of the heap. */
export const YOUNG_MB = 4;
/** WebAssembly memory never shrinks: after a film with more pixels the thread is ended, to free it. */
const LARGE_FILM_PIXELS = 32_000_000;
/** Attempts for a film, so that a machine that was suspended for a while does not make it fail. */
const TRIES = 2;

class Lost extends Error {
  constructor(readonly loss: ThreadLoss) {
    super(loss);
  }
}

/**
 * Reads and decodes films in a thread that can be ended: a film that hangs or takes too much memory fails alone. One
 * thread, started when it is first needed, one film at a time; an idle one does not keep the process alive.
 */
export class DecoderThread implements FilmReader {
  private worker: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: DecoderThreadOptions) {}

  async read(bytes: Uint8Array): Promise<ReadFilm> {
    // The bytes are transferred, so that a copy is made unless they are shared: the caller keeps its own. (Not slice():
    // a Buffer's is no copy.)
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

  /** Waits for earlier requests. */
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

  /** @throws Error when the thread can't start: a broken installation, not the film's fault */
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
    // Errors during a film are reported by its request; an idle thread that ends is replaced.
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

/** Number of pixels of the decoded film by its header; 0 where nothing was decoded. */
function decodedPixels(request: Request): number {
  if (request.task === 'read') return 0;
  const { attributes } = request.opened;
  return (number(attributes, 'Rows') ?? 0) * (number(attributes, 'Columns') ?? 0);
}

/** @throws Lost, or the error that the worker reports of the film */
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

/** A thread that is lost at every attempt is the film's fault. */
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
