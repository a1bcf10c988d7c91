import { parentPort } from 'node:worker_threads';
import { causeText, type ErrorCode, HilumError, type Lasting } from '../base/errors';
import { PixelError, type PixelFault } from '../dicom/pixel-error';
import type { Opened } from '../dicom/read';
import type { Size } from '../imaging/plane';
import { type ReadFilm, unboundedReader } from './film-reader';
import type { FilmPicture, ReducedFilm } from './reduce';
import { transferable } from './transferable';

/** What `decoder-thread.ts` asks, one thing at a time. */
export type Request =
  | { readonly task: 'read'; readonly bytes: Uint8Array }
  | { readonly task: 'decode'; readonly opened: Opened; readonly size: Size }
  | { readonly task: 'picture'; readonly opened: Opened; readonly longest: number }
  | { readonly task: 'digest'; readonly opened: Opened };
export type Answer = ReadFilm | ReducedFilm | FilmPicture | string;

/** An error as plain data: classes do not survive the way between threads. */
export type Failure =
  | { readonly kind: 'pixels'; readonly fault: PixelFault; readonly message: string; readonly cause: string }
  | {
      readonly kind: 'hilum';
      readonly code: ErrorCode;
      readonly lasting: Lasting;
      readonly message: string;
      readonly cause: string;
    }
  | { readonly kind: 'unexpected'; readonly message: string; readonly stack: string };

/** `ready` comes first, when all modules are loaded: a thread that ends before that says nothing about a film. */
export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly value: Answer }
  | { readonly kind: 'failed'; readonly failure: Failure };

const port = parentPort;
if (port === null) throw new Error('decoder-worker.ts is started as a thread only');

async function answer(request: Request): Promise<void> {
  try {
    switch (request.task) {
      case 'read': {
        const value = await unboundedReader.read(request.bytes);
        send({ kind: 'done', value }, value.pixelData?.fragments ?? []);
        break;
      }
      case 'decode': {
        const value = await unboundedReader.decode(request.opened, request.size);
        send({ kind: 'done', value }, [value.normalised.values, value.grey.values]);
        break;
      }
      case 'picture': {
        const value = await unboundedReader.picture(request.opened, request.longest);
        send({ kind: 'done', value }, [value.grey.values]);
        break;
      }
      case 'digest':
        send({ kind: 'done', value: await unboundedReader.digest(request.opened) }, []);
    }
  } catch (error) {
    send({ kind: 'failed', failure: failureOf(error) }, []);
  }
}

/** Pixels are handed over, not copied. */
function send(reply: Reply, given: readonly ArrayBufferView[]): void {
  port!.postMessage(reply, transferable(given));
}

function failureOf(error: unknown): Failure {
  const cause = causeText(error);
  if (error instanceof PixelError) return { kind: 'pixels', fault: error.fault, message: error.message, cause };
  if (error instanceof HilumError)
    return { kind: 'hilum', code: error.code, lasting: error.lasting, message: error.message, cause };
  return { kind: 'unexpected', message: String(error), stack: error instanceof Error ? (error.stack ?? '') : '' };
}

port.on('message', (request: Request) => void answer(request));
send({ kind: 'ready' }, []);
