import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema, type Config } from './base/config';
import { diskProblem } from './base/disk';
import { describeError, HilumError } from './base/errors';
import { sleep } from './base/retry';
import type { Log } from './base/log';
import { CatchUp, type CatchUpPorts } from './catch-up/catch-up';
import { changesOf } from './catch-up/changes';
import { cursorFile } from './catch-up/cursor';
import { REANALYZE, reanalyze, type AskedStudy, type ReanalysisTarget } from './catch-up/reanalyze';
import { studySweep } from './catch-up/study-sweep';
import { Teller, type TellerPorts } from './catch-up/teller';
import { BROKER_STATES, connectBroker, type Broker } from './client/amqp';
import type { BrokerDelivery } from './client/delivery';
import { dicomWebArchive, type DicomWebArchive } from './client/dicomweb';
import { orthancChanges } from './client/orthanc';
import { STUDY_ROUTING_KEY } from './client/topology';
import { REPORT_NAME } from './dicom/structured-report';
import { deriveUid, type Uid } from './dicom/uid';
import { createListener, FAILURE_CODES, STUDY_RESULTS, type StudyEvent } from './listener';
import { compareWith, lastDays, referenceOf } from './evaluation/drift';
import { DriftBook, readPages } from './evaluation/drift-book';
import { ShadowFile } from './evaluation/shadow-book';
import type { ModelManifest } from './model/manifest';
import { openModel } from './model/session';
import { auditOf } from './pipeline/audit';
import { DecoderThread } from './pipeline/decoder-thread';
import type { AnalysisIdentity, AnalysisModel } from './pipeline/encode';
import { plausibilityOf } from './pipeline/lungs';
import { runStudy, type Line } from './pipeline/pipeline';
import { shadowStudy } from './pipeline/shadow';
import type { FilmObserver } from './pipeline/stage';
import { createTriage } from './triage/triage';
import { healthApp, listen, type Check } from './web/health';
import { createMetrics, type Metrics } from './web/metrics';

export type { AskedStudy, ReanalysisTarget };

const ROOT = join(__dirname, '..');
export const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
/** The models that come with Hilum. */
export const SHIPPED_MODELS = join(ROOT, 'models');

/** Less than this and the service is not ready: what it keeps on disk is small, but must not fail. */
const LEAST_FREE_BYTES = 100_000_000;

export interface App {
  /** Resolves once health is served; the broker and the archive may come later. */
  start(): Promise<{ port: number }>;
  /** Takes no new study, waits for the film in hand within the configured time, returns its study, then closes all. */
  stop(): Promise<void>;
}

/** Loads the models and puts the line together; the site's own operating point goes before the classifier's. @throws HilumError MODEL_INVALID, MODEL_DIGEST_MISMATCH or ENGINE_UNAVAILABLE. */
export async function openLine(models: Config['models'], results: Config['results'], decode: Config['decode'] = configSchema.shape.decode.parse({}), log?: Log, { threshold: own, shortcutAudit }: Config['classification'] = { shortcutAudit: 'off' }): Promise<Line> {
  const dir = models.dir ?? SHIPPED_MODELS;
  const open = (id: string) => openModel(dir, id, models.threads);
  const gate = models.gate === 'off' ? null : await open(models.gate);
  const [view, lungs, classifier] = [await open(models.view), await open(models.lungs), await open(models.classifier)];
  const threshold = own ?? classifier.manifest.operatingPoint.threshold;
  const audit = shortcutAudit === 'off' ? null : auditOf(await open(shortcutAudit), classifier, threshold);
  const all = [view, ...(gate ? [gate] : []), lungs, classifier].map(({ manifest }) => describeModel(manifest));
  const positive = classifier.manifest.classes[classifier.manifest.positive];
  if (positive?.code === undefined) throw new HilumError('MODEL_INVALID', 'permanent', `${models.classifier}: the positive class has no code`);
  const settled: Omit<AnalysisIdentity, 'startedAt'> = {
    softwareVersion: VERSION,
    device: { name: 'Hilum', manufacturer: 'Hilum', model: 'Hilum chest-film triage' },
    models: [...all, ...(audit ? [{ ...describeModel(audit.model.manifest), task: 'audit' as const }] : [])],
    classifier: { positive: { label: positive.label, code: positive.code }, threshold },
    srClass: results.reportClass,
    objects: { heatMap: results.heatMap, segmentation: results.segmentation, parametricMap: results.parametricMap, presentationState: results.presentationState },
  };
  const reader = new DecoderThread({
    timeoutMs: decode.timeoutMs,
    onLost: (why, task) => log?.warn({ event: 'decoder.lost', why, task }, 'a film ended the decoder thread; the next one gets a new thread'),
  });
  return { reader, models: { view, gate, lungs, classifier }, plausibility: plausibilityOf(lungs.manifest), audit, identity: () => ({ ...settled, startedAt: new Date() }) };
}

function describeModel({ id, version, title, sha256, task, input }: ModelManifest): AnalysisModel {
  return { id, version, title, sha256, task, input: describeInput(input) };
}

const REGIONS: Readonly<Record<ModelManifest['input']['region'], string>> = { film: 'whole film', lungs: 'lungs only', removed: 'film without lungs' };

function describeInput({ shape: [, , rows, columns], region }: ModelManifest['input']): string {
  return `${rows} x ${columns} grey, ${REGIONS[region]}`;
}

/** The archive as configured. */
export function openArchive(config: Config, log?: Log): DicomWebArchive {
  return dicomWebArchive(config.archive, log);
}

/** The broker is connected in the background: the catch-up gives it this long before it calls it away (milliseconds). */
const BROKER_WAIT_MS = 10_000;

export interface RunningCatchUp {
  start(): void;
  stop(): Promise<void>;
}

/** Where Hilum puts events of its own. */
function workQueue(broker: Broker): TellerPorts {
  return {
    tell: (event: StudyEvent) => broker.publish(broker.topology.study.name, STUDY_ROUTING_KEY, Buffer.from(JSON.stringify(event)), { mandatory: true }),
    depth: async () => {
      await broker.ready(BROKER_WAIT_MS);
      return broker.depth();
    },
  };
}

/** Studies to be analysed anew, each when it is asked for: at the pace of the catch-up, and only while there is room. Without a broker nothing is asked for. */
export function openReanalysis(config: Config, archive: DicomWebArchive, broker: Broker | null, onFull: (waiting: number) => void): (target: ReanalysisTarget) => AsyncIterable<AskedStudy> {
  const teller = broker && new Teller(workQueue(broker), { ...config.catchUp, stopping: new AbortController().signal, onFull }, { now: Date.now, sleep });
  return (target) => reanalyze(target, archive, async (studyInstanceUid) => teller?.tell({ studyInstanceUid, source: { system: REANALYZE }, reanalyze: true, priority: 'routine' }));
}

type CountedSeries = Awaited<ReturnType<CatchUpPorts['findSeries']>>[number];

/** The series of a study as the catch-up counts them: in shadow mode no report is ever in the archive, so what the book has stands for one. */
export async function seriesWithShadow(study: Uid, archive: { findSeries(study: Uid): Promise<readonly CountedSeries[]> }, book: Pick<ShadowFile, 'filmsOf'> | null): Promise<readonly CountedSeries[]> {
  const series = await archive.findSeries(study);
  return book === null ? series : [...series, { modality: 'SR', description: REPORT_NAME, instances: book.filmsOf(study) }];
}

/** The catch-up as configured; null where it is off. */
export function openCatchUp(config: Config, archive: DicomWebArchive, broker: Broker, log: Log, book: ShadowFile | null = null): RunningCatchUp | null {
  const { kind, orthancUrl, windowDays } = config.catchUp;
  if (kind === 'off') return null;
  const orthanc = kind === 'orthanc' && orthancUrl !== undefined ? orthancChanges({ ...config.archive, url: orthancUrl }) : null;
  const source = orthanc === null ? studySweep(archive, windowDays) : changesOf(orthanc, cursorFile(config.state.dir), windowDays, log);
  const catchUp = new CatchUp({ source, findSeries: (study) => seriesWithShadow(study, archive, book), ...workQueue(broker) }, config.catchUp, log);
  return {
    start: () => catchUp.start(),
    stop: async () => {
      await catchUp.stop();
      await orthanc?.close();
    },
  };
}

/** The counts of this process, and all workers' counts of the last days against the classifier's reference. */
function openDrift(config: Config, classifier: ModelManifest, log: Log) {
  const book = new DriftBook(config.state.dir, (error) => log.warn({ event: 'drift.unwritten', error: describeError(error) }, "the counts for drift can't be written"));
  const reference = referenceOf(classifier);
  return { book, rows: () => (reference === null ? [] : compareWith(reference, readPages(config.state.dir, ...lastDays(config.drift.days, new Date())).page)) };
}

function observerOf(metrics: Metrics, book: DriftBook | null): FilmObserver {
  if (book === null) return metrics;
  return {
    stage: (stage, seconds) => metrics.stage(stage, seconds),
    film(result) {
      metrics.film(result);
      book.film(result);
    },
    measured: (measures) => book.measured(measures),
  };
}

/** Creates everything, once; tests bring a line of their own. Nothing runs before `start`. @throws HilumError of the models. */
export async function createApp(config: Config, log: Log, ownLine?: Line): Promise<App> {
  const opened = ownLine ?? (await openLine(config.models, config.results, config.decode, log, config.classification));
  const archive = openArchive(config, log);
  const broker = connectBroker(config.broker, log);
  const drift = config.drift.enabled ? openDrift(config, opened.models.classifier.manifest, log) : null;
  const metrics = createMetrics({ version: VERSION, studyResults: STUDY_RESULTS, failureCodes: FAILURE_CODES, brokerStates: BROKER_STATES, brokerState: () => broker.state(), queues: () => broker.depths(), queueAges: () => broker.ages(), ...(drift ? { drift: drift.rows } : {}) });
  const line: Line = { ...opened, observer: observerOf(metrics, drift?.book ?? null) };
  const book = config.results.mode === 'shadow' ? await ShadowFile.open(config.state.dir) : null;
  let isStopping = false;
  const listener = createListener({ runStudy: (study, options) => (book === null ? runStudy(study, options, line, { archive, announcer: broker }) : shadowStudy(study, options, line, archive, book)), retry: { delaysMs: config.broker.retryDelaysMs, limit: config.broker.retryLimit }, log, observer: metrics, sliceMs: config.studySliceMs, isStopping: () => isStopping });
  const work = (delivery: BrokerDelivery) => {
    // Counted when its work begins: not when it comes back from a worker that died and is put back, nor when it goes on.
    if (!delivery.redelivered && delivery.slices === 0 && delivery.waitedSeconds !== null) metrics.waited(delivery.priority, delivery.waitedSeconds);
    return listener(delivery);
  };
  const { rules, timeoutMs } = config.priority;
  const classify = createTriage({ archive, rules, timeoutMs, log });
  const catchUp = openCatchUp(config, archive, broker, log, book);
  const checks: Check[] = [
    { name: 'broker', look: async () => (broker.state() === 'connected' ? null : `not connected to the broker (${broker.state()})`) },
    // A query for a study that nobody has: cheap, and needs the archive to be there and to let us in.
    { name: 'archive', look: async () => archive.findInstances(deriveUid(['readiness'])).then(() => null) },
    { name: 'disk', look: async () => diskProblem(config.catchUp.kind === 'orthanc' || book !== null ? [tmpdir(), config.state.dir] : [tmpdir()], LEAST_FREE_BYTES) },
  ];
  let web: Awaited<ReturnType<typeof listen>> | undefined;
  return {
    async start() {
      web = await listen(healthApp(checks, metrics), config.http.host, config.http.port);
      for (const { id, version, sha256 } of line.identity().models) log.info({ event: 'model.loaded', id, version, sha256 }, `model ${id} ${version}`);
      log.info({ event: 'http.listening', host: config.http.host, port: web.port, version: VERSION }, 'health is served');
      await broker.consume(work, config.broker.prefetch, { classify, routineEvery: config.priority.routineEvery });
      catchUp?.start();
      return { port: web.port };
    },
    async stop() {
      isStopping = true;
      await catchUp?.stop();
      await broker.stop(config.stopTimeoutMs);
      await line.reader.close();
      await archive.close();
      await book?.close();
      await web?.close();
      log.info({ event: 'service.stopped' }, 'service stopped');
    },
  };
}
