import { Worker } from 'node:worker_threads';
import type { Log } from '../base/log';
import { errorOf } from '../base/thread-failure';
import type { Reply, Request } from './analysis-requests';
import { YOUNG_MB } from './decoder-thread';
import type { FilmTask, FilmWork } from './film-work';
import type { FilmObserver } from './stage';

export interface ThreadOptions {
  /** Serves by `serveFilms` (analysis-requests.ts). */
  readonly workerFile: string;
  /** What the thread opens its line from: plain data. */
  readonly settings: unknown;
  readonly log?: Log | undefined;
}

interface InHand {
  readonly observer: FilmObserver | undefined;
  resolve(work: FilmWork): void;
  reject(error: Error): void;
}

const NAME = 'the analysis thread';

/**
 * A thread with networks of its own. The engine computes without a pause, and the service must go on answering the
 * broker. A thread that ends fails the films that it has, which are tried again, and is not used any more.
 */
export class AnalysisThread<Description> {
  private readonly films = new Map<number, InHand>();
  private next = 0;
  private hasEnded = false;

  private constructor(
    private readonly worker: Worker,
    readonly description: Description,
    log: Log | undefined,
  ) {
    worker.on('message', (reply: Reply<Description>) => this.take(reply, log));
    worker.on('error', (cause) => this.end(new Error(`${NAME} ended`, { cause })));
    worker.on('exit', (code) => this.end(new Error(`${NAME} ended with ${code}`)));
    worker.unref();
  }

  /** @throws HilumError of the networks, or Error where it ended at once */
  static async start<Description>({ workerFile, settings, log }: ThreadOptions): Promise<AnalysisThread<Description>> {
    const worker = new Worker(workerFile, {
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    try {
      return new AnalysisThread(worker, await descriptionOf<Description>(worker), log);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /** Films that it has. */
  get load(): number {
    return this.films.size;
  }

  get isUsable(): boolean {
    return !this.hasEnded;
  }

  work(task: FilmTask, observer: FilmObserver | undefined): Promise<FilmWork> {
    return new Promise((resolve, reject) => {
      if (this.hasEnded) throw new Error(`${NAME} ended`);
      const id = this.next++;
      this.films.set(id, { observer, resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ id, task } satisfies Request);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private take(reply: Reply<Description>, log: Log | undefined): void {
    switch (reply.kind) {
      case 'warned':
        return log?.warn(reply.fields, reply.text);
      case 'stage':
        return this.films.get(reply.id)?.observer?.stage(reply.stage, reply.seconds);
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
    this.films.delete(id);
    if (this.films.size === 0) this.worker.unref();
    act(film);
  }

  private end(error: Error): void {
    this.hasEnded = true;
    for (const id of [...this.films.keys()]) this.settle(id, (film) => film.reject(error));
  }
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
