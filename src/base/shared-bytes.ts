/** A film's bytes in memory that threads share, so that they go from one to the next without a copy. */
export interface SharedBytes {
  readonly bytes: Uint8Array;
  /** Nobody reads it any more: the memory may be used for other bytes. */
  release(): void;
}

export function isShared({ buffer }: ArrayBufferView): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/** Sizes are rounded up to this, so that memory fits other bytes too. */
const STEP = 1024 * 1024;
/** More is not kept: films are rarely so large (bytes). */
const LARGEST_KEPT = 64 * STEP;

/** Memory that is used again: what threads share is freed only when all of them have collected their garbage. */
export class SharedMemory {
  private readonly free: SharedArrayBuffer[] = [];

  /** @param most pieces that are kept for later */
  constructor(private readonly most: number) {}

  copyOf(bytes: Uint8Array): SharedBytes {
    const fitting = this.free.findIndex(({ byteLength }) => byteLength >= bytes.byteLength);
    const memory =
      this.free.splice(fitting, fitting < 0 ? 0 : 1)[0] ??
      new SharedArrayBuffer(Math.max(STEP, Math.ceil(bytes.byteLength / STEP) * STEP));
    const copy = new Uint8Array(memory, 0, bytes.byteLength);
    copy.set(bytes);
    return { bytes: copy, release: () => this.keep(memory) };
  }

  private keep(memory: SharedArrayBuffer): void {
    if (memory.byteLength > LARGEST_KEPT) return;
    // The smallest goes first: what fits a large film fits a small one.
    this.free.push(memory);
    this.free.sort((a, b) => a.byteLength - b.byteLength);
    if (this.free.length > this.most) this.free.shift();
  }
}
