import type { RankedTask } from '../../base/ranked-queue';

/** A request for a picture. */
export interface Asker {
  /** Rank of the task: the lowest goes first. */
  readonly rank: number;
  /** Whether the client has gone. */
  isGone(): boolean;
}

/** A task that several requests wait for; its rank is the lowest of those still waiting. */
export class SharedTask implements RankedTask {
  private readonly askers: Asker[] = [];

  join(asker: Asker): void {
    this.askers.push(asker);
  }

  get rank(): number {
    return Math.min(...this.waiting().map(({ rank }) => rank));
  }

  get isWanted(): boolean {
    return this.waiting().length > 0;
  }

  private waiting(): Asker[] {
    return this.askers.filter((asker) => !asker.isGone());
  }
}

interface KeptPictures {
  readonly pictures: ReadonlyMap<string, Drawn>;
  readonly drawnAt: number;
}

interface Drawing {
  readonly task: SharedTask;
  readonly pictures: Promise<ReadonlyMap<string, Drawn>>;
}

/** A drawn picture as it is sent. */
export interface Drawn {
  readonly type: 'image/jpeg' | 'image/png';
  readonly bytes: Buffer;
  /** Digest of the bytes: the same in every process. */
  readonly etag: string;
}

/**
 * Cache of recent pictures, limited in bytes and in time since they were drawn. Simultaneous requests for the same
 * picture share one drawing. Failures are not cached.
 */
export class PictureCache {
  private readonly kept = new Map<string, KeptPictures>();
  private readonly drawing = new Map<string, Drawing>();
  private bytes = 0;

  constructor(
    private readonly limitBytes: number,
    private readonly keptMs = Infinity,
    private readonly now: () => number = Date.now,
  ) {}

  /** All pictures of `key`, from the cache or drawn by `draw`. A request that joins a drawing may lower its rank. */
  async get(
    key: string,
    asker: Asker,
    draw: (task: RankedTask) => Promise<ReadonlyMap<string, Drawn>>,
  ): Promise<ReadonlyMap<string, Drawn>> {
    this.forget();
    const kept = this.kept.get(key);
    if (kept !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, kept);
      return kept.pictures;
    }
    const known = this.drawing.get(key);
    if (known !== undefined) {
      known.task.join(asker);
      return known.pictures;
    }
    const task = new SharedTask();
    task.join(asker);
    const pictures = draw(task)
      .then((drawn) => this.keep(key, drawn))
      .finally(() => this.drawing.delete(key));
    this.drawing.set(key, { task, pictures });
    return pictures;
  }

  get size(): number {
    return this.bytes;
  }

  private keep(key: string, pictures: ReadonlyMap<string, Drawn>): ReadonlyMap<string, Drawn> {
    this.kept.set(key, { pictures, drawnAt: this.now() });
    this.bytes += bytesOf(pictures);
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= this.limitBytes || oldest === key) break;
      this.drop(oldest);
    }
    return pictures;
  }

  /** Drops pictures that were drawn too long ago; called by each request and once an hour. */
  forget(): void {
    const before = this.now() - this.keptMs;
    for (const [key, { drawnAt }] of this.kept) if (drawnAt < before) this.drop(key);
  }

  private drop(key: string): void {
    const gone = this.kept.get(key);
    if (gone === undefined || !this.kept.delete(key)) return;
    this.bytes -= bytesOf(gone.pictures);
  }
}

function bytesOf(pictures: ReadonlyMap<string, Drawn>): number {
  return [...pictures.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
}
