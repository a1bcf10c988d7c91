import { describeError } from '../base/errors';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ModelManifest } from '../model/manifest';
import { compareWith, type DriftRow, lastDays, referenceOf } from '../monitoring/drift';
import { DriftStore, readDriftDays } from '../monitoring/drift-store';
import type { FilmObserver } from '../pipeline/stage';
import { type Broker, BROKER_STATES } from '../queue/broker';
import { FAILURE_CODES } from '../queue/retry-policy';
import { DELIVERY_RESULTS } from '../sinks/runner';
import type { Sink } from '../sinks/sink';
import { RIS_MESSAGE_LABELS, RIS_OUTCOMES } from '../ris/receiver';
import { STUDY_RESULTS } from '../study-consumer';
import type { OperationParts } from '../web/api/operation-routes';
import { createMetrics, type Metrics } from '../web/metrics';
import type { TurnaroundCache } from '../worklist/turnaround-cache';
import { VERSION } from './installed';
import { listensToRis } from './ris';

/** The turnaround metrics cover this many days. */
const TURNAROUND_METRIC_DAYS = 7;

/**
 * Opens the counts for drift of this process, and compares all workers' counts of the last days with the classifier's
 * reference.
 */
function openDrift(config: Config, classifier: ModelManifest, log: Log) {
  const driftStore = new DriftStore(config.state.dir, (error) =>
    log.warn({ event: 'drift.unwritten', error: describeError(error) }, "the counts for drift can't be written"),
  );
  return { driftStore, rows: driftOf(config, classifier) };
}

/**
 * Compares all workers' counts in this `state.dir` with the reference; null where the classifier has no reference, or
 * the folder can't be read: metrics and pages show the rest.
 */
function driftOf({ state, drift }: Config, classifier: ModelManifest): () => DriftRow[] | null {
  const reference = referenceOf(classifier);
  if (reference === null) return () => null;
  return () => {
    try {
      return compareWith(reference, readDriftDays(state.dir, ...lastDays(drift.days, new Date())).counts);
    } catch {
      return null;
    }
  };
}

/**
 * Opens the metrics, and the counts for drift where they are on. Without a worker there are no series of studies, so
 * that a missing worker shows.
 */
export function openMeasures(
  config: Config,
  { classifier, broker, sinks, turnaround }: MeasuredParts,
  log: Log,
): { metrics: Metrics; observer: FilmObserver; drift: OperationParts['drift'] } {
  const drift = classifier !== null && config.drift.enabled ? openDrift(config, classifier, log) : null;
  const metrics = createMetrics({
    version: VERSION,
    studyResults: classifier === null ? [] : STUDY_RESULTS,
    failureCodes: classifier === null ? [] : FAILURE_CODES,
    brokerStates: BROKER_STATES,
    brokerState: () => broker.state(),
    queues: () => broker.depths(),
    queueAges: () => broker.ages(),
    sinks: sinks.map(({ name }) => name),
    sinkWays: sinks.flatMap(({ name, ways }) => (ways === undefined ? [] : [{ sink: name, ways }])),
    deliveryResults: DELIVERY_RESULTS,
    sinkQueues: () => broker.sinkDepths(),
    risMessages: listensToRis(config) ? { types: RIS_MESSAGE_LABELS, outcomes: RIS_OUTCOMES } : null,
    ...(drift ? { drift: () => drift.rows() ?? [] } : {}),
    turnaround: turnaround && (() => turnaround.latest(TURNAROUND_METRIC_DAYS)),
  });
  return { metrics, observer: observerOf(metrics, drift?.driftStore ?? null), drift: drift?.rows ?? (() => null) };
}

interface MeasuredParts {
  readonly classifier: ModelManifest | null;
  readonly broker: Broker;
  /** Sinks that this process delivers to. */
  readonly sinks: readonly Pick<Sink, 'name' | 'ways'>[];
  /** Null where this process does not keep the list. */
  readonly turnaround: TurnaroundCache | null;
}

function observerOf(metrics: Metrics, driftStore: DriftStore | null): FilmObserver {
  if (driftStore === null) return metrics;
  return {
    stage: (stage, seconds) => metrics.stage(stage, seconds),
    film(result) {
      metrics.film(result);
      driftStore.film(result);
    },
    measured: (measures) => driftStore.measured(measures),
  };
}
