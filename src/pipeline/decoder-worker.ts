import { parentPort, workerData } from 'node:worker_threads';
import { causeText } from '../base/errors';
import { failureOf, type ThreadFailure } from '../base/thread-failure';
import type { Resolution } from '../dicom/codecs';
import { PixelError, type PixelFault } from '../dicom/pixel-error';
import type { Opened } from '../dicom/read';
import type { Size } from '../imaging/plane';
import { type ReadFilm, readerInThisThread } from './film-reader';
import type { FilmPicture, ReducedFilm } from './reduce';
import { transferable } from './transferable';

/** Messages of `decoder-thread.ts`, one at a time. */
export type Request =
  | { readonly task: 'read'; readonly bytes: Uint8Array }
  | { readonly task: 'decode'; readonly opened: Opened; readonly size: Size }
  | { readonly task: 'picture'; readonly opened: Opened; readonly longest: number }
  | { readonly task: 'digest'; readonly opened: Opened };
export type Answer = ReadFilm | ReducedFilm | FilmPicture | string;

/** Errors in a film's pixels are distinguished from others. */
export type Failure =
  | { readonly kind: 'pixels'; readonly fault: PixelFault; readonly message: string; readonly cause: string }
  | { readonly kind: 'other'; readonly failure: ThreadFailure };

/** `ready` comes first, when all modules are loaded: a thread that ends before that is not the film's fault. */
export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly value: Answer }
  | { readonly kind: 'failed'; readonly failure: Failure };

const port = parentPort;
if (port === null) throw new Error('decoder-worker.ts is started as a thread only');

/** Start parameters of a decoder thread. */
export interface DecoderSettings {
  readonly resolution?: Resolution;
}

const reader = readerInThisThread((workerData as DecoderSettings | null)?.resolution);

async function answer(request: Request): Promise<void> {
  try {
    switch (request.task) {
      case 'read': {
        const value = await reader.read(request.bytes);
        send({ kind: 'done', value }, value.pixelData?.fragments ?? []);
        break;
      }
      case 'decode': {
        const value = await reader.decode(request.opened, request.size);
        send({ kind: 'done', value }, [value.normalised.values, value.grey.values]);
        break;
      }
      case 'picture': {
        const value = await reader.picture(request.opened, request.longest);
        send({ kind: 'done', value }, [value.grey.values]);
        break;
      }
      case 'digest':
        send({ kind: 'done', value: await reader.digest(request.opened) }, []);
    }
  } catch (error) {
    send({ kind: 'failed', failure: toldOf(error) }, []);
  }
}

/** Pixels are transferred, not copied. */
function send(reply: Reply, given: readonly ArrayBufferView[]): void {
  port!.postMessage(reply, transferable(given));
}

function toldOf(error: unknown): Failure {
  return error instanceof PixelError
    ? { kind: 'pixels', fault: error.fault, message: error.message, cause: causeText(error) }
    : { kind: 'other', failure: failureOf(error) };
}

port.on('message', (request: Request) => void answer(request));
send({ kind: 'ready' }, []);
