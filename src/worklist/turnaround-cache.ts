import type { Turnaround } from './turnaround';
import type { Worklist } from './worklist';

export interface TurnaroundOptions {
  readonly worklist: Pick<Worklist, 'turnaround'>;
  /** IANA name. */
  readonly timeZone: string;
  readonly now?: () => number;
}

/** Periods (days): a closed list, so that few are cached. */
export const TURNAROUND_DAYS = [1, 7, 30, 90] as const;
export type TurnaroundDays = (typeof TURNAROUND_DAYS)[number];

const DAY_MS = 86_400_000;
/** Figures are reused for this long (milliseconds), as 100,000 studies take seconds of a core. */
const KEPT_MS = 300_000;
/** Figures older than this are not returned by `latest` (milliseconds). */
const STALE_MS = 3 * KEPT_MS;

/** Cache of turnaround figures: computed once for all requests within five minutes, one computation at a time. */
export class TurnaroundCache {
  private readonly known = new Map<TurnaroundDays, Turnaround>();
  private readonly asked = new Map<TurnaroundDays, Promise<Turnaround>>();
  private last: Promise<unknown> = Promise.resolve();
  private readonly now: () => number;

  constructor(private readonly options: TurnaroundOptions) {
    this.now = options.now ?? Date.now;
  }

  get timeZone(): string {
    return this.options.timeZone;
  }

  /** @throws HilumError of the database */
  get(days: TurnaroundDays): Promise<Turnaround> {
    const known = this.known.get(days);
    if (known !== undefined && this.now() - known.to < KEPT_MS) return Promise.resolve(known);
    const asked = this.asked.get(days) ?? this.compute(days);
    this.asked.set(days, asked);
    return asked;
  }

  /** The cached figures at once; new ones are computed in the background where these are out of date. */
  latest(days: TurnaroundDays): Turnaround | null {
    this.get(days).catch(() => undefined);
    const known = this.known.get(days);
    return known !== undefined && this.now() - known.to < STALE_MS ? known : null;
  }

  private compute(days: TurnaroundDays): Promise<Turnaround> {
    const turn = this.last.then(async () => {
      const to = this.now();
      const { worklist, timeZone } = this.options;
      const found = await worklist.turnaround({ from: to - days * DAY_MS, to, timeZone });
      this.known.set(days, found);
      return found;
    });
    const over = turn.finally(() => this.asked.delete(days));
    this.last = over.catch(() => undefined);
    return over;
  }
}
