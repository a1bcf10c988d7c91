import type { DicomWebArchive } from '../archive/dicomweb';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ShadowFile } from '../monitoring/shadow-book';
import { type Line, runStudy } from '../pipeline/pipeline';
import { shadowStudy } from '../pipeline/shadow';
import type { Broker, StudyHandler } from '../queue/broker';
import type { Classify } from '../queue/priority-router';
import type { RetryPolicy } from '../queue/retry-policy';
import { createStudyConsumer } from '../study-consumer';
import { createTriage } from '../triage/triage';
import type { Metrics } from '../web/metrics';
import type { OpenedList } from './list';

export interface StudiesParts {
  readonly line: Line;
  readonly archive: DicomWebArchive;
  readonly broker: Broker;
  /** Null but in shadow mode. */
  readonly book: ShadowFile | null;
  readonly list: OpenedList | null;
  readonly metrics: Metrics;
  readonly retry: RetryPolicy;
}

/** How a study is sorted and worked on. After `stopping` a study goes back to the queue after the film in hand. */
export function openStudies(
  config: Config,
  { line, archive, broker, book, list, metrics, retry }: StudiesParts,
  log: Log,
): { work: StudyHandler; classify: Classify; stopping(): void } {
  let isStopping = false;
  const run: Parameters<typeof createStudyConsumer>[0]['runStudy'] = (study, options) =>
    book === null
      ? runStudy(study, options, line, { archive, announcer: broker })
      : shadowStudy(study, options, line, archive, book);
  const consumer = createStudyConsumer({
    runStudy: run,
    retry,
    log,
    observer: metrics,
    progress: list?.progress,
    sliceMs: config.studySliceMs,
    isStopping: () => isStopping,
  });
  const { rules, timeoutMs } = config.priority;
  return {
    work(message, priority) {
      // Counted when its work begins: not when it comes back from a worker that died and is put back, nor when it goes
      // on.
      if (!message.redelivered && message.slices === 0 && message.waitedSeconds !== null)
        metrics.waited(priority, message.waitedSeconds);
      return consumer(message);
    },
    classify: createTriage({
      archive,
      rules,
      timeoutMs,
      log,
      onStudy: (study, priority) => list?.progress.waiting(study, priority),
    }),
    stopping: () => void (isStopping = true),
  };
}
