import type { Candidate } from './source';

/**
 * `lacking`: it had no result when it was seen first. `told`: its event is with the broker. `done`: each film has its
 * report.
 */
type State = 'lacking' | 'told' | 'done';

/** Instances by which a study is told to be another than it was. */
export interface Counts {
  readonly films: number;
  /** Key object selections. */
  readonly notes: number;
}

interface Entry extends Counts {
  readonly state: State;
  readonly instances: number | null;
  readonly at: number;
}

/**
 * After this a study is looked at as if it were new (milliseconds). A rejected film, which gets no report, is then
 * tried once more.
 */
const FORGET_MS = 6 * 3_600_000;

/**
 * What was seen of the last studies, so that a study is neither asked for at each round nor told twice. Of bounded
 * size; losing it costs queries and nothing else.
 */
export class Memory {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly now: () => number,
    private readonly limit = 20_000,
  ) {}

  /** Nothing came or went since it was found done or was told. */
  isSettled({ studyInstanceUid, instances }: Candidate): boolean {
    const entry = this.fresh(studyInstanceUid);
    return entry !== undefined && entry.state !== 'lacking' && instances !== null && entry.instances === instances;
  }

  /** What it was when it had as many films and key object selections as now. */
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
