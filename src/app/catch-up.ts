import type { DicomWebArchive } from '../archive/dicomweb';
import { orthancChanges } from '../archive/orthanc';
import type { Log } from '../base/log';
import { sleep } from '../base/retry';
import { CatchUp, type CountedSeries } from '../catch-up/catch-up';
import { changesOf } from '../catch-up/changes';
import { coveredFilms } from '../catch-up/covered-films';
import { cursorFile } from '../catch-up/cursor';
import { type AskedStudy, countUndated, type ReanalysisTarget, REANALYZE, reanalyze } from '../catch-up/reanalyze';
import type { Source } from '../catch-up/source';
import { type ListedStudy, type StudyFinder, studySweep } from '../catch-up/study-sweep';
import { EventPublisher, type EventPublisherPorts } from '../catch-up/event-publisher';
import type { Config } from '../config/config';
import type { Uid } from '../dicom/uid';
import type { StudyEvent } from '../events/study-event';
import type { ShadowFileStore } from '../monitoring/shadow-store';
import { REPORT_NAME } from '../objects/structured-report';
import type { Broker } from '../queue/broker';
import { STUDY_ROUTING_KEY } from '../queue/topology';
import { openArchive } from './archive';
import { withBroker } from './broker';

export type { AskedStudy, ReanalysisTarget };

/** The broker connects in the background: the catch-up waits this long before it reports it as away (milliseconds). */
const BROKER_WAIT_MS = 10_000;

export interface RunningCatchUp {
  start(): void;
  stop(): Promise<void>;
}

/** The queue that events made by Hilum itself are published to. */
function workQueue(broker: Broker): EventPublisherPorts {
  return {
    publish: (event: StudyEvent) =>
      broker.publish(broker.topology.study.name, STUDY_ROUTING_KEY, Buffer.from(JSON.stringify(event)), {
        mandatory: true,
      }),
    depth: async () => {
      await broker.ready(BROKER_WAIT_MS);
      return broker.depth();
    },
  };
}

export interface ReanalysisOptions {
  /** Only lists the studies: the broker is not connected. */
  readonly dryRun: boolean;
  /** Called when the queue is full, with the number of studies that wait in it. */
  readonly onFull: (waiting: number) => void;
  /** Called for each study when it is done, so that a later failure does not hide it. */
  readonly onStudy: (study: AskedStudy) => void;
  /**
   * Called at the end of a search by days with the number of studies that have no Study Date and were left out; null:
   * not known.
   */
  readonly onUndated: (studies: number | null) => void;
}

/**
 * Publishes an event with `reanalyze` for each study, at the pace of the catch-up and only while the queue has room.
 * @throws HilumError of the archive or the broker
 */
export async function askForReanalysis(
  config: Config,
  target: ReanalysisTarget,
  { dryRun, onFull, onStudy, onUndated }: ReanalysisOptions,
): Promise<void> {
  const archive = openArchive(config);
  const askAll = async (ask: (study: Uid) => Promise<void>) => {
    for await (const study of reanalyze(target, archive, ask)) onStudy(study);
  };
  try {
    await (dryRun
      ? askAll(() => Promise.resolve())
      : withBroker(config.broker, (broker) => askAll(reanalysisQueue(config, broker, onFull))));
    if ('from' in target) onUndated(await countUndated(archive));
  } finally {
    await archive.close();
  }
}

function reanalysisQueue(config: Config, broker: Broker, onFull: (waiting: number) => void) {
  const publisher = new EventPublisher(
    workQueue(broker),
    { ...config.catchUp, stopping: new AbortController().signal, onFull },
    { now: Date.now, sleep },
  );
  return (studyInstanceUid: Uid) =>
    publisher.publish({ studyInstanceUid, source: { system: REANALYZE }, reanalyze: true, priority: 'routine' });
}

/**
 * Series of a study as the catch-up counts them. In shadow mode the stored outcomes count as reports: reports in the
 * archive are of a live service, which may run beside this one with other models.
 */
export async function seriesWithShadow(
  study: Uid,
  archive: { findSeries(study: Uid): Promise<readonly CountedSeries[]> },
  shadowStore: Pick<ShadowFileStore, 'filmsOf'> | null,
): Promise<readonly CountedSeries[]> {
  const series = await archive.findSeries(study);
  return shadowStore === null
    ? series
    : [
        ...series.filter(({ description }) => !description.startsWith(REPORT_NAME)),
        { modality: 'SR', description: REPORT_NAME, instances: shadowStore.filmsOf(study), isByFilm: true },
      ];
}

/** The studies of the configured window, by the days of the site. */
export function sweepOf<S extends ListedStudy>(
  finder: StudyFinder<S>,
  { catchUp, list }: Pick<Config, 'catchUp' | 'list'>,
  log: Log,
): Source<S> {
  const onCut = (span: string) =>
    log.warn({ event: 'catch-up.search-cut', span }, 'the archive shows a part of its studies of a minute only');
  return studySweep(finder, catchUp.windowDays, Date.now, onCut, list.timeZone);
}

/** The catch-up as configured; null where it is off. */
export function openCatchUp(
  config: Config,
  archive: DicomWebArchive,
  broker: Broker,
  log: Log,
  shadowStore: ShadowFileStore | null = null,
): RunningCatchUp | null {
  const { kind, orthancUrl, windowDays } = config.catchUp;
  if (kind === 'off') return null;
  const orthanc =
    kind === 'orthanc' && orthancUrl !== undefined ? orthancChanges({ ...config.archive, url: orthancUrl }) : null;
  const source =
    orthanc === null
      ? sweepOf(archive, config, log)
      : changesOf(orthanc, cursorFile(config.state.dir), windowDays, log);
  const catchUp = new CatchUp(
    {
      source,
      findSeries: (study) => seriesWithShadow(study, archive, shadowStore),
      // In shadow mode studies are asked for one by one: stored outcomes are no objects of the archive.
      findSeriesOf: (studies) => (shadowStore === null ? archive.findSeriesOf(studies) : Promise.resolve(new Map())),
      coveredFilms: coveredFilms(archive),
      ...workQueue(broker),
    },
    config.catchUp,
    log,
  );
  return {
    start: () => catchUp.start(),
    stop: async () => {
      await catchUp.stop();
      await orthanc?.close();
    },
  };
}
