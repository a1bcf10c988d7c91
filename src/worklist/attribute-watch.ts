import { createHash } from 'node:crypto';
import { describeFailure, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { backoffMs, sleep, withTimeout } from '../base/retry';
import type { Uid } from '../dicom/uid';
import type { ProgressEvent } from '../events/progress-event';
import type { ResultEvent } from '../events/result-event';
import { type AttributeArchive, refreshAttributes } from './attribute-refresh';
import { differsFromList } from './attributes';
import type { StudySummary } from './record-columns';
import type { Worklist } from './worklist';

/** A study with its summary, as a search of the archive returns it. */
export type ListedStudy = StudySummary & { readonly studyInstanceUid: Uid };

export interface AttributeWatchParts {
  readonly worklist: Pick<Worklist, 'known' | 'correct' | 'pendingCorrections' | 'announced'>;
  readonly archive: AttributeArchive;
  /** Archive with the cache of what triage has read; not used for studies of a sweep. */
  readonly cachedArchive?: AttributeArchive;
  /** Resolves when the broker has confirmed the event. Null where results are not announced. */
  readonly announce: ((event: ResultEvent) => Promise<void>) | null;
  /** Studies of a sweep, page by page; null where the archive is not searched. */
  readonly sweep: (() => AsyncIterable<readonly ListedStudy[]>) | null;
  readonly log: Log;
}

/** Times in milliseconds. */
export interface AttributeWatchOptions {
  /** Interval of the sweeps. */
  readonly intervalMs: number;
  /** Interval at which pending corrections are announced. */
  readonly announceMs?: number;
}

/** Largest number of studies that wait to be checked after an event; further ones are left to the sweep. */
const MAX_SEEN = 1_000;
/** Number of studies remembered whose summary differs from the list although the film's header agrees. */
const MAX_REMEMBERED = 20_000;
const REMEMBER_MS = 6 * 3_600_000;
const BACKOFF = { baseMs: 5_000, maxMs: 300_000 };
const STOP_TIMEOUT_MS = 2_000;

/**
 * Notices corrections of patient and study attributes in the archive: at each event of a study, and by sweeps over the
 * studies of the last days. The list is updated, and where patient or order changed the study's result is announced
 * again, as a correction. Runs in the background, one study at a time.
 */
export class AttributeWatch {
  private readonly stopping = new AbortController();
  private readonly seen = new Set<Uid>();
  private readonly looked = new Map<Uid, { readonly digest: string; readonly at: number }>();
  private readonly running: Promise<void>[] = [];
  private drain: Promise<void> | null = null;
  private hasTold = false;

  constructor(
    private readonly parts: AttributeWatchParts,
    private readonly options: AttributeWatchOptions,
    private readonly now: () => number = Date.now,
  ) {}

  start(): void {
    const { intervalMs, announceMs = 5_000 } = this.options;
    if (this.parts.sweep !== null) this.running.push(this.repeat(() => this.sweep(), intervalMs));
    if (this.parts.announce !== null) this.running.push(this.announceAll(announceMs));
  }

  /** Called when a study's event was sorted, or ended without anything new. Neither throws nor waits. */
  note({ studyInstanceUid, step }: Pick<ProgressEvent, 'studyInstanceUid' | 'step'>): void {
    const isTold = step.kind === 'waiting' || step.kind === 'nothing-new';
    if (!isTold || this.isStopping() || this.seen.size >= MAX_SEEN) return;
    this.seen.add(studyInstanceUid);
    this.drain ??= this.lookAtSeen().finally(() => {
      this.drain = null;
    });
  }

  /** Never rejects. What is not done is found at the next start. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const all = Promise.all([...this.running, this.drain]);
    await withTimeout(all, STOP_TIMEOUT_MS, () => new Error('late')).catch(() => {});
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Delayed, so that the database is not opened during the start, which must not wait for it. */
  private async announceAll(everyMs: number): Promise<void> {
    await sleep(everyMs, this.stopping.signal);
    await this.repeat(() => this.announce(), everyMs);
  }

  private async repeat(round: () => Promise<void>, everyMs: number): Promise<void> {
    for (let failures = 0; !this.isStopping();) {
      const error = await failureOf(round());
      if (error !== null) this.tell(error);
      failures = error === null ? 0 : failures + 1;
      const waitMs = failures === 0 ? everyMs : Math.max(everyMs, backoffMs(failures - 1, BACKOFF));
      await sleep(waitMs, this.stopping.signal);
    }
  }

  /** What is missed now is found by the sweep. */
  private async lookAtSeen(): Promise<void> {
    // Deferred, as the note is made within the caller's work.
    await new Promise(setImmediate);
    for (const study of this.seen) {
      this.seen.delete(study);
      if (this.isStopping()) return;
      const error = await failureOf(this.refresh(study, this.parts.cachedArchive));
      if (error !== null) this.tell(error);
    }
  }

  private async sweep(): Promise<void> {
    for await (const page of this.parts.sweep!()) for (const study of page) await this.compare(study);
  }

  private async compare(listed: ListedStudy): Promise<void> {
    if (this.isStopping()) throw new HilumError('STOPPING', 'transient', 'asked to stop');
    const study = listed.studyInstanceUid;
    const known = await this.parts.worklist.known(study);
    if (known === null || !differsFromList(known.summary, listed)) return;
    // A search may permanently differ from the film: another form of a name, or another film of the study.
    const digest = digestOf(known.summary, listed);
    const before = this.looked.get(study);
    if (before?.digest === digest && this.now() - before.at < REMEMBER_MS) return;
    const error = await failureOf(this.refresh(study));
    if (error !== null) this.pass(error);
    this.remember(study, digest);
  }

  /** A study that the archive refuses does not stop the others. */
  private pass(error: unknown): void {
    if (!(error instanceof HilumError) || error.lasting !== 'permanent') throw error;
    this.tell(error);
  }

  private remember(study: Uid, digest: string): void {
    this.looked.delete(study);
    this.looked.set(study, { digest, at: this.now() });
    const [oldest] = this.looked.keys();
    if (this.looked.size > MAX_REMEMBERED && oldest !== undefined) this.looked.delete(oldest);
  }

  private async refresh(study: Uid, archive = this.parts.archive): Promise<void> {
    const attributes = await refreshAttributes(study, { worklist: this.parts.worklist, archive });
    this.hasTold = false;
    if (attributes.length > 0)
      this.parts.log.info(
        { event: 'list.attributes-corrected', study, attributes },
        'the archive has other patient or study attributes; the reading list follows',
      );
  }

  /**
   * Announced first, then removed from the pending ones: a crash in between announces it once more with the same key.
   */
  private async announce(): Promise<void> {
    const { worklist, log } = this.parts;
    for (const pending of await worklist.pendingCorrections()) {
      if (this.isStopping()) return;
      await this.parts.announce!(pending.event);
      await worklist.announced(pending);
      this.hasTold = false;
      const { corrects } = pending.event.correction;
      log.info({ event: 'list.correction-announced', study: pending.study, corrects }, 'the result is told anew');
    }
  }

  /** Logged once until something succeeds. `Progress` logs that the database is away. */
  private tell(error: unknown): void {
    const isOfDatabase = error instanceof HilumError && error.code === 'DATABASE_UNREACHABLE';
    if (this.isStopping() || isOfDatabase || this.hasTold) return;
    this.hasTold = true;
    this.parts.log.warn(
      { event: 'list.correction-failed', error: describeFailure(error) },
      'the list could not be compared with the archive, or a correction not be announced; it is tried again',
    );
  }
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return null;
  } catch (error) {
    return error ?? new Error('failed');
  }
}

/** A digest, so that nothing about a patient is kept in memory. */
function digestOf(known: StudySummary, listed: StudySummary): string {
  const both = (Object.keys(known) as (keyof StudySummary)[]).map((keyword) => [known[keyword], listed[keyword]]);
  return createHash('sha256').update(JSON.stringify(both)).digest('base64');
}
