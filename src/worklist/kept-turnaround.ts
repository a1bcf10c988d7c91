import type { Turnaround } from './turnaround';
import type { Worklist } from './worklist';

export interface TurnaroundOptions {
  readonly worklist: Pick<Worklist, 'turnaround'>;
  /** IANA name. */
  readonly timeZone: string;
  readonly now?: () => number;
}

/** How far figures reach back (days): a closed list, so that few are kept. */
export const TURNAROUND_DAYS = [1, 7, 30, 90] as const;
export type TurnaroundDays = (typeof TURNAROUND_DAYS)[number];

const DAY_MS = 86_400_000;
/** So long figures are good (milliseconds): of 100,000 studies they cost seconds of a core. */
const KEPT_MS = 300_000;
/** Older ones are told nobody who does not wait for newer ones. */
const STALE_MS = 3 * KEPT_MS;

/** Turnaround of the last days, computed once for all who ask within five minutes, one after the other. */
export class KeptTurnaround {
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
  look(days: TurnaroundDays): Promise<Turnaround> {
    const known = this.known.get(days);
    if (known !== undefined && this.now() - known.to < KEPT_MS) return Promise.resolve(known);
    const asked = this.asked.get(days) ?? this.compute(days);
    this.asked.set(days, asked);
    return asked;
  }

  /** What is known, at once; newer figures are asked for where these are not good any more. */
  glance(days: TurnaroundDays): Turnaround | null {
    this.look(days).catch(() => undefined);
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
