import type { Candidate } from './source';

/**
 * `lacking`: it had no result when it was seen first. `told`: its event is published. `done`: each film has its report.
 */
type State = 'lacking' | 'told' | 'done';

/** Counts by which a change of a study is noticed. */
export interface Counts {
  readonly films: number;
  /** Number of key object selections. */
  readonly notes: number;
}

interface Entry extends Counts {
  readonly state: State;
  readonly instances: number | null;
  readonly at: number;
}

/**
 * A study is forgotten after this time (milliseconds). A rejected film, which gets no report, is then tried once more.
 */
const FORGET_MS = 6 * 3_600_000;

/**
 * State of recently processed studies, so that they are not queried in each round nor published twice. Bounded; losing
 * it only costs queries.
 */
export class Memory {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly now: () => number,
    private readonly limit = 20_000,
  ) {}

  /** Whether no instance came or went since the study was done or published. */
  isSettled({ studyInstanceUid, instances }: Candidate): boolean {
    const entry = this.fresh(studyInstanceUid);
    return entry !== undefined && entry.state !== 'lacking' && instances !== null && entry.instances === instances;
  }

  /** The state that the study had with these counts. */
  recall({ studyInstanceUid }: Candidate, { films, notes }: Counts): State | undefined {
    const entry = this.fresh(studyInstanceUid);
    return entry?.films === films && entry.notes === notes ? entry.state : undefined;
  }

  hadNotes({ studyInstanceUid }: Candidate): boolean {
    return (this.fresh(studyInstanceUid)?.notes ?? 0) > 0;
  }

  keep({ studyInstanceUid, instances }: Candidate, state: State, { films, notes }: Counts): void {
    this.entries.delete(studyInstanceUid);
    this.entries.set(studyInstanceUid, { state, films, notes, instances, at: this.now() });
    const [oldest] = this.entries.keys();
    if (this.entries.size > this.limit && oldest !== undefined) this.entries.delete(oldest);
  }

  private fresh(study: string): Entry | undefined {
    const entry = this.entries.get(study);
    return entry !== undefined && this.now() - entry.at < FORGET_MS ? entry : undefined;
  }
}
