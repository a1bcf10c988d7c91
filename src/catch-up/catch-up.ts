import { describeError, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { backoffMs, sleep, withTimeout } from '../base/retry';
import type { Uid } from '../dicom/uid';
import { FILM_MODALITIES } from '../events/closed-lists';
import { REPORT_NAME } from '../objects/structured-report';
import type { CatchUpConfig } from './config';
import { Memory } from './memory';
import type { Candidate, Source } from './source';
import { Teller, type TellerPorts, type Time } from './teller';

/** `source.system` of the events that the catch-up makes. */
const CATCH_UP = 'catch-up';

/** Ports; app.ts fits the clients to them. */
export interface CatchUpPorts extends TellerPorts {
  readonly source: Source;
  findSeries(study: Uid): Promise<readonly CountedSeries[]>;
  /** Films of a study that have a report of their own, by the reports themselves. */
  coveredFilms(study: Uid): Promise<number>;
}

export interface CountedSeries {
  readonly modality: string;
  readonly description: string;
  readonly instances: number | null;
  /** Each of its instances stands for another film. */
  readonly isByFilm?: boolean;
}

export type CatchUpOptions = Readonly<
  Pick<CatchUpConfig, 'intervalMs' | 'studiesPerMinute' | 'queueLimit'> & Partial<Pick<CatchUpConfig, 'compareFilms'>>
>;

const RETRY_BASE_MS = 5_000;
const STOP_TIMEOUT_MS = 2_000;

/**
 * Finds studies without a result and puts an event for each into the intake queue, at the start and every `intervalMs`.
 * Events are hints: whatever became of them, this finds the study. It holds one batch at a time, and stops at a full
 * queue, so that its memory does not grow with the archive.
 */
export class CatchUp {
  private readonly memory: Memory;
  private readonly stopping = new AbortController();
  private readonly teller: Teller;
  private running: Promise<void> | undefined;
  private isFirstRound = true;

  constructor(
    private readonly ports: CatchUpPorts,
    private readonly options: CatchUpOptions,
    private readonly log: Log,
    private readonly time: Time = { now: Date.now, sleep },
  ) {
    this.memory = new Memory(() => time.now());
    const onFull = (waiting: number) =>
      log.debug({ event: 'catch-up.waiting', waiting }, 'enough studies wait to be worked on; waiting');
    this.teller = new Teller(ports, { ...options, stopping: this.stopping.signal, onFull }, time);
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Never rejects. What is not done yet is found at the next start. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await withTimeout(this.running ?? Promise.resolve(), STOP_TIMEOUT_MS, () => new Error('late')).catch(() => {});
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.isStopping();) {
      let waitMs = this.options.intervalMs;
      try {
        await this.round();
        failures = 0;
      } catch (error) {
        if (this.isStopping()) return;
        waitMs = backoffMs(failures++, { baseMs: RETRY_BASE_MS, maxMs: this.options.intervalMs });
        this.log.warn(
          { event: 'catch-up.failed', nextTrySeconds: waitMs / 1000, error: describeError(error) },
          'the search for studies without a result failed; it is tried again',
        );
      }
      await this.time.sleep(waitMs, this.stopping.signal);
    }
  }

  /** One look at all that the source has. @throws HilumError of archive or broker; STOPPING. */
  async round(): Promise<{ looked: number; told: number }> {
    const started = this.time.now();
    const counts = { looked: 0, told: 0 };
    for await (const batch of this.ports.source.batches()) {
      for (const study of batch.studies) await this.lookAt(study, counts);
      await batch.done();
    }
    this.isFirstRound = false;
    this.log[counts.told > 0 ? 'info' : 'debug'](
      { event: 'catch-up.round', ...counts, seconds: (this.time.now() - started) / 1000 },
      'searched for studies without a result',
    );
    return counts;
  }

  private async lookAt(study: Candidate, counts: { looked: number; told: number }): Promise<void> {
    this.teller.throwIfStopping();
    if (study.modalities !== null && !study.modalities.some((modality) => FILM_MODALITIES.has(modality))) return;
    if (this.memory.isSettled(study)) return;
    counts.looked++;
    const found = await this.count(study.studyInstanceUid);
    if (found === null) return;
    const isDone = found.reports >= found.films;
    const decisive = found.films + found.notes;
    const before = this.memory.recall(study, decisive);
    const mayHaveChanged = found.notes > 0 || (this.options.compareFilms === true && found.films > 0);
    if (isDone && !(mayHaveChanged && before === undefined)) {
      this.memory.keep(study, 'done', decisive);
      return;
    }
    if (before === 'told') return;
    if (!isDone && before !== 'lacking' && !this.isFirstRound && !this.ports.source.lags) {
      this.memory.keep(study, 'lacking', decisive);
      return;
    }
    await this.teller.tell({ studyInstanceUid: study.studyInstanceUid, source: { system: CATCH_UP } });
    this.memory.keep(study, isDone ? 'done' : 'told', decisive);
    counts.told++;
  }

  /**
   * Films in a study, those with a report of any version of Hilum, and key object selections, which may reject films:
   * one query, and where several reports might be of one film a look at them. Null when the archive refuses to tell.
   */
  private async count(study: Uid): Promise<{ films: number; reports: number; notes: number } | null> {
    try {
      const series = await this.ports.findSeries(study);
      const instancesOf = (wanted: typeof series) => wanted.reduce((sum, { instances }) => sum + (instances ?? 1), 0);
      const reports = series.filter(
        ({ modality, description }) => modality === 'SR' && description.startsWith(REPORT_NAME),
      );
      const films = instancesOf(series.filter(({ modality }) => FILM_MODALITIES.has(modality)));
      const byFilm = instancesOf(reports.filter(({ isByFilm = false }) => isByFilm));
      const counted = instancesOf(reports);
      const isClear = films <= 1 || counted < films || byFilm >= films;
      const notes = instancesOf(series.filter(({ modality }) => modality === 'KO'));
      return { films, notes, reports: isClear ? counted : byFilm + (await this.ports.coveredFilms(study)) };
    } catch (error) {
      if (!(error instanceof HilumError) || error.lasting !== 'permanent' || error.code === 'ARCHIVE_UNAUTHORISED')
        throw error;
      this.log.warn(
        { event: 'catch-up.study-failed', study, error: describeError(error) },
        'the archive does not tell of this study',
      );
      return null;
    }
  }
}
