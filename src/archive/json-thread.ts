import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { HilumError } from '../base/errors';
import { withTimeout } from '../base/retry';
import { type JsonReply, type JsonRequest, parseJson } from './json-parse';

/** Smaller responses are parsed in this thread, which takes less time than a message to another (bytes). */
const SMALL_BYTES = 1024 * 1024;
const TIMEOUT_MS = 60_000;
const HEAP_MB = 1024;

/**
 * Parses responses in the DICOM JSON model. Large ones are parsed in a thread, one at a time, so that the main thread
 * is not blocked.
 */
export class JsonParser {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly workerFile = join(__dirname, 'json-worker.js')) {}

  /**
   * @param tags top-level tags that are needed of each row; a small response keeps all
   * @throws HilumError ARCHIVE_RESPONSE_INVALID when a large response can't be parsed in time or memory
   */
  parse(bytes: Uint8Array, tags: readonly string[]): Promise<JsonReply> {
    if (bytes.length <= SMALL_BYTES) return Promise.resolve(parseJson(bytes));
    const turn = this.last.then(() => parseInThread(this.workerFile, { bytes, tags }));
    this.last = turn.catch(() => undefined);
    return turn;
  }
}

async function parseInThread(workerFile: string, request: JsonRequest): Promise<JsonReply> {
  // Copied before the transfer, as the bytes may be part of a pooled buffer.
  const bytes = new Uint8Array(request.bytes);
  const worker = new Worker(workerFile, {
    workerData: { ...request, bytes },
    transferList: [bytes.buffer],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const gone = once(worker, 'exit').then(() => Promise.reject(new Error('the thread ended')));
  try {
    const [reply] = (await withTimeout(
      Promise.race([once(worker, 'message'), gone]),
      TIMEOUT_MS,
      () => new Error(`no end within ${TIMEOUT_MS} ms`),
    )) as [JsonReply];
    return reply;
  } catch (cause) {
    throw new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', "the archive's answer is too large to be parsed", {
      cause,
    });
  } finally {
    gone.catch(() => {});
    await worker.terminate();
  }
}
