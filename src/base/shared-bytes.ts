export function isShared({ buffer }: ArrayBufferView): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/** Sizes are rounded up to a multiple of this, so that memory can be reused. */
const STEP = 1024 * 1024;
/** Larger pieces are not kept for reuse: such films are rare (bytes). */
const LARGEST_KEPT = 64 * STEP;

/**
 * Pool of shared memory, so that threads pass bytes on without a copy. Pieces are reused, because V8 does not count
 * shared memory and frees it only after a garbage collection in every thread.
 */
export class SharedMemory {
  private readonly free: SharedArrayBuffer[] = [];

  /** @param most number of free pieces that are kept */
  constructor(private readonly most: number) {}

  /** A piece of this length; its content is undefined. */
  take(length: number): Uint8Array {
    const fitting = this.free.findIndex(({ byteLength }) => byteLength >= length);
    const memory =
      this.free.splice(fitting, fitting < 0 ? 0 : 1)[0] ??
      new SharedArrayBuffer(Math.max(STEP, Math.ceil(length / STEP) * STEP));
    return new Uint8Array(memory, 0, length);
  }

  /** The bytes in shared memory: themselves if they are there already, else a copy. */
  of(bytes: Uint8Array): Uint8Array {
    if (isShared(bytes)) return bytes;
    const copy = this.take(bytes.length);
    copy.set(bytes);
    return copy;
  }

  /** Returns shared bytes to the pool; nobody may read them any more. */
  give({ buffer }: Uint8Array): void {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength > LARGEST_KEPT) return;
    // Where there are too many, the smallest is dropped: a piece for a large film also fits a small one.
    this.free.push(buffer);
    this.free.sort((a, b) => a.byteLength - b.byteLength);
    if (this.free.length > this.most) this.free.shift();
  }
}

/** Pool for films on their way from the archive to an analysis thread. */
export const FILM_MEMORY = new SharedMemory(4);
