/** What was opened so far: where the next part can't be opened, all of it is closed again, the latest first. */
export class Opened {
  private readonly closes: (() => Promise<void>)[] = [];

  /** Hands the part back; null is none. */
  add<T>(part: T, close: (part: NonNullable<T>) => Promise<void>): T {
    if (part !== null && part !== undefined) this.closes.push(() => close(part));
    return part;
  }

  /** Whatever of it fails: the reason for closing is the one to tell. */
  async close(): Promise<void> {
    for (const close of this.closes.splice(0).reverse()) await close().catch(() => {});
  }
}
