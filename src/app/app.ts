import type { DicomWebArchive } from '../archive/dicomweb';
import { StudyCache } from '../archive/study-cache';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { Role } from '../config/roles';
import type { ProgressEvent } from '../events/progress-event';
import { ShadowFileStore } from '../monitoring/shadow-store';
import type { Pipeline } from '../pipeline/pipeline';
import { type Broker, connectBroker } from '../queue/broker';
import type { Metrics } from '../web/metrics';
import { Outages } from '../web/outages';
import { TurnaroundCache } from '../worklist/turnaround-cache';
import { openAccess, type OpenedAccess } from './access';
import { analysisBy, openAnalysis, type OpenedAnalysis } from './analysis';
import { openArchive, openReadinessArchive } from './archive';
import { openAttributeWatch } from './attribute-watch';
import { openCatchUp } from './catch-up';
import { type Deliveries, openDeliveries, openSinks, sinkQueuesOf } from './deliveries';
import { VERSION } from './installed';
import { openReader } from './pipeline';
import { openList, type OpenedList, openListWeb, type OperationSources } from './list';
import { openMeasures } from './measures';
import { Opened } from './opened';
import { openProgress } from './progress';
import { readinessChecks, type ReadinessWatch, watchOthers, watchReadiness } from './readiness';
import { openRetention } from './retention';
import { openRis } from './ris';
import { openTracing } from './tracing';
import { type OpenedWeb, openWeb } from './web';
import { openWorker } from './worker';

export interface App {
  /** Resolves once the health routes are served. Broker and archive may connect later. */
  start(): Promise<{ port: number }>;
  /**
   * Takes no new study, waits for the film in work within the configured time, returns its study to the queue, and
   * closes everything.
   */
  stop(): Promise<void>;
}

/** Replacements that tests pass in. */
interface OwnParts extends Partial<Deliveries> {
  readonly analysisWorker?: string;
}

/** Longest wait for the last progress notes of the reading list (milliseconds). */
const LIST_GRACE_MS = 5_000;

/**
 * Creates all parts that the roles of this process need, once. Tests pass in a pipeline and sinks of their own. Nothing
 * runs before `start`.
 * @throws HilumError of the models
 */
export async function createApp(config: Config, log: Log, ownPipeline?: Pipeline, own: OwnParts = {}): Promise<App> {
  const opened = new Opened();
  const parts = await openParts(config, log, ownPipeline, own, opened).catch(async (error: unknown) => {
    await opened.close();
    throw error;
  });
  const stop = () => stopAll(config, parts, log);
  return {
    start: () =>
      startAll(config, parts, log).catch(async (error: unknown) => {
        await stop().catch(() => {});
        throw error;
      }),
    stop,
  };
}

type Parts = Awaited<ReturnType<typeof openParts>>;

async function startAll({ http }: Config, parts: Parts, log: Log): Promise<{ port: number }> {
  const { analysis, note, watch, ris, retention, broker, worker, deliveries, catchUp } = parts;
  const { readiness, othersWatch, web } = parts;
  const port = await web.start();
  for (const { id, version, sha256 } of analysis?.pipeline.identity().models ?? [])
    log.info({ event: 'model.loaded', id, version, sha256 }, `model ${id} ${version}`);
  log.info({ event: 'http.listening', host: http.host, port, version: VERSION }, 'health is served');
  await worker?.start();
  if (note !== null) await broker.consumeProgress(note);
  await deliveries.start();
  catchUp?.start();
  watch?.start();
  await ris?.start();
  retention.start();
  readiness.start();
  othersWatch?.start();
  return { port };
}

async function stopAll({ stopTimeoutMs }: Config, parts: Parts, log: Log): Promise<void> {
  const { analysis, archive, watched, list, watch, ris, retention, broker, worker, deliveries, catchUp } = parts;
  const { readiness, access, web, othersWatch, tracing } = parts;
  readiness.stop();
  othersWatch?.stop();
  worker?.stopping();
  await catchUp?.stop();
  await watch?.stop();
  await ris?.close();
  await retention.stop();
  await broker.stop(stopTimeoutMs);
  await deliveries.close();
  await list?.progress.stop(LIST_GRACE_MS);
  await worker?.close();
  await analysis?.close();
  await archive.close();
  await watched.close();
  await web.close();
  await access.close();
  await list?.database.close();
  await tracing?.close();
  log.info({ event: 'service.stopped' }, 'service stopped');
}

/** Opens the parts; null stands for what this process does not do. */
async function openParts(config: Config, log: Log, ownPipeline: Pipeline | undefined, own: OwnParts, opened: Opened) {
  const has = (role: Role) => config.roles.includes(role);
  const tracing = opened.add(await openTracing(config, log), (it) => it.close());
  const analysis = opened.add(
    has('worker')
      ? await (ownPipeline ? analysisBy(ownPipeline) : openAnalysis(config, log, own.analysisWorker))
      : null,
    (it) => it.close(),
  );
  const archive = opened.add(openArchive(config, log), (it) => it.close());
  const studyCache = new StudyCache(archive);
  const list = has('list') ? openList(config, studyCache.archiveWithCache(), log) : null;
  const sinks = [...(has('sinks') ? (own.sinks ?? openSinks(config, log)) : []), ...(list === null ? [] : [list.sink])];
  const broker = opened.add(connectBroker({ ...config.broker, ...sinkQueuesOf(config, sinks) }, log), (it) =>
    it.stop(0),
  );
  const turnaround = list && new TurnaroundCache({ worklist: list.worklist, timeZone: config.list.timeZone });
  const { metrics, observer, drift } = openMeasures(
    config,
    { classifier: analysis?.classifier ?? null, broker, sinks, turnaround },
    log,
  );
  const shadowStore =
    analysis !== null && config.results.mode === 'shadow' ? await ShadowFileStore.open(config.state.dir) : null;
  const watch = list && openAttributeWatch(config, list, archive, studyCache.archiveWithCache(), broker, log);
  const ris = openRis(config, list, metrics, log);
  const retention = openRetention(config, { database: list?.database ?? null, metrics }, log);
  const note =
    list &&
    ((event: ProgressEvent) => {
      list.progress.note(event);
      watch?.note(event);
    });
  const progress = openProgress(config, note, broker);
  const worker =
    analysis &&
    openWorker(
      config,
      { pipeline: { ...analysis.pipeline, observer }, archive, studyCache, broker, shadowStore, progress, metrics },
      log,
    );
  const failingSince = new Map<string, number>();
  const observers = { archive, broker, metrics, failingSince };
  const deliveries = openDeliveries(config, { ...own, sinks }, observers, log);
  const catchUp = has('catch-up') ? openCatchUp(config, archive, broker, log, shadowStore) : null;
  const operation = { turnaround, failingSince, drift };
  const front = openFront(config, { analysis, archive, list, operation, broker, metrics, opened, ownPipeline, log });
  const parts = { analysis, archive, list, note, watch, ris, broker, worker, deliveries, catchUp };
  return { tracing, retention, ...parts, ...front };
}

/** The parts that answer on the service's port, and the readiness checks. */
function openFront(
  config: Config,
  { analysis, archive, list, operation, broker, metrics, opened, ownPipeline, log }: FrontParts,
): OpenedFront {
  const watched = opened.add(openReadinessArchive(config), (it) => it.close());
  const access = openAccess(config, log, list?.database ?? null);
  const outages = new Outages();
  const { checks, local, others } = readinessChecks(config, {
    broker,
    archive: watched,
    database: access.database,
    outages,
  });
  // A decoder thread of its own, so that drawing pictures does not hold up the analysis.
  const reader = ownPipeline?.reader ?? openReader(config.decode, log);
  const models = analysis?.pipeline.identity().models ?? null;
  const listWeb = openListWeb(config, {
    list,
    operation: { ...operation, outages },
    ...{ reader, archive, broker, access, checks, log, models },
  });
  const web = openWeb(config, { access, checks, metrics, listWeb }, log);
  return {
    watched,
    access,
    readiness: watchReadiness(local, log),
    othersWatch: list && watchOthers(others),
    web,
  };
}

interface OpenedFront {
  readonly watched: DicomWebArchive;
  readonly access: OpenedAccess;
  readonly readiness: ReadinessWatch;
  /** Null where nobody can ask since when other systems have been away. */
  readonly othersWatch: ReadinessWatch | null;
  readonly web: OpenedWeb;
}

interface FrontParts {
  readonly analysis: OpenedAnalysis | null;
  readonly archive: DicomWebArchive;
  readonly list: OpenedList | null;
  readonly operation: Omit<OperationSources, 'outages'>;
  readonly broker: Broker;
  readonly metrics: Metrics;
  readonly opened: Opened;
  readonly ownPipeline: Pipeline | undefined;
  readonly log: Log;
}
