/** Something that waits for its turn; both are looked at when a place is free, and may change until then. */
export interface RankedTask {
  /** The lowest goes first. */
  readonly rank: number;
  /** Whether anybody still waits for it: else it is not begun. */
  readonly isWanted: boolean;
}

/** What was not begun, because nobody waited for it any more. */
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

/** At most so many at a time. Of those that wait, the lowest rank is next, then who came first. */
export class RankedQueue {
  private waiting: Waiting[] = [];
  private running = 0;

  /** @param keptFree places that only rank 0 takes, so that it waits for nobody else */
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
