import { FILM_MEMORY } from '../base/shared-bytes';
import { AnalysisThread, type ThreadOptions } from './analysis-thread';
import type { FilmAnalyser, FilmTask, FilmWork } from './film-work';
import type { FilmObserver } from './stage';

interface Place<Description> {
  thread: AnalysisThread<Description> | undefined;
  starting: Promise<AnalysisThread<Description>>;
  /** Number of films that wait for the thread to start. */
  waiting: number;
}

/**
 * Analysis threads, each on one core. A further one is started whenever all have a film, up to the limit. One that ends
 * is replaced for the next film.
 */
export class AnalysisThreads<Description> implements FilmAnalyser {
  private places: Place<Description>[] = [];

  private constructor(
    private readonly options: ThreadOptions,
    private readonly most: number,
    readonly description: Description,
  ) {}

  /**
   * Starts the first thread, so that networks that can't be used are noticed at once.
   * @throws HilumError of the networks
   */
  static async open<Description>(options: ThreadOptions, most: number): Promise<AnalysisThreads<Description>> {
    const first = await AnalysisThread.start<Description>(options);
    const threads = new AnalysisThreads<Description>(options, most, first.description);
    threads.places.push({ thread: first, starting: Promise.resolve(first), waiting: 0 });
    return threads;
  }

  async work(task: FilmTask, observer?: FilmObserver): Promise<FilmWork> {
    const place = this.choose();
    place.waiting++;
    const thread = await place.starting.finally(() => place.waiting--);
    const bytes = FILM_MEMORY.of(task.bytes);
    return thread.work({ ...task, bytes }, observer).finally(() => FILM_MEMORY.give(bytes));
  }

  async close(): Promise<void> {
    const threads = await Promise.allSettled(this.places.map(({ starting }) => starting));
    await Promise.all(threads.flatMap((found) => (found.status === 'fulfilled' ? [found.value.close()] : [])));
  }

  private choose(): Place<Description> {
    this.places = this.places.filter(({ thread }) => thread?.isUsable !== false);
    const [best] = [...this.places].sort((a, b) => loadOf(a) - loadOf(b));
    return best !== undefined && (loadOf(best) === 0 || this.places.length >= this.most) ? best : this.start();
  }

  private start(): Place<Description> {
    const starting = AnalysisThread.start<Description>(this.options);
    const place: Place<Description> = { thread: undefined, starting, waiting: 0 };
    this.places.push(place);
    starting.then(
      (thread) => void (place.thread = thread),
      () => void (this.places = this.places.filter((other) => other !== place)),
    );
    return place;
  }
}

const loadOf = ({ thread, waiting }: Place<unknown>): number => (thread?.load ?? 0) + waiting;
