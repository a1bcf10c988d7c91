import { messageOf } from '../base/errors';
import type { Check } from './health';

/** A period in which a check failed, as far as this process has looked; milliseconds since 1970. */
export interface Outage {
  readonly check: string;
  /** The problem found last. */
  readonly problem: string;
  /** When it was found first. */
  readonly from: number;
  /** When the check was found well again; null while it is not. */
  readonly to: number | null;
}

/** Number of ended outages kept in memory; the log has all. */
const MAX_ENDED = 20;

/** Outages of the checks, from the results of whoever runs them. */
export class Outages {
  private readonly lasting = new Map<string, Outage>();
  private ended: readonly Outage[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** A check whose results are noted here. */
  noted({ name, look }: Check): Check {
    return {
      name,
      look: async () => {
        const problem = await look().catch(messageOf);
        this.note(name, problem);
        return problem;
      },
    };
  }

  /** Lasting outages first, then the ended ones, the latest first. */
  list(): Outage[] {
    return [...this.lasting.values(), ...this.ended];
  }

  private note(check: string, problem: string | null): void {
    const known = this.lasting.get(check);
    if (problem !== null) this.lasting.set(check, { check, problem, from: known?.from ?? this.now(), to: null });
    else if (known !== undefined) {
      this.lasting.delete(check);
      this.ended = [{ ...known, to: this.now() }, ...this.ended].slice(0, MAX_ENDED);
    }
  }
}
