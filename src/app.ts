import express from 'express';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSinks } from './app/deliveries';
import { configSchema, type Config } from './base/config';
import { diskProblem } from './base/disk';
import { describeError, HilumError } from './base/errors';
import type { Priority } from './base/priority';
import { limited } from './base/limited';
import { sleep } from './base/retry';
import type { Log } from './base/log';
import { CatchUp, type CatchUpPorts } from './catch-up/catch-up';
import { changesOf } from './catch-up/changes';
import { cursorFile } from './catch-up/cursor';
import { REANALYZE, reanalyze, type AskedStudy, type ReanalysisTarget } from './catch-up/reanalyze';
import { studiesBetween, studySweep } from './catch-up/study-sweep';
import { Teller, type TellerPorts } from './catch-up/teller';
import { BROKER_STATES, connectBroker, type Broker } from './client/amqp';
import { deadLanes, sortDeadLetters, type DeadLetter, type Fate } from './client/dead-letters';
import type { BrokerDelivery } from './client/delivery';
import { dicomWebArchive, type DicomWebArchive } from './client/dicomweb';
import { orthancChanges } from './client/orthanc';
import { connectSyslog } from './client/syslog';
import { STUDY_ROUTING_KEY } from './client/topology';
import { trustingFetch } from './client/trusting-fetch';
import { REPORT_NAME } from './dicom/structured-report';
import { deriveUid, type Uid } from './dicom/uid';
import { createListener, FAILURE_CODES, STUDY_RESULTS, type StudyEvent } from './listener';
import { compareWith, lastDays, referenceOf } from './evaluation/drift';
import { DriftBook, readPages } from './evaluation/drift-book';
import { ShadowFile } from './evaluation/shadow-book';
import { openAccounts } from './list/accounts';
import { openApiTokens, openSessions } from './list/sessions';
import { createRunner, DELIVERY_RESULTS, type RunnerOptions } from './delivery/runner';
import { openDatabase, type Database } from './list/database';
import { Progress } from './list/progress';
import { listSink } from './list/sink';
import { Worklist } from './list/worklist';
import type { ModelManifest } from './model/manifest';
import { openModel } from './model/session';
import { auditOf } from './pipeline/audit';
import { DecoderThread } from './pipeline/decoder-thread';
import type { AnalysisIdentity, AnalysisModel } from './pipeline/encode';
import { plausibilityOf } from './pipeline/lungs';
import { runStudy, type Line } from './pipeline/pipeline';
import { shadowStudy } from './pipeline/shadow';
import type { FilmObserver, ResultEvent } from './pipeline/stage';
import { loadRecord } from './results/load-record';
import type { Sink } from './results/sink';
import { createTriage } from './triage/triage';
import { createAccess, protect, type Access } from './web/access/access';
import { Directory } from './web/access/directory';
import type { AccessStores } from './web/access/session-book';
import { createRecorder, type AuditRecorder } from './web/audit/recorder';
import { AuditTrail } from './web/audit/trail';
import { addHealth, listen, type Check } from './web/health';
import { readingListWeb, type ListParts, type ReadingListWeb } from './web/list-app';
import { createMetrics, type Metrics } from './web/metrics';
import type { DeadLetters } from './web/operator-routes';

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
  return { reader: openReader(decode, log), models: { view, gate, lungs, classifier }, plausibility: plausibilityOf(lungs.manifest), audit, identity: () => ({ ...settled, startedAt: new Date() }) };
}

function openReader({ timeoutMs }: Config['decode'], log?: Log): DecoderThread {
  return new DecoderThread({ timeoutMs, onLost: (why, task) => log?.warn({ event: 'decoder.lost', why, task }, 'a film ended the decoder thread; the next one gets a new thread') });
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

/** Studies that may have a report of Hilum, by name or of some days, the newest weeks first: one page of the archive at a time. */
export async function* reportedStudies(archive: DicomWebArchive, target: ReanalysisTarget): AsyncGenerator<Uid> {
  if ('studies' in target) return yield* target.studies;
  for await (const studies of studiesBetween(archive, target.from, target.to)) {
    for (const { studyInstanceUid, modalities } of studies) if (modalities === null || modalities.includes('SR')) yield studyInstanceUid;
  }
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

function accessStores(database: Database): AccessStores {
  return { accounts: openAccounts(database), sessions: openSessions(database), tokens: openApiTokens(database) };
}

/** The audit trail as configured; its file is made when there is something to write. */
export function openRecorder({ audit }: Config, log: Log, spoolName = ''): AuditRecorder {
  const { dir = '', syslog } = audit;
  const outlet = syslog === undefined ? null : connectSyslog({ ...syslog, dir: join(dir, spoolName) }, log);
  return createRecorder(new AuditTrail({ dir, maxFileBytes: audit.maxFileBytes }, outlet), { id: audit.sourceId, siteId: audit.enterpriseSiteId });
}

/** The layer that the web is behind. `database` is null where nobody signs in. */
export function openAccess(config: Config, log: Log, database: Database | null): Access {
  const caFile = config.access.oidc?.caFile;
  return createAccess({ http: config.http, access: config.access, stores: database && accessStores(database), recorder: openRecorder(config, log), log, ...(caFile === undefined ? {} : { fetch: trustingFetch(caFile) }) });
}

/** Accounts and API tokens for the command line, with the audit trail that its changes go into. */
export function openDirectory(config: Config, log: Log): { directory: Directory; recorder: AuditRecorder; close(): Promise<void> } {
  const database = openDatabase(config.list.database ?? '', log);
  // What waits for the audit record repository is one process's own.
  const recorder = openRecorder(config, log, 'command-line');
  return { directory: new Directory(accessStores(database)), recorder, close: () => recorder.close().finally(() => database.close()) };
}

/** A certificate that was renewed is taken this often (milliseconds). */
const RENEWAL_MS = 3_600_000;

/** Where results go, and what reads from the archive the record that is told there. */
export interface Deliveries {
  readonly sinks: readonly Sink[];
  readonly loadRecord: RunnerOptions['loadRecord'];
}

/** The reading list: its database, what the service tells of studies on their way, and the sink of their results. */
export interface OpenedList {
  readonly database: Database;
  readonly worklist: Worklist;
  readonly progress: Progress;
  readonly sink: Sink;
}

/** The list as configured; null where it is off. The database is not opened before its first use. */
export function openList({ list }: Pick<Config, 'list'>, archive: Pick<DicomWebArchive, 'sightStudy'>, log: Log): OpenedList | null {
  if (!list.enabled || list.database === undefined) return null;
  const database = openDatabase(list.database, log);
  const worklist = new Worklist(database);
  return { database, worklist, progress: new Progress({ worklist, archive, log }), sink: listSink(worklist) };
}

/** Given-up messages of all queues, for the operators' page. One look at a time: each takes all letters in hand. */
function deadLettersOf(broker: Broker): DeadLetters {
  const inTurn = limited(1);
  const sort = (fate: Fate, id: string | null) =>
    inTurn(async () => {
      const met: DeadLetter[] = [];
      const isMeant = (letter: DeadLetter) => id === null || letter.id === id;
      for (const lane of await deadLanes(broker)) await sortDeadLetters(broker, (letter) => (isMeant(letter) ? fate : 'keep'), (letter) => void (isMeant(letter) && met.push(letter)), lane);
      return met;
    });
  return { list: () => sort('keep', null), replay: (id) => sort('replay', id), drop: (id) => sort('drop', id) };
}

interface ListWebParts extends Pick<ListParts, 'access' | 'archive' | 'checks' | 'log' | 'reader'> {
  readonly list: OpenedList | null;
  readonly broker: Broker;
  readonly models: readonly { readonly id: string; readonly version: string }[];
}

/** The reading list's pages and API; null where the list is off. */
export function openListWeb({ list: { viewers, pictureCacheMiB }, models: { dir } }: Config, { list, broker, models, ...shared }: ListWebParts): { routes: ReadingListWeb['routes']; close(): Promise<void> } | null {
  if (list === null) return null;
  const web = readingListWeb({ ...shared, worklist: list.worklist, cacheBytes: pictureCacheMiB * 1024 * 1024, viewers, queues: () => broker.depths(), ages: () => broker.ages(), deadLetters: deadLettersOf(broker), installed: { dir: dir ?? SHIPPED_MODELS, models }, version: VERSION });
  return {
    routes: web.routes,
    close: () => {
      web.close();
      return shared.reader.close();
    },
  };
}

/** Longest wait for the last notes of the reading list (milliseconds). */
const LIST_GRACE_MS = 5_000;

/** Creates everything, once; tests bring a line and sinks of their own. Nothing runs before `start`. @throws HilumError of the models. */
export async function createApp(config: Config, log: Log, ownLine?: Line, deliveries: Partial<Deliveries> = {}): Promise<App> {
  const opened = ownLine ?? (await openLine(config.models, config.results, config.decode, log, config.classification));
  const archive = openArchive(config, log);
  const list = openList(config, archive, log);
  const sinks = [...(deliveries.sinks ?? openSinks(config)), ...(list === null ? [] : [list.sink])];
  const recordOf = deliveries.loadRecord ?? ((event: ResultEvent) => loadRecord(event, archive));
  const broker = connectBroker({ ...config.broker, sinks: sinks.map(({ name }) => name) }, log);
  const drift = config.drift.enabled ? openDrift(config, opened.models.classifier.manifest, log) : null;
  const metrics = createMetrics({
    version: VERSION, studyResults: STUDY_RESULTS, failureCodes: FAILURE_CODES, brokerStates: BROKER_STATES, brokerState: () => broker.state(), queues: () => broker.depths(), queueAges: () => broker.ages(),
    sinks: sinks.map(({ name }) => name), deliveryResults: DELIVERY_RESULTS, sinkQueues: () => broker.sinkDepths(),
    ...(drift ? { drift: drift.rows } : {}),
  });
  const retry = { delaysMs: config.broker.retryDelaysMs, limit: config.broker.retryLimit };
  const line: Line = { ...opened, observer: observerOf(metrics, drift?.book ?? null) };
  const book = config.results.mode === 'shadow' ? await ShadowFile.open(config.state.dir) : null;
  let isStopping = false;
  const listener = createListener({ runStudy: (study, options) => (book === null ? runStudy(study, options, line, { archive, announcer: broker }) : shadowStudy(study, options, line, archive, book)), retry, log, observer: metrics, progress: list?.progress, sliceMs: config.studySliceMs, isStopping: () => isStopping });
  const work = (delivery: BrokerDelivery, priority: Priority) => {
    // Counted when its work begins: not when it comes back from a worker that died and is put back, nor when it goes on.
    if (!delivery.redelivered && delivery.slices === 0 && delivery.waitedSeconds !== null) metrics.waited(priority, delivery.waitedSeconds);
    return listener(delivery);
  };
  const { rules, timeoutMs } = config.priority;
  const classify = createTriage({ archive, rules, timeoutMs, log, onStudy: (study, priority) => list?.progress.waiting(study, priority) });
  const catchUp = openCatchUp(config, archive, broker, log, book);
  const checks: Check[] = [
    { name: 'broker', look: async () => (broker.state() === 'connected' ? null : `not connected to the broker (${broker.state()})`) },
    // A query for a study that nobody has: cheap, and needs the archive to be there and to let us in.
    { name: 'archive', look: async () => archive.findInstances(deriveUid(['readiness'])).then(() => null) },
    { name: 'disk', look: async () => diskProblem(config.catchUp.kind === 'orthanc' || book !== null || list?.database.kind === 'sqlite' ? [tmpdir(), config.state.dir] : [tmpdir()], LEAST_FREE_BYTES) },
  ];
  // The list's own, where there is a list: one connection for both.
  const database = list?.database ?? (config.access.kind === 'none' ? null : openDatabase(config.list.database ?? '', log));
  const access = openAccess(config, log, database);
  // A thread of its own: whoever looks at pictures holds up no analysis.
  const listWeb = openListWeb(config, { list, reader: ownLine?.reader ?? openReader(config.decode, log), archive, broker, access, checks, log, models: line.identity().models });
  let web: Awaited<ReturnType<typeof listen>> | undefined;
  let renewal: NodeJS.Timeout | undefined;
  return {
    async start() {
      const app = protect(access, express(), (routes) => {
        addHealth(routes, access, checks, metrics);
        if (listWeb !== null) routes.use(listWeb.routes);
      });
      web = await listen(app, config.http.host, config.http.port, config.http.tls);
      await access.begin();
      renewal = setInterval(() => renewCertificate(web, log), RENEWAL_MS).unref();
      for (const { id, version, sha256 } of line.identity().models) log.info({ event: 'model.loaded', id, version, sha256 }, `model ${id} ${version}`);
      log.info({ event: 'http.listening', host: config.http.host, port: web.port, version: VERSION }, 'health is served');
      await broker.consume(work, config.broker.prefetch, { classify, routineEvery: config.priority.routineEvery });
      for (const sink of sinks) await broker.consumeSink(sink.name, createRunner({ sink, loadRecord: recordOf, retry, log, observer: metrics }));
      catchUp?.start();
      return { port: web.port };
    },
    async stop() {
      isStopping = true;
      await catchUp?.stop();
      await broker.stop(config.stopTimeoutMs);
      for (const sink of sinks) await sink.close?.();
      await list?.progress.stop(LIST_GRACE_MS);
      await line.reader.close();
      await archive.close();
      await book?.close();
      clearInterval(renewal);
      await listWeb?.close();
      await web?.close();
      await access.close();
      await database?.close();
      log.info({ event: 'service.stopped' }, 'service stopped');
    },
  };
}

function renewCertificate(web: { renew(): void } | undefined, log: Log): void {
  try {
    web?.renew();
  } catch (error) {
    log.error({ event: 'http.certificate-unusable', code: error instanceof HilumError ? error.code : undefined }, 'the new certificate can not be used; the old one stays');
  }
}
