import type { Log } from './base/log';
import { describeSpan } from './base/trace';
import type { Uid } from './dicom/uid';
import type { ProgressNotes } from './events/progress-event';
import type { FilmResult, ResultEvent } from './events/result-event';
import { parseStudyEvent, type StudyEvent } from './events/study-event';
import { createConsumer, type Settled } from './queue/consume-loop';
import type { ConsumedMessage, MessageHandler } from './queue/message';
import type { RetryPolicy, Settlement } from './queue/retry-policy';

export const STUDY_RESULTS = ['done', 'nothing-new', 'gone', 'retry', 'dead', 'put-back'] as const;
type StudyResult = (typeof STUDY_RESULTS)[number];

/** Port: counts studies; `web/metrics` fits it by shape. */
interface StudyObserver {
  /** `reason`: the error code, for failed studies. */
  study(result: StudyResult, reason?: string): void;
}

/** Port: is informed of a study's progress. No method throws or waits. */
type StudyProgress = Omit<ProgressNotes, 'waiting'>;

interface StudyOptions {
  /** The study may have been worked on before. */
  readonly redelivered: boolean;
  readonly attempt: number;
  /** Films with a report of another version of Hilum are analysed again. */
  readonly reanalyze: boolean;
  /** Films are compared with the digests in their reports. */
  readonly compare: boolean;
  /** Called between two films: whether to throw STUDY_RETURNED. */
  readonly shouldReturn: () => boolean;
  /** Called for each key object selection that is not read, with the reason. */
  readonly onUnreadNote: (instance: Uid, why: string) => void;
}

export interface StudyConsumerOptions {
  /** Null where there was nothing new; `gone` where the archive has nothing of the study. */
  readonly runStudy: (study: Uid, options: StudyOptions) => Promise<ResultEvent | 'gone' | null>;
  readonly retry: RetryPolicy;
  readonly log: Log;
  readonly observer?: StudyObserver;
  readonly progress?: StudyProgress | undefined;
  /**
   * Longest time of work on a message before its study is returned between two films (milliseconds), as the broker's
   * acknowledgement time-out is limited.
   */
  readonly sliceMs?: number;
  /** Whether the service is stopping: then studies in work are returned between two films. */
  readonly isStopping?: () => boolean;
}

/** Makes the handler of study messages, which settles them by `queue/consume-loop`. */
export function createStudyConsumer(options: StudyConsumerOptions): MessageHandler {
  const { retry, log, observer = { study: () => {} }, progress } = options;
  return createConsumer<StudyEvent>({
    parse: parseStudyEvent,
    retry,
    log,
    async work(event, message, studyLog) {
      progress?.analysing(event.studyInstanceUid, message.attempt);
      const result = await work(event, message, options, studyLog);
      observer.study(result);
      describeSpan({ 'hilum.result': result });
      // A study that is gone has no row either, so that nothing waits for it.
      if (result === 'nothing-new' || result === 'gone') progress?.nothingNew(event.studyInstanceUid);
    },
    report(settled) {
      note(settled, observer);
      if (settled.event !== null && progress !== undefined)
        tell(settled.settlement, settled.event.studyInstanceUid, progress);
    },
  });
}

function tell(settlement: Settlement, study: Uid, progress: StudyProgress): void {
  switch (settlement.kind) {
    case 'ack':
      return;
    case 'retry':
      return progress.retry(study, settlement.reason, settlement.delayMs);
    case 'dead-letter':
      return progress.failed(study, settlement.reason);
    case 'continue-later':
    case 'requeue':
      return progress.returned(study);
  }
}

async function work(
  { studyInstanceUid: study, reanalyze = false, compareFilms = true }: StudyEvent,
  { attempt, hasFailed, lost, slices }: ConsumedMessage,
  { runStudy, sliceMs = Infinity, isStopping = () => false }: StudyConsumerOptions,
  log: Log,
): Promise<StudyResult> {
  const started = process.hrtime.bigint();
  const secondsGone = () => Number(process.hrtime.bigint() - started) / 1e9;
  log.debug({ event: 'study.received', attempt, lost, slices }, 'study received');
  const shouldReturn = () => isStopping() || secondsGone() * 1000 > sliceMs;
  const result = await runStudy(study, {
    // Also after a replay: results may be stored already without having been announced.
    redelivered: lost > 0 || attempt > 1 || hasFailed || slices > 0,
    attempt,
    reanalyze,
    compare: reanalyze || compareFilms,
    shouldReturn,
    onUnreadNote: (instance, reason) =>
      log.warn(
        { event: 'study.note-unread', instance, reason },
        'a key object selection is left alone: should it be a rejection note, it rejects nothing',
      ),
  });
  const seconds = secondsGone();
  if (result === null) {
    log.info({ event: 'study.nothing-new', seconds }, 'nothing new in this study');
    return 'nothing-new';
  }
  if (result === 'gone') {
    log.info({ event: 'study.gone', seconds }, 'the archive has nothing of this study any more');
    return 'gone';
  }
  for (const film of result.films) logFilm(film, log);
  log.info(
    { event: 'study.done', seconds, attempt, priority: result.priority, ...countOutcomes(result) },
    'study done',
  );
  return 'done';
}

/** The reason's code only, as its sentence may quote the film's header. */
function logFilm({ sopInstanceUid: film, outcome, reason, outputs }: FilmResult, log: Log): void {
  log.info(
    { event: `film.${outcome}`, film, ...(reason === null ? {} : { reason }), outputs: outputs.length },
    `film ${outcome}`,
  );
}

function countOutcomes({ films, skipped }: ResultEvent): Record<string, number> {
  const count = (outcome: string) => films.filter((film) => film.outcome === outcome).length;
  return {
    films: films.length,
    analysed: count('analysed'),
    notAnalysed: count('not-analysed'),
    rejected: count('rejected'),
    skippedSeries: skipped.length,
  };
}

function note({ settlement, message, log, fields }: Settled<StudyEvent>, observer: StudyObserver): void {
  switch (settlement.kind) {
    case 'ack':
      return;
    case 'retry':
      observer.study('retry', settlement.reason);
      log.warn(
        { event: 'study.retry', reason: settlement.reason, delaySeconds: settlement.delayMs / 1000, ...fields },
        'the study is tried again later',
      );
      return;
    case 'dead-letter':
      observer.study('dead', settlement.reason);
      return log.error(
        { event: 'study.dead', reason: settlement.reason, ...fields },
        'the study is given up; its message is in the dead queue',
      );
    case 'continue-later':
      return log.info(
        { event: 'study.returned', slices: message.slices + 1, ...fields },
        'the study goes back to the queue between two films',
      );
    case 'requeue':
      observer.study('put-back');
      log.info(
        { event: 'study.put-back', delaySeconds: settlement.delayMs / 1000, ...fields },
        'a redelivered message goes to the end of the queue',
      );
      return;
  }
}
