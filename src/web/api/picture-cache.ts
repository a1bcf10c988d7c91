/** A drawn picture as it is sent. */
export interface Drawn {
  readonly type: 'image/jpeg' | 'image/png';
  readonly bytes: Buffer;
  /** Of the bytes: the same picture has the same tag in every process. */
  readonly etag: string;
}

/**
 * The pictures last asked for, up to a number of bytes. Two who ask for the same at the same time wait for one drawing.
 * A failure is not kept.
 */
export class PictureCache {
  private readonly kept = new Map<string, ReadonlyMap<string, Drawn>>();
  private readonly drawing = new Map<string, Promise<ReadonlyMap<string, Drawn>>>();
  private bytes = 0;

  constructor(private readonly limitBytes: number) {}

  /** All pictures of `key`, kept or drawn by `draw`. */
  async get(key: string, draw: () => Promise<ReadonlyMap<string, Drawn>>): Promise<ReadonlyMap<string, Drawn>> {
    const kept = this.kept.get(key);
    if (kept !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, kept);
      return kept;
    }
    let drawn = this.drawing.get(key);
    if (drawn === undefined) {
      drawn = draw()
        .then((pictures) => this.keep(key, pictures))
        .finally(() => this.drawing.delete(key));
      this.drawing.set(key, drawn);
    }
    return drawn;
  }

  get size(): number {
    return this.bytes;
  }

  private keep(key: string, pictures: ReadonlyMap<string, Drawn>): ReadonlyMap<string, Drawn> {
    this.kept.set(key, pictures);
    this.bytes += bytesOf(pictures);
    for (const [oldest, gone] of this.kept) {
      if (this.bytes <= this.limitBytes || oldest === key) break;
      this.kept.delete(oldest);
      this.bytes -= bytesOf(gone);
    }
    return pictures;
  }
}

function bytesOf(pictures: ReadonlyMap<string, Drawn>): number {
  return [...pictures.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
}
