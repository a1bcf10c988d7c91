/** Limit on slots that are held for a while: `most` in all, and `each` for one holder. */
export class SlotLimit {
  private readonly held = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: { readonly most: number; readonly each: number }) {}

  /**
   * Takes a slot for `holder`; null where none is free. The function that it returns frees the slot; further calls do
   * nothing.
   */
  take(holder: string): (() => void) | null {
    const own = this.held.get(holder) ?? 0;
    if (this.all >= this.limits.most || own >= this.limits.each) return null;
    this.add(holder, 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.add(holder, -1);
      isHeld = false;
    };
  }

  private add(holder: string, places: 1 | -1): void {
    const own = (this.held.get(holder) ?? 0) + places;
    this.all += places;
    if (own === 0) this.held.delete(holder);
    else this.held.set(holder, own);
  }
}
