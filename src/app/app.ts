import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ResultEvent } from '../events/result-event';
import { ShadowFile } from '../monitoring/shadow-book';
import type { Line } from '../pipeline/pipeline';
import { connectBroker } from '../queue/broker';
import { triesWithin } from '../queue/retry-policy';
import { loadRecord } from '../sinks/load-record';
import { createRunner, type RunnerOptions } from '../sinks/runner';
import type { Sink } from '../sinks/sink';
import { openAccess } from './access';
import { openArchive } from './archive';
import { openCatchUp } from './catch-up';
import { openSinks, sinkQueuesOf } from './deliveries';
import { VERSION } from './installed';
import { openLine, openReader } from './line';
import { openList, openListWeb } from './list';
import { openMeasures } from './measures';
import { openStudies } from './studies';
import { openWeb, readinessChecks } from './web';

export interface App {
  /** Resolves once health is served; the broker and the archive may come later. */
  start(): Promise<{ port: number }>;
  /** Takes no new study, waits for the film in hand within the configured time, returns its study, then closes all. */
  stop(): Promise<void>;
}

/** Where results go, and what reads from the archive the record that is told there. */
export interface Deliveries {
  readonly sinks: readonly Sink[];
  readonly loadRecord: RunnerOptions['loadRecord'];
}

/** Longest wait for the last notes of the reading list (milliseconds). */
const LIST_GRACE_MS = 5_000;

/**
 * Creates everything, once; tests bring a line and sinks of their own. Nothing runs before `start`. @throws HilumError
 * of the models.
 */
export async function createApp(
  config: Config,
  log: Log,
  ownLine?: Line,
  deliveries: Partial<Deliveries> = {},
): Promise<App> {
  const opened = ownLine ?? (await openLine(config.models, config.results, config.decode, log, config.classification));
  const archive = openArchive(config, log);
  const list = openList(config, archive, log);
  const sinks = [...(deliveries.sinks ?? openSinks(config)), ...(list === null ? [] : [list.sink])];
  const sinkNames = sinks.map(({ name }) => name);
  const recordOf = deliveries.loadRecord ?? ((event: ResultEvent) => loadRecord(event, archive));
  const broker = connectBroker({ ...config.broker, ...sinkQueuesOf(config), sinks: sinkNames }, log);
  const { metrics, observer } = openMeasures(
    config,
    { classifier: opened.models.classifier.manifest, broker, sinks: sinkNames },
    log,
  );
  const line: Line = { ...opened, observer };
  const models = line.identity().models;
  const book = config.results.mode === 'shadow' ? await ShadowFile.open(config.state.dir) : null;
  const retry = { delaysMs: config.broker.retryDelaysMs, limit: config.broker.retryLimit };
  const deliveryRetry = { ...retry, awayLimit: triesWithin(config.deliveries.awayHours * 3_600_000, retry) };
  const studies = openStudies(config, { line, archive, broker, book, list, metrics, retry }, log);
  const catchUp = openCatchUp(config, archive, broker, log, book);
  const checks = readinessChecks(config, { broker, archive, list });
  const access = openAccess(config, log, list?.database ?? null);
  // A thread of its own: whoever looks at pictures holds up no analysis.
  const listWeb = openListWeb(config, {
    list,
    reader: ownLine?.reader ?? openReader(config.decode, log),
    archive,
    broker,
    access,
    checks,
    log,
    models,
  });
  const web = openWeb(config, { access, checks, metrics, listWeb }, log);
  return {
    async start() {
      const port = await web.start();
      for (const { id, version, sha256 } of models)
        log.info({ event: 'model.loaded', id, version, sha256 }, `model ${id} ${version}`);
      log.info({ event: 'http.listening', host: config.http.host, port, version: VERSION }, 'health is served');
      await broker.consume(studies.work, config.broker.prefetch, {
        classify: studies.classify,
        routineEvery: config.priority.routineEvery,
      });
      for (const sink of sinks)
        await broker.consumeSink(
          sink.name,
          createRunner({ sink, loadRecord: recordOf, retry: deliveryRetry, log, observer: metrics }),
        );
      catchUp?.start();
      return { port };
    },
    async stop() {
      studies.stopping();
      await catchUp?.stop();
      await broker.stop(config.stopTimeoutMs);
      for (const sink of sinks) await sink.close?.();
      await list?.progress.stop(LIST_GRACE_MS);
      await line.reader.close();
      await archive.close();
      await book?.close();
      await web.close();
      await access.close();
      await list?.database.close();
      log.info({ event: 'service.stopped' }, 'service stopped');
    },
  };
}
