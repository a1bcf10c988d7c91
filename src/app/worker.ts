import type { DicomWebArchive } from '../archive/dicomweb';
import type { StudyCache } from '../archive/study-cache';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ProgressNotes } from '../events/progress-event';
import type { ShadowFileStore } from '../monitoring/shadow-store';
import type { StudyPipeline } from '../pipeline/film-work';
import { shadowStudy } from '../pipeline/shadow';
import { runStudy } from '../pipeline/study';
import type { Broker, StudyHandler } from '../queue/broker';
import { createStudyConsumer, type StudyConsumerOptions } from '../study-consumer';
import { createTriage } from '../triage/triage';
import type { Metrics } from '../web/metrics';
import { concurrencyOf } from './analysis';

export interface WorkerParts {
  readonly pipeline: StudyPipeline;
  readonly archive: DicomWebArchive;
  /** Answers of the archive from when studies were sorted by priority. */
  readonly studyCache: StudyCache;
  readonly broker: Broker;
  /** Outcomes of shadow mode; null in any other mode. */
  readonly shadowStore: ShadowFileStore | null;
  /** Null where no reading list is kept. */
  readonly progress: ProgressNotes | null;
  readonly metrics: Metrics;
}

/** Consumes study events: sorts studies by urgency and analyses them. */
export interface OpenedWorker {
  start(): Promise<void>;
  /** Called at shutdown: from now on a study returns to the queue after the film in work. */
  stopping(): void;
  close(): Promise<void>;
}

export function openWorker(config: Config, parts: WorkerParts, log: Log): OpenedWorker {
  const { studyCache, broker, shadowStore, progress } = parts;
  const { rules, timeoutMs, routineEvery } = config.priority;
  let isStopping = false;
  const handler = studyHandler(config, parts, log, () => isStopping);
  const classify = createTriage({
    archive: studyCache,
    rules,
    timeoutMs,
    log,
    onStudy: (study, priority) => progress?.waiting(study, priority),
  });
  return {
    start: () => broker.consume(handler, prefetchOf(config), { classify, routineEvery }),
    stopping: () => void (isStopping = true),
    async close() {
      await shadowStore?.close();
    },
  };
}

/** Unacknowledged studies held: one more than are analysed at the same time, as its films are fetched meanwhile. */
function prefetchOf(config: Config): number {
  const { prefetch } = config.broker;
  return prefetch === 'auto' ? concurrencyOf(config) + 1 : prefetch;
}

function studyHandler(
  config: Config,
  { pipeline, archive, studyCache, broker, shadowStore, progress, metrics }: WorkerParts,
  log: Log,
  isStopping: () => boolean,
): StudyHandler {
  const runLive: StudyConsumerOptions['runStudy'] = async (study, options) => {
    const instances = options.redelivered ? null : studyCache.takeInstances(study);
    try {
      return await runStudy(study, { ...options, instances }, pipeline, { archive, announcer: broker });
    } finally {
      studyCache.forgetInstances(study);
    }
  };
  const run: StudyConsumerOptions['runStudy'] =
    shadowStore === null ? runLive : (study, options) => shadowStudy(study, options, pipeline, archive, shadowStore);
  const consumer = createStudyConsumer({
    runStudy: run,
    retry: { delaysMs: config.broker.retryDelaysMs, limit: config.broker.retryLimit },
    log,
    observer: metrics,
    progress: progress ?? undefined,
    sliceMs: config.studySliceMs,
    isStopping,
  });
  return (message, priority) => {
    // The waiting time is counted when a study is first taken up: not when it is redelivered after a worker died, nor
    // when it is continued.
    if (!message.redelivered && message.slices === 0 && message.waitedSeconds !== null)
      metrics.waited(priority, message.waitedSeconds);
    return consumer(message);
  };
}
