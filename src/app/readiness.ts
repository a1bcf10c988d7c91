import { tmpdir } from 'node:os';
import type { DicomWebArchive } from '../archive/dicomweb';
import { diskProblem, writeProblem } from '../base/disk';
import { describeError } from '../base/errors';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import { deriveUid } from '../dicom/uid';
import type { Broker } from '../queue/broker';
import { AUDIT_FILE } from '../web/audit/trail';
import { type Check, remembered } from '../web/health';
import type { Outages } from '../web/outages';
import type { Database } from '../worklist/database';

/** With less free space the service is not ready (bytes): its state files are small, but writing them must not fail. */
const MIN_FREE_BYTES = 100_000_000;

/**
 * A check's result is reused for this long (milliseconds): anybody may ask, and a check costs other systems something.
 */
const REMEMBERED_MS = 3_000;

/** Interval of the checks of the service's own disk and database (milliseconds). */
const LOOK_MS = 5_000;
/** Interval of the checks of other systems, where somebody may ask since when they have been away (milliseconds). */
const LOOK_AT_OTHERS_MS = 30_000;

/**
 * Whether this process can't work without `state.dir`. An audit trail elsewhere or missing counts of drift do not
 * matter.
 */
export function keepsState({ roles, catchUp, results, list }: Config, hasDatabase: boolean): boolean {
  return (
    (roles.includes('catch-up') && catchUp.kind === 'orthanc') ||
    (roles.includes('worker') && results.mode === 'shadow') ||
    (hasDatabase && list.database.startsWith('file:'))
  );
}

/**
 * The readiness checks of this process. `local`: those that no other log event reports; broker and archive have events
 * of their own.
 */
export function readinessChecks(
  config: Config,
  { broker, archive, database, outages }: ReadinessParts,
): { readonly checks: readonly Check[]; readonly local: readonly Check[]; readonly others: readonly Check[] } {
  const { state, audit } = config;
  const folders = [
    tmpdir(),
    ...(keepsState(config, database !== null) ? [state.dir] : []),
    ...(database === null ? [] : [audit.dir]),
  ];
  const ofOurs: Check[] = [
    { name: 'disk', look: async () => diskProblem(folders, MIN_FREE_BYTES) },
    ...(folders.includes(state.dir) ? [{ name: 'state', look: async () => writeProblem(state.dir) }] : []),
    ...(database === null
      ? []
      : [
          { name: 'database', look: async () => database.check().then(() => null, describeError) },
          { name: 'audit', look: async () => writeProblem(audit.dir, AUDIT_FILE) },
        ]),
  ];
  const ofBroker: Check = {
    name: 'broker',
    look: async () => (broker.state() === 'connected' ? null : `not connected to the broker (${broker.state()})`),
  };
  // A query for a study that does not exist: cheap, and fails unless the archive is up and accepts our credentials.
  const ofArchive: Check = {
    name: 'archive',
    look: async () => archive.findStudySummary(deriveUid(['readiness'])).then(() => null),
  };
  const asked = [ofArchive, ...ofOurs].map((check) => remembered(check, REMEMBERED_MS));
  const checks = [ofBroker, ...asked].map((check) => outages.noted(check));
  return { checks, local: checks.slice(2), others: checks.slice(0, 2) };
}

export interface ReadinessParts {
  readonly broker: Broker;
  readonly archive: DicomWebArchive;
  /** Database of the list and the accounts; null where this process has neither, and then nothing is audited. */
  readonly database: Database | null;
  readonly outages: Pick<Outages, 'noted'>;
}

/**
 * Runs the checks at intervals, so that the log has the start and the end of each outage once, even where nobody asks
 * the health routes.
 */
export function watchReadiness(checks: readonly Check[], log: Log, everyMs = LOOK_MS): ReadinessWatch {
  const failing = new Set<string>();
  const tell = (name: string, problem: string | null) => {
    if (problem !== null && !failing.has(name)) {
      failing.add(name);
      log.error({ event: 'health.check-failed', check: name, problem }, problem);
    } else if (problem === null && failing.delete(name)) {
      log.info({ event: 'health.check-passed', check: name }, `${name} is well again`);
    }
  };
  return lookEvery(checks, everyMs, tell);
}

/**
 * Runs the other checks at intervals too, so that the start of an outage is known; their outages are logged elsewhere.
 */
export function watchOthers(checks: readonly Check[]): ReadinessWatch {
  return lookEvery(checks, LOOK_AT_OTHERS_MS, () => {});
}

function lookEvery(
  checks: readonly Check[],
  everyMs: number,
  tell: (name: string, problem: string | null) => void,
): ReadinessWatch {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const round = async () => {
    for (const { name, look } of checks) {
      const problem = await look().catch(describeError);
      // Parts that are closed at shutdown are no outage.
      if (isStopped) return;
      tell(name, problem);
    }
    timer = setTimeout(() => void round(), everyMs).unref();
  };
  return {
    start: () => void round(),
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

export interface ReadinessWatch {
  start(): void;
  stop(): void;
}
