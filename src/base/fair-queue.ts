export interface FairLimits {
  /** Largest number running at the same time, of all holders and of each. */
  readonly running: number;
  readonly runningEach: number;
  /** Largest number waiting of each holder. */
  readonly waitingEach: number;
}

/**
 * Limits how many run at the same time; the others wait. Holders take turns, so that one with many requests does not
 * delay the others.
 */
export class FairQueue {
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly running = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: FairLimits) {}

  /** Resolves when the holder may run, to a function that ends its turn; null where the holder has too many waiting. */
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
      // The holder goes to the end of the order.
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
