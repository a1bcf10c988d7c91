import { hostname } from 'node:os';
import { createLog, type Log } from '../base/log';
import { describeFailure } from '../base/errors';
import { sleep, withTimeout } from '../base/retry';
import type { Config } from '../config/config';
import { oldAuditFiles, removeAuditFiles } from '../web/audit/old-files';
import { SERVICE } from '../web/audit/recorder';
import type { Metrics } from '../web/metrics';
import type { Database } from '../worklist/database';
import type { Lease } from '../worklist/lease';
import { countDue, type KeptFrom, pruneBatch, PRUNED, type PrunedCounts } from '../worklist/retention';
import { openRecorder } from './audit';

const DAY_MS = 86_400_000;
const ROUND_MS = 3_600_000;
/** First round after the start (milliseconds), when the service is up. */
const FIRST_MS = 60_000;
/** Pause between two batches (milliseconds), so that others get the database. */
const PAUSE_MS = 100;
const STOP_TIMEOUT_MS = 2_000;
/** Name of the spool folder for audit messages. */
const SPOOL = 'retention';

interface Retention {
  start(): void;
  /** Never rejects. Whatever is left is removed in the next round. */
  stop(): Promise<void>;
}

interface RetentionParts {
  /** Of the list; null where this process does not keep it. */
  readonly database: Database | null;
  readonly metrics: Pick<Metrics, 'removed'>;
}

/** Times that tests set. */
interface Times {
  readonly firstMs?: number;
  readonly pauseMs?: number;
  readonly now?: () => number;
}

/**
 * Removes records whose retention time is over, once an hour in the background. Rows and verdicts are removed by one of
 * the processes that keep the list, files of the audit trail by each process that writes one. Removal is recorded in
 * the audit trail first.
 */
export function openRetention(config: Config, parts: RetentionParts, log: Log, times: Times = {}): Retention {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    for (let waitMs = times.firstMs ?? FIRST_MS; ; waitMs = ROUND_MS) {
      await sleep(waitMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await retentionRound(config, parts, log, { ...times, signal: stopping.signal }).catch((error: unknown) =>
        log.warn(
          { event: 'retention.failed', error: describeFailure(error) },
          'what is kept no longer could not be removed; it is tried again in an hour',
        ),
      );
    }
  };
  return {
    start: () => void (running = run()),
    stop: async () => {
      stopping.abort();
      await withTimeout(running, STOP_TIMEOUT_MS, () => new Error('late')).catch(() => {});
    },
  };
}

/** One round. @throws HilumError of the database, AUDIT_FAILED: then nothing more is removed */
export async function retentionRound(
  config: Config,
  { database, metrics }: RetentionParts,
  log: Log,
  { now = Date.now, pauseMs = PAUSE_MS, signal }: Times & { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { auditDays } = config.retention;
  const at = now();
  const files = auditDays === null ? [] : await oldAuditFiles(config.audit.dir, new Date(at - auditDays * DAY_MS));
  if (files.length > 0) {
    await record(
      config,
      `retention: files of the audit trail removed, older than ${auditDays} days: ${files.join(' ')}`,
    );
    await removeAuditFiles(config.audit.dir, files);
  }
  const rows = database === null ? null : await pruneRows(config, database, { at, pauseMs, signal });
  const removed = { ...(rows ?? { studies: 0, verdicts: 0, orders: 0 }), 'audit-files': files.length };
  metrics.removed(removed);
  if (Object.values(removed).some((count) => count > 0))
    log.info({ event: 'retention.removed', ...removed }, 'what is kept no longer was removed');
}

interface Round {
  readonly at: number;
  readonly pauseMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Removes rows, verdicts and orders; null where another process holds the lease. */
async function pruneRows(config: Config, database: Database, round: Round): Promise<PrunedCounts | null> {
  const { at, pauseMs, signal } = round;
  const { listDays, verdictDays } = config.retention;
  const from: KeptFrom = {
    studies: listDays === null ? null : at - listDays * DAY_MS,
    verdicts: verdictDays === null ? null : at - verdictDays * DAY_MS,
    orders: at - config.ris.keepDays * DAY_MS,
  };
  // Others begin no round within the hour, nor while this one goes on.
  const lease: Lease = { name: 'retention', holder: `${hostname()}:${process.pid}`, until: at + ROUND_MS - FIRST_MS };
  const due = await countDue(database, from);
  if (PRUNED.every((what) => due[what] === 0)) return due;
  if ((await pruneBatch(database, NOTHING, lease, at)) === null) return null;
  if (due.studies + due.verdicts > 0)
    await record(
      config,
      `retention: removed from the list are ${[
        ...(from.studies === null ? [] : [`${due.studies} rows of before ${dayOf(from.studies)}`]),
        ...(from.verdicts === null ? [] : [`${due.verdicts} verdicts of before ${dayOf(from.verdicts)}`]),
      ].join(' and ')}`,
    );
  let removed: PrunedCounts = { studies: 0, verdicts: 0, orders: 0 };
  while (signal?.aborted !== true) {
    const gone = await pruneBatch(database, from, lease, at);
    if (gone === null) break;
    const before = removed;
    removed = {
      studies: before.studies + gone.studies,
      verdicts: before.verdicts + gone.verdicts,
      orders: before.orders + gone.orders,
    };
    if (PRUNED.every((what) => gone[what] === 0)) break;
    await sleep(pauseMs, signal);
  }
  return removed;
}

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

/** Takes the lease and removes nothing. */
const NOTHING: KeptFrom = { studies: null, verdicts: null, orders: 0 };

async function record(config: Config, what: string): Promise<void> {
  const recorder = openRecorder(config, createLog('silent'), SPOOL);
  try {
    await recorder.record(SERVICE, { kind: 'restricted-function', what, studies: [] });
  } finally {
    await recorder.close();
  }
}
