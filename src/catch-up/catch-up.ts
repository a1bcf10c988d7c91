import { describeError, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { backoffMs, sleep, withTimeout } from '../base/retry';
import type { Uid } from '../dicom/uid';
import { FILM_MODALITIES } from '../events/closed-lists';
import { REPORT_NAME } from '../objects/structured-report';
import type { CatchUpConfig } from './config';
import { type Counts, Memory } from './memory';
import type { Candidate, Source } from './source';
import { EventPublisher, type EventPublisherPorts, type Time } from './event-publisher';

/** `source.system` of the events that the catch-up makes. */
const CATCH_UP = 'catch-up';

/** Modality of key object selections: each may be a note that rejects films. */
const KEY_OBJECTS = 'KO';

/**
 * Modalities that matter: films, and key object selections, which may be all that is listed where the archive hides
 * rejected films.
 */
const mayConcern = (modality: string): boolean => FILM_MODALITIES.has(modality) || modality === KEY_OBJECTS;

interface Found extends Counts {
  /** Films with a report. */
  readonly reports: number;
}

/** Ports; `app/catch-up` fits archive and broker to them. */
export interface CatchUpPorts extends EventPublisherPorts {
  readonly source: Source;
  findSeries(study: Uid): Promise<readonly CountedSeries[]>;
  /** The series of many studies by few searches; may be incomplete for some. */
  findSeriesOf(studies: readonly Uid[]): Promise<ReadonlyMap<Uid, readonly CountedSeries[]>>;
  /** Number of films of a study that have a report, counted by reading the reports. */
  coveredFilms(study: Uid): Promise<number>;
}

export interface CountedSeries {
  readonly modality: string;
  readonly description: string;
  readonly instances: number | null;
  /** Each instance stands for another film. */
  readonly isByFilm?: boolean;
}

export type CatchUpOptions = Readonly<
  Pick<CatchUpConfig, 'intervalMs' | 'studiesPerMinute' | 'queueLimit'> & Partial<Pick<CatchUpConfig, 'compareFilms'>>
>;

const NONE: ReadonlyMap<Uid, readonly CountedSeries[]> = new Map();

const RETRY_BASE_MS = 5_000;
const STOP_TIMEOUT_MS = 2_000;

/**
 * Finds studies without a result and publishes an event for each, at the start and every `intervalMs`. Events may get
 * lost; this finds every study all the same. It holds one batch at a time and waits at a full queue, so that its memory
 * does not grow with the archive.
 */
export class CatchUp {
  private readonly memory: Memory;
  private readonly stopping = new AbortController();
  private readonly publisher: EventPublisher;
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
    this.publisher = new EventPublisher(ports, { ...options, stopping: this.stopping.signal, onFull }, time);
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Never rejects. What is not done is found at the next start. */
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

  /** One pass over all studies of the source. @throws HilumError of archive or broker; STOPPING */
  async round(): Promise<{ looked: number; told: number }> {
    const started = this.time.now();
    const counts = { looked: 0, told: 0 };
    for await (const batch of this.ports.source.batches()) {
      const due = batch.studies.filter((study) => this.isDue(study));
      const listed =
        due.length > 1 ? await this.ports.findSeriesOf(due.map(({ studyInstanceUid }) => studyInstanceUid)) : NONE;
      for (const study of due) await this.lookAt(study, listed.get(study.studyInstanceUid), counts);
      await batch.done();
    }
    this.isFirstRound = false;
    this.log[counts.told > 0 ? 'info' : 'debug'](
      { event: 'catch-up.round', ...counts, seconds: (this.time.now() - started) / 1000 },
      'searched for studies without a result',
    );
    return counts;
  }

  private isDue(study: Candidate): boolean {
    return (study.modalities?.some(mayConcern) ?? true) && !this.memory.isSettled(study);
  }

  /** @param listed the study's series as the search of many studies returned them; may be incomplete */
  private async lookAt(
    study: Candidate,
    listed: readonly CountedSeries[] | undefined,
    counts: { looked: number; told: number },
  ): Promise<void> {
    this.publisher.throwIfStopping();
    if (this.memory.isSettled(study)) return;
    counts.looked++;
    const found = await this.count(study.studyInstanceUid, isWhole(listed, study) ? listed : undefined);
    if (found === null) return;
    const isDone = found.reports >= found.films;
    const before = this.memory.recall(study, found);
    if (isDone && !(before === undefined && this.mayHaveChanged(study, found))) {
      this.memory.keep(study, 'done', found);
      return;
    }
    if (before === 'told') return;
    if (!isDone && before !== 'lacking' && !this.isFirstRound && !this.ports.source.lags) {
      this.memory.keep(study, 'lacking', found);
      return;
    }
    await this.publisher.publish({ studyInstanceUid: study.studyInstanceUid, source: { system: CATCH_UP } });
    this.memory.keep(study, isDone ? 'done' : 'told', found);
    counts.told++;
  }

  /**
   * Whether a study with a report for each film may need work all the same: pixels are compared, or films were rejected
   * or deleted.
   */
  private mayHaveChanged(study: Candidate, { films, reports, notes }: Found): boolean {
    const isCompared = this.options.compareFilms === true && films > 0;
    return isCompared || (films + reports > 0 && (notes > 0 || this.memory.hadNotes(study)));
  }

  /**
   * Counts the films of a study, those with a report of any version of Hilum, and the key object selections. One query,
   * where the series are not listed already; where a film may have several reports, the reports are read. Null when the
   * archive refuses the query.
   */
  private async count(study: Uid, listed?: readonly CountedSeries[]): Promise<Found | null> {
    try {
      const series = listed ?? (await this.ports.findSeries(study));
      const instancesOf = (wanted: typeof series) => wanted.reduce((sum, { instances }) => sum + (instances ?? 1), 0);
      const reports = series.filter(
        ({ modality, description }) => modality === 'SR' && description.startsWith(REPORT_NAME),
      );
      const films = instancesOf(series.filter(({ modality }) => FILM_MODALITIES.has(modality)));
      const byFilm = instancesOf(reports.filter(({ isByFilm = false }) => isByFilm));
      const counted = instancesOf(reports);
      const isClear = films <= 1 || counted < films || byFilm >= films;
      const notes = instancesOf(series.filter(({ modality }) => modality === KEY_OBJECTS));
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

/** Whether the listed series are all of the study, by its number of instances. */
function isWhole(listed: readonly CountedSeries[] | undefined, { instances }: Candidate): boolean {
  if (listed === undefined || instances === null) return false;
  return listed.reduce((sum, series) => sum + (series.instances ?? NaN), 0) === instances;
}
