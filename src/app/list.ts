import type { DicomWebArchive } from '../archive/dicomweb';
import { limited } from '../base/limited';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { AnalysisIdentity } from '../pipeline/encode';
import type { Broker } from '../queue/broker';
import type { Sink } from '../sinks/sink';
import { type ListParts, readingListWeb, type ReadingListWeb } from '../web/api/list-app';
import type { DeadLetters } from '../web/api/operator-routes';
import { type Database, openDatabase } from '../worklist/database';
import { Progress } from '../worklist/progress';
import type { Outages } from '../web/outages';
import type { TurnaroundCache } from '../worklist/turnaround-cache';
import { listSink } from '../worklist/sink';
import { Worklist } from '../worklist/worklist';
import { type DeadLetter, type DeadLetterAction, processSelected } from './dead-letters';
import { DOCS_DIR, SHIPPED_MODELS, VERSION } from './installed';
import { installedOf } from './pipeline';

/** The reading list: its database, the progress of studies, and the sink for results. */
export interface OpenedList {
  readonly database: Database;
  readonly worklist: Worklist;
  readonly progress: Progress;
  readonly sink: Sink;
}

/** The list as configured; null where it is off. The database is not opened before its first use. */
export function openList(
  { list }: Pick<Config, 'list'>,
  archive: Pick<DicomWebArchive, 'findStudySummary'>,
  log: Log,
): OpenedList | null {
  if (!list.enabled) return null;
  const database = openDatabase(list.database, log);
  const worklist = new Worklist(database);
  return { database, worklist, progress: new Progress({ worklist, archive, log }), sink: listSink(worklist, log) };
}

/** Dead letters of all queues, for the operators' page. One request at a time, as each reads all letters. */
function deadLettersOf(broker: Broker): DeadLetters {
  const inTurn = limited(1);
  const sort = (action: DeadLetterAction, id: string | null, before: (letter: DeadLetter) => Promise<void>) =>
    inTurn(async () => {
      const met: DeadLetter[] = [];
      await processSelected(broker, { action, id }, { before, done: (letter) => void met.push(letter) });
      return met;
    });
  return {
    list: () => sort('keep', null, () => Promise.resolve()),
    replay: (id, before) => sort('replay', id, before),
    drop: (id, before) => sort('drop', id, before),
  };
}

/** What operators see beside the list. */
export interface OperationSources {
  readonly turnaround: TurnaroundCache | null;
  readonly failingSince: ReadonlyMap<string, number>;
  readonly outages: Outages;
  readonly drift: ListParts['drift'];
}

interface ListWebParts extends Pick<ListParts, 'access' | 'archive' | 'checks' | 'log' | 'reader'> {
  readonly list: OpenedList | null;
  readonly operation: OperationSources;
  readonly broker: Broker;
  /** Models that run in this process; null where it has no worker. */
  readonly models: AnalysisIdentity['models'] | null;
}

export interface OpenedListWeb {
  readonly routes: ReadingListWeb['routes'];
  close(): Promise<void>;
}

/** The reading list's pages and API; null where the list is off. */
export function openListWeb(
  config: Config,
  { list, operation, broker, models, ...shared }: ListWebParts,
): OpenedListWeb | null {
  const { turnaround, failingSince, outages, drift } = operation;
  if (list === null || turnaround === null) return null;
  const { viewers, pictureCacheMiB, claimMinutes, timeZone } = config.list;
  const web = readingListWeb({
    ...shared,
    worklist: list.worklist,
    cacheBytes: pictureCacheMiB * 1024 * 1024,
    pictureMs: config.retention.pictureDays * 86_400_000,
    viewers,
    claimMs: claimMinutes * 60_000,
    timeZone,
    queues: () => broker.depths(),
    ages: () => broker.ages(),
    deadLetters: deadLettersOf(broker),
    outages,
    workersConnected: () => broker.workers(),
    deliveries: () => broker.sinkDepths(),
    failingSince,
    turnaround,
    drift,
    docsDir: DOCS_DIR,
    installed: {
      dir: config.models.dir ?? SHIPPED_MODELS,
      models: models ?? installedOf(config),
    },
    version: VERSION,
  });
  return {
    routes: web.routes,
    close: () => {
      web.close();
      return shared.reader.close();
    },
  };
}
