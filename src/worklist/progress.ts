import { describeError, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { backoffMs, sleep } from '../base/retry';
import type { Uid } from '../dicom/uid';
import { FILM_MODALITIES } from '../events/closed-lists';
import type { ProgressEvent } from '../events/progress-event';
import type { StudySummary } from './record-columns';
import type { StudyListing } from './steps';
import type { Worklist } from './worklist';

/** Port: the archive's summary of a study; `archive/dicomweb` fits it by shape. */
export interface StudyDirectory {
  /** Null where the archive does not have the study; `modalities` null where it does not report them. */
  findStudySummary(
    study: Uid,
    timeoutMs: number,
  ): Promise<(StudySummary & { readonly modalities: readonly string[] | null }) | null>;
}

export interface ProgressOptions {
  readonly worklist: Pick<Worklist, 'advance' | 'needsListing'>;
  readonly archive: StudyDirectory;
  readonly log: Log;
  /** Largest number of notes kept while the database is away; the oldest are dropped first. */
  readonly limit?: number;
}

const LIMIT = 10_000;
const SUMMARY_TIMEOUT_MS = 5_000;
const BACKOFF = { baseMs: 500, maxMs: 15_000 };

/**
 * Writes the progress of studies, from this process and from workers elsewhere, to the list, one note after the other
 * in the background: a database that is away neither delays nor fails an analysis. Meanwhile the notes wait in memory.
 */
export class Progress {
  private readonly notes: ProgressEvent[] = [];
  private readonly stopping = new AbortController();
  private running: Promise<void> | null = null;
  private lost = 0;
  private isAway = false;

  constructor(private readonly options: ProgressOptions) {}

  /** Neither throws nor waits. */
  note(event: ProgressEvent): void {
    this.notes.push(event);
    if (this.notes.length > (this.options.limit ?? LIMIT)) {
      this.notes.shift();
      this.lost++;
    }
    this.running ??= this.drain().finally(() => {
      this.running = null;
    });
  }

  /** Number of notes dropped since the last outage began. */
  get dropped(): number {
    return this.lost;
  }

  /** Resolves when all notes are written, or after `graceMs` milliseconds. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.stopping.abort(), graceMs);
    await this.running;
    clearTimeout(timer);
  }

  private async drain(): Promise<void> {
    // Deferred, as the note is made within the caller's work.
    await new Promise(setImmediate);
    for (let attempt = 0; this.notes.length > 0 && !this.stopping.signal.aborted;) {
      const next = this.notes[0]!;
      try {
        await this.write(next);
        this.cameBack();
        attempt = 0;
      } catch (error) {
        this.wentAway(error);
        // Any error that is not the database's is a defect of ours: repeating it would block all notes after it.
        if (error instanceof HilumError && error.lasting !== 'permanent') {
          await sleep(backoffMs(attempt++, BACKOFF), this.stopping.signal);
          continue;
        }
        this.lost++;
      }
      // Unless it was dropped meanwhile to make room.
      if (this.notes[0] === next) this.notes.shift();
    }
  }

  private async write({ studyInstanceUid: study, step, occurredAt, worker }: ProgressEvent): Promise<void> {
    const { worklist } = this.options;
    const listing =
      step.kind !== 'nothing-new' && (await worklist.needsListing(study)) ? await this.summary(study) : null;
    await worklist.advance(study, step, occurredAt, listing, worker ?? null);
  }

  /** The archive may be away too: then the row shows the UID alone until the next step. */
  private async summary(study: Uid): Promise<StudyListing | null> {
    try {
      const found = await this.options.archive.findStudySummary(study, SUMMARY_TIMEOUT_MS);
      return (
        found && {
          summary: found,
          mayHaveFilms: found.modalities === null || found.modalities.some((modality) => FILM_MODALITIES.has(modality)),
        }
      );
    } catch {
      return null;
    }
  }

  private wentAway(error: unknown): void {
    if (this.isAway) return;
    this.isAway = true;
    this.options.log.warn(
      { event: 'list.database-away', error: describeError(error) },
      'the reading list can not be written; analyses go on',
    );
  }

  private cameBack(): void {
    if (!this.isAway) return;
    this.options.log.info({ event: 'list.database-back', lost: this.lost }, 'the reading list is written again');
    this.isAway = false;
    this.lost = 0;
  }
}
