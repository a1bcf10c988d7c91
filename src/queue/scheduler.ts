import { sleep } from '../base/retry';
import type { Priority } from '../events/priority';

export interface SchedulerOptions<T> {
  /** Items worked on at the same time. */
  readonly slots: number;
  /** Number of urgent items in a row after which a routine one is looked for first. */
  readonly routineEvery: number;
  /** Polling interval when there was nothing to take or taking failed (milliseconds). */
  readonly idleMs: number;
  /** Takes the oldest item of one priority; null when there is none. May reject; it is called again. */
  readonly take: (priority: Priority) => Promise<T | null>;
  /** Must not reject. */
  readonly work: (item: T, priority: Priority) => Promise<void>;
  /** Called with an item that was being taken when `stop` was called. */
  readonly requeue: (item: T) => void;
}

/**
 * Decides which item is worked on next: urgent before routine, but a routine one after `routineEvery` urgent ones in a
 * row, so that none starves.
 *
 * An item is taken only when a slot is free. Prefetching would let items wait for a busy worker while another one is
 * idle, fix the order too early, and hold messages unacknowledged for the time of the one before.
 */
export class Scheduler<T> {
  private busy = 0;
  private urgentInARow = 0;
  private isStopping = false;
  private bell = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: SchedulerOptions<T>) {}

  start(): void {
    this.loop = this.run();
  }

  /** Called when there may be an item, or a free slot. */
  wake(): void {
    this.bell.abort();
  }

  /** Takes no more items. Resolves when that is so; work on items goes on. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.wake();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      if (this.busy >= this.options.slots || !(await this.takeOne())) await this.rest();
    }
  }

  /** Whether there was an item. */
  private async takeOne(): Promise<boolean> {
    for (const priority of this.order()) {
      const item = await this.options.take(priority).catch(() => null);
      if (item === null) continue;
      if (this.isStopping) this.options.requeue(item);
      else this.begin(item, priority);
      return true;
    }
    return false;
  }

  private order(): readonly Priority[] {
    return this.urgentInARow >= this.options.routineEvery ? ['routine', 'urgent'] : ['urgent', 'routine'];
  }

  private begin(item: T, priority: Priority): void {
    this.urgentInARow = priority === 'urgent' ? this.urgentInARow + 1 : 0;
    this.busy++;
    void this.options.work(item, priority).finally(() => {
      this.busy--;
      this.wake();
    });
  }

  private async rest(): Promise<void> {
    await sleep(this.options.idleMs, this.bell.signal);
    if (this.bell.signal.aborted) this.bell = new AbortController();
  }
}
