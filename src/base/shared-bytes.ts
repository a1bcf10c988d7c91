export function isShared({ buffer }: ArrayBufferView): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/** Sizes are rounded up to this, so that memory fits other bytes too. */
const STEP = 1024 * 1024;
/** More is not kept: films are rarely so large (bytes). */
const LARGEST_KEPT = 64 * STEP;

/**
 * Memory that threads share, so that bytes go from one to the next without a copy, and that is used again: V8 does not
 * count it, and gives it back only when all threads have collected their garbage.
 */
export class SharedMemory {
  private readonly free: SharedArrayBuffer[] = [];

  /** @param most pieces that are kept for later */
  constructor(private readonly most: number) {}

  /** So many bytes; what they are is not defined. */
  take(length: number): Uint8Array {
    const fitting = this.free.findIndex(({ byteLength }) => byteLength >= length);
    const memory =
      this.free.splice(fitting, fitting < 0 ? 0 : 1)[0] ??
      new SharedArrayBuffer(Math.max(STEP, Math.ceil(length / STEP) * STEP));
    return new Uint8Array(memory, 0, length);
  }

  /** The bytes themselves where they are shared already. */
  of(bytes: Uint8Array): Uint8Array {
    if (isShared(bytes)) return bytes;
    const copy = this.take(bytes.length);
    copy.set(bytes);
    return copy;
  }

  /** Nobody reads these shared bytes any more: their memory may be used for others. */
  give({ buffer }: Uint8Array): void {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength > LARGEST_KEPT) return;
    // The smallest goes first: what fits a large film fits a small one.
    this.free.push(buffer);
    this.free.sort((a, b) => a.byteLength - b.byteLength);
    if (this.free.length > this.most) this.free.shift();
  }
}

/** For films on their way from the archive to their thread. */
export const FILM_MEMORY = new SharedMemory(4);
