import { AsyncResource } from 'node:async_hooks';
import { Worker } from 'node:worker_threads';
import { describeFailure, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { errorOf } from '../base/thread-failure';
import { outsideTrace, pastSpan } from '../base/trace';
import type { Reply, Request } from './analysis-requests';
import { YOUNG_MB } from './decoder-thread';
import type { FilmTask, FilmWork } from './film-work';
import type { FilmObserver, TimedStage } from './stage';

export interface ThreadOptions {
  /** Script of the thread, which calls `serveFilms` (analysis-requests.ts). */
  readonly workerFile: string;
  /** Settings that the thread opens its pipeline from: plain data. */
  readonly settings: unknown;
  /** Longest time for one film (milliseconds). */
  readonly timeoutMs: number;
  readonly log?: Log | undefined;
}

interface InHand {
  readonly observer: FilmObserver | undefined;
  /** Called in the trace of the film: the thread itself has no trace. */
  readonly stage: FilmObserver['stage'];
  readonly timer: NodeJS.Timeout;
  resolve(work: FilmWork): void;
  reject(error: Error): void;
}

const NAME = 'the analysis thread';
/** Longest wait for the thread to end by itself (milliseconds); a network's run takes a fraction of it. */
const END_MS = 5_000;

/**
 * A thread with its own networks: engines block their thread, while the service has to answer the broker. When the
 * thread ends, its films fail (and are tried again), and it is not used any more.
 */
export class AnalysisThread<Description> {
  private readonly films = new Map<number, InHand>();
  private next = 0;
  private hasEnded = false;
  private readonly exited: Promise<void>;

  private constructor(
    private readonly worker: Worker,
    readonly description: Description,
    private readonly options: ThreadOptions,
  ) {
    worker.on('message', (reply: Reply<Description>) => this.take(reply));
    worker.on('error', (cause) => this.end('ended', cause));
    this.exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('exit', () => this.end('ended'));
    worker.unref();
  }

  /** @throws HilumError of the networks, or Error where the thread ended at once */
  static async start<Description>(options: ThreadOptions): Promise<AnalysisThread<Description>> {
    const { workerFile, settings } = options;
    const limits = { maxYoungGenerationSizeMb: YOUNG_MB };
    const worker = outsideTrace(() => new Worker(workerFile, { workerData: settings, resourceLimits: limits }));
    try {
      return new AnalysisThread(worker, await descriptionOf<Description>(worker), options);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /** Number of films in the thread. */
  get load(): number {
    return this.films.size;
  }

  get isUsable(): boolean {
    return !this.hasEnded;
  }

  work(task: FilmTask, observer: FilmObserver | undefined): Promise<FilmWork> {
    return new Promise((resolve, reject) => {
      if (this.hasEnded) throw lost('ended');
      const id = this.next++;
      const timer = setTimeout(() => this.end('timeout'), this.options.timeoutMs);
      const stage = AsyncResource.bind((name: TimedStage, seconds: number) => {
        observer?.stage(name, seconds);
        pastSpan({ name }, seconds);
      });
      this.films.set(id, { observer, stage, timer, resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ id, task } satisfies Request);
    });
  }

  /** Ends the thread; its films fail. */
  async close(): Promise<void> {
    this.fail('closed');
    await this.stop();
  }

  private take(reply: Reply<Description>): void {
    switch (reply.kind) {
      case 'warned':
        return this.options.log?.warn(reply.fields, reply.text);
      case 'stage':
        return this.films.get(reply.id)?.stage(reply.stage, reply.seconds);
      case 'measured':
        return this.films.get(reply.id)?.observer?.measured?.(reply.measures);
      case 'done':
        return this.settle(reply.id, (film) => film.resolve(reply.work));
      case 'failed':
        return this.settle(reply.id, (film) => film.reject(errorOf(reply.failure, NAME)));
      case 'ready':
      case 'unusable':
        return undefined;
    }
  }

  private settle(id: number, act: (film: InHand) => void): void {
    const film = this.films.get(id);
    if (film === undefined) return;
    clearTimeout(film.timer);
    this.films.delete(id);
    if (this.films.size === 0) this.worker.unref();
    act(film);
  }

  private end(why: Loss, cause?: unknown): void {
    if (this.hasEnded) return;
    this.options.log?.warn(
      {
        event: 'analysis.lost',
        why,
        films: this.films.size,
        ...(cause === undefined ? {} : { error: describeFailure(cause) }),
      },
      'an analysis thread is lost; its films are tried again later, the next one gets a new thread',
    );
    this.fail(why, cause);
    void this.stop();
  }

  /**
   * Asks the thread to end, and terminates it only where it does not: terminating it during a network's run (native
   * code, which can't be interrupted) would end the process.
   */
  private async stop(): Promise<void> {
    this.worker.ref();
    this.worker.postMessage('end' satisfies Request);
    const timer = setTimeout(() => void this.worker.terminate(), END_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private fail(why: Loss, cause?: unknown): void {
    this.hasEnded = true;
    for (const id of [...this.films.keys()]) this.settle(id, (film) => film.reject(lost(why, cause)));
  }
}

type Loss = 'ended' | 'timeout' | 'closed';

const TEXTS: Readonly<Record<Loss, string>> = {
  ended: `${NAME} ended`,
  timeout: `a film took ${NAME} longer than analysis.timeoutMs`,
  closed: `${NAME} was closed with a film in hand`,
};

function lost(why: Loss, cause?: unknown): HilumError {
  return new HilumError('ANALYSIS_LOST', 'transient', TEXTS[why], { cause });
}

function descriptionOf<Description>(worker: Worker): Promise<Description> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: Reply<Description>) => {
      if (reply.kind !== 'ready' && reply.kind !== 'unusable') return;
      worker.off('message', onMessage).off('error', reject).off('exit', onExit);
      if (reply.kind === 'ready') resolve(reply.description);
      else reject(errorOf(reply.failure, NAME));
    };
    const onExit = () => reject(new Error(`${NAME} cannot start`));
    worker.on('message', onMessage).on('error', reject).on('exit', onExit);
  });
}
