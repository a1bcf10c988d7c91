/** The parts opened so far. Where a part can't be opened, all are closed again, the latest first. */
export class Opened {
  private readonly closes: (() => Promise<void>)[] = [];

  /** Adds a part and returns it; null is ignored. */
  add<T>(part: T, close: (part: NonNullable<T>) => Promise<void>): T {
    if (part !== null && part !== undefined) this.closes.push(() => close(part));
    return part;
  }

  /** Closes all parts. Errors of closing are ignored, as the reason for closing is the one to report. */
  async close(): Promise<void> {
    for (const close of this.closes.splice(0).reverse()) await close().catch(() => {});
  }
}
