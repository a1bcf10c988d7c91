export interface FairLimits {
  /** At a time, of all and of each. */
  readonly running: number;
  readonly runningEach: number;
  /** That one may have waiting. */
  readonly waitingEach: number;
}

/**
 * Lets a few in at a time and has the others wait. Who is next goes round by holder, so that one who wants much waits
 * for himself and not the others for him.
 */
export class FairQueue {
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly running = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: FairLimits) {}

  /** Resolves at the holder's turn, to what ends it; null where so many of his wait already that no more may. */
  enter(holder: string): Promise<() => void> | null {
    if (this.isFree(holder)) return Promise.resolve(this.begin(holder));
    const own = this.waiting.get(holder) ?? [];
    if (own.length >= this.limits.waitingEach) return null;
    return new Promise((resolve) => {
      own.push(() => resolve(this.begin(holder)));
      this.waiting.set(holder, own);
    });
  }

  private isFree(holder: string): boolean {
    return this.all < this.limits.running && (this.running.get(holder) ?? 0) < this.limits.runningEach;
  }

  private begin(holder: string): () => void {
    this.count(holder, 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.count(holder, -1);
      this.next();
    };
  }

  private next(): void {
    for (const [holder, own] of this.waiting) {
      const start = this.isFree(holder) ? own.shift() : undefined;
      if (start === undefined) continue;
      // Behind those who wait.
      this.waiting.delete(holder);
      if (own.length > 0) this.waiting.set(holder, own);
      start();
      return;
    }
  }

  private count(holder: string, by: 1 | -1): void {
    const own = (this.running.get(holder) ?? 0) + by;
    this.all += by;
    if (own === 0) this.running.delete(holder);
    else this.running.set(holder, own);
  }
}
