/** A task that waits for its turn. Both fields are read when a slot is free, and may change until then. */
export interface RankedTask {
  /** The lowest rank runs first. */
  readonly rank: number;
  /** Whether anybody still waits for the result; otherwise the task is not started. */
  readonly isWanted: boolean;
}

/** Error of a task that was not started because nobody waited for it any more. */
export class Abandoned extends Error {
  constructor() {
    super('nobody waits for it any more');
  }
}

interface Waiting {
  readonly task: RankedTask;
  readonly begin: () => void;
  readonly leave: () => void;
}

/**
 * Priority queue of tasks with a limit on how many run at the same time. The lowest rank runs first; of equal ranks,
 * the one that came first.
 */
export class RankedQueue {
  private waiting: Waiting[] = [];
  private running = 0;

  /** @param keptFree slots that are reserved for rank 0, so that it waits for no other rank */
  constructor(
    private readonly most: number,
    private readonly keptFree = 0,
  ) {}

  /** @throws Abandoned where nobody waits for the task when its turn comes */
  async run<T>(task: RankedTask, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin, reject) => {
      this.waiting.push({ task, begin, leave: () => reject(new Abandoned()) });
      this.fill();
    });
    try {
      return await work();
    } finally {
      this.running--;
      this.fill();
    }
  }

  private fill(): void {
    for (const { leave } of this.waiting.filter(({ task }) => !task.isWanted)) leave();
    this.waiting = this.waiting.filter(({ task }) => task.isWanted);
    for (let next = this.next(); next !== null; next = this.next()) {
      this.running++;
      this.waiting = this.waiting.filter((one) => one !== next);
      next.begin();
    }
  }

  private next(): Waiting | null {
    const first = this.waiting.reduce<Waiting | null>(
      (best, one) => (best === null || one.task.rank < best.task.rank ? one : best),
      null,
    );
    if (first === null) return null;
    return this.running < this.most - (first.task.rank > 0 ? this.keptFree : 0) ? first : null;
  }
}
