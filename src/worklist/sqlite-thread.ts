import { Worker } from 'node:worker_threads';
import type { Answer, Failure, Reply, Request, Setup } from './sqlite-worker';

/** The thread has ended, and with it any open transaction. */
class ThreadEnded extends Error {
  readonly code = 'THREAD_ENDED';
}

/** Defects of ours in a statement; `databaseError` leaves them unchanged. */
const DEFECTS = { TypeError, RangeError, SyntaxError };

export type Ask = (request: NonNullable<Request>) => Promise<Answer>;

/**
 * A connection to the embedded database in a thread of its own, as the library is synchronous and neither a query nor a
 * commit may block anything else. The thread starts at the first use and runs one statement at a time; one that has
 * ended is replaced at the next use. An idle one does not keep the process alive.
 */
export class SqliteThread {
  private worker: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** @param setup called at each start of the thread */
  constructor(
    private readonly setup: () => Setup,
    private readonly workerFile: string,
  ) {}

  /**
   * For one holder of the connection: all statements go to the same thread, so that the rest of a transaction whose
   * thread has ended fails instead of running in the next thread.
   */
  session(): Ask {
    let own: Worker | undefined;
    return (request) =>
      this.inTurn(() => {
        own ??= this.worker ??= this.start();
        return own === this.worker ? answerOf(own, request) : Promise.reject(new ThreadEnded('the thread has ended'));
      });
  }

  /** Waits for earlier statements. A later statement starts a new thread. */
  async close(): Promise<void> {
    await this.inTurn(async () => {
      const { worker } = this;
      if (worker === undefined) return;
      await answerOf(worker, null).catch(() => {});
      this.worker = undefined;
      await worker.terminate();
    });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private start(): Worker {
    const worker = new Worker(this.workerFile, { workerData: this.setup() });
    // Errors during a statement are reported by it; an idle thread that ends is replaced.
    worker.on('error', () => {});
    worker.on('exit', () => void (this.worker === worker && (this.worker = undefined)));
    worker.unref();
    return worker;
  }
}

function answerOf(worker: Worker, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      worker.unref();
      worker.off('message', onMessage).off('error', onGone).off('exit', onGone);
      act();
    };
    const onMessage = (reply: Reply) =>
      settle(() => (reply.kind === 'done' ? resolve(reply.answer) : reject(errorOf(reply.failure))));
    const onGone = () => settle(() => reject(new ThreadEnded('the thread has ended')));
    worker.postMessage(request);
    worker.on('message', onMessage).on('error', onGone).on('exit', onGone);
    worker.ref();
  });
}

function errorOf({ name, message, code }: Failure): Error {
  const Kind = code === undefined ? (DEFECTS[name as keyof typeof DEFECTS] as typeof Error | undefined) : undefined;
  return Object.assign(new (Kind ?? Error)(message), code === undefined ? {} : { code });
}
