import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { withTimeout } from '../base/retry';
import { PRIORITIES, type Priority } from '../events/priority';
import type { FilmResult } from '../events/result-event';
import { type Turnaround, TURNAROUND_STEPS, type TurnaroundGroup } from '../worklist/turnaround';
import { TIMED_STAGES, type TimedStage } from '../pipeline/stage';

/**
 * Names of all metrics: a closed list, documented in docs/operations.md; a test compares. Labels have closed lists of
 * values too: no UID, nothing about a patient.
 */
export const METRIC_NAMES = [
  'hilum_info',
  'hilum_films_total',
  'hilum_studies_total',
  'hilum_failures_total',
  'hilum_stage_seconds',
  'hilum_queue_messages',
  'hilum_queue_age_seconds',
  'hilum_wait_seconds',
  'hilum_broker_state',
  'hilum_deliveries_total',
  'hilum_delivery_messages',
  'hilum_delivery_failing_since_timestamp_seconds',
  'hilum_delivery_verified_objects_total',
  'hilum_last_result_timestamp_seconds',
  'hilum_ris_messages_total',
  'hilum_ris_last_message_timestamp_seconds',
  'hilum_drift_psi',
  'hilum_drift_films',
  'hilum_turnaround_seconds',
  'hilum_turnaround_studies',
  'hilum_turnaround_unread_studies',
  'hilum_retention_removed_total',
  'hilum_retention_last_round_timestamp_seconds',
] as const;
type MetricName = (typeof METRIC_NAMES)[number];

export interface MetricsSources {
  readonly version: string;
  /** All possible results of a study, so that their series exist from the start with 0. */
  readonly studyResults: readonly string[];
  /** All failure codes, as Prometheus sees no increase in a series that appears with 1. */
  readonly failureCodes: readonly string[];
  readonly brokerStates: readonly string[];
  readonly brokerState: () => string;
  readonly queues: () => Promise<Readonly<Record<string, number>>>;
  /** Waiting time of the oldest study of each queue (seconds). */
  readonly queueAges: () => Promise<Readonly<Record<string, number>>>;
  /** Sinks that are switched on, and all possible results of a delivery. */
  readonly sinks: readonly string[];
  readonly deliveryResults: readonly string[];
  /** Ways in which sinks verify deliveries, for those that do. */
  readonly sinkWays?: readonly { readonly sink: string; readonly ways: readonly string[] }[];
  readonly sinkQueues: () => Promise<
    readonly { readonly sink: string; readonly waiting: number; readonly retry: number; readonly dead: number }[]
  >;
  /** Types and outcomes of messages of the RIS; null where they are not received. */
  readonly risMessages?: { readonly types: readonly string[]; readonly outcomes: readonly string[] } | null;
  /**
   * Longest wait for `queues`, `queueAges` and `sinkQueues` (milliseconds), so that a scrape does not hang with the
   * broker.
   */
  readonly queuesTimeoutMs?: number;
  readonly now?: () => Date;
  /** Measures of drift: number of films, and population stability index where there is one. */
  readonly drift?: () => readonly { readonly measure: string; readonly films: number; readonly index: number | null }[];
  /** Latest turnaround figures, or null while there are none. Null where this process does not keep the list. */
  readonly turnaround?: (() => Pick<Turnaround, 'groups'> | null) | null;
}

/** Counts events; fits the observer ports of pipeline, study consumer and sinks. */
export interface Metrics {
  stage(stage: TimedStage, seconds: number): void;
  film(result: Pick<FilmResult, 'outcome' | 'reason'>): void;
  study(result: string, reason?: string): void;
  /** Work on a study has begun after it waited. */
  waited(priority: Priority, seconds: number): void;
  delivery(sink: string, result: string): void;
  /** Milliseconds since 1970; null when deliveries succeed. */
  failingSince(sink: string, since: number | null): void;
  /** Number of objects verified at a receiver, by way. */
  verified(sink: string, way: string, objects: number): void;
  risMessage(type: string, outcome: string): void;
  /** Records removed by retention, by kind; called after each round. */
  removed(counts: Readonly<Record<string, number>>): void;
  readonly contentType: string;
  /** All metrics in Prometheus' text format, those of the Node process included. */
  text(): Promise<string>;
}

const STAGE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** Up to a day: a queue that waits over night. */
const WAIT_BUCKETS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400];
const QUEUES_TIMEOUT_MS = 2_000;

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addGauges(registry, sources);
  addDrift(registry, sources.drift ?? (() => []));
  addTurnaround(registry, sources.turnaround ?? (() => null));
  const instruments = startAtZero(instrumentsOf(registry), sources);
  const { films, studies, failures, stages, waits, lastResult, risMessages, lastRisMessage } = instruments;
  const { deliveries, failing, verified, removals, lastRound } = instruments;
  const nowSeconds = () => (sources.now?.() ?? new Date()).getTime() / 1000;
  return {
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    film: ({ outcome, reason }) => films.inc({ outcome, reason: reason ?? 'none' }),
    study: (result, reason) => {
      studies.inc({ result });
      if (reason !== undefined) failures.inc({ code: reason });
      if (result === 'done') lastResult.set(nowSeconds());
    },
    waited: (priority, seconds) => waits.observe({ priority }, seconds),
    delivery: (sink, result) => deliveries.inc({ sink, result }),
    failingSince: (sink, since) => failing.set({ sink }, (since ?? 0) / 1000),
    verified: (sink, way, objects) => verified.inc({ sink, by: way }, objects),
    risMessage: (type, outcome) => {
      risMessages.inc({ type, outcome });
      lastRisMessage.set(nowSeconds());
    },
    removed: (counts) => {
      for (const [what, count] of Object.entries(counts)) removals.inc({ what }, count);
      lastRound.set(nowSeconds());
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

type Instruments = ReturnType<typeof instrumentsOf>;

/** Creates all possible series with 0, so that rates are right from the first increase. */
function startAtZero(instruments: Instruments, sources: MetricsSources): Instruments {
  const { films, studies, failures, stages, waits, deliveries, failing, verified, risMessages } = instruments;
  for (const sink of sources.sinks) {
    failing.set({ sink }, 0);
    for (const result of sources.deliveryResults) deliveries.inc({ sink, result }, 0);
  }
  for (const { sink, ways } of sources.sinkWays ?? []) for (const by of ways) verified.inc({ sink, by }, 0);
  for (const type of sources.risMessages?.types ?? [])
    for (const outcome of sources.risMessages?.outcomes ?? []) risMessages.inc({ type, outcome }, 0);
  films.inc({ outcome: 'analysed', reason: 'none' }, 0);
  for (const result of sources.studyResults) studies.inc({ result }, 0);
  for (const code of sources.failureCodes) failures.inc({ code }, 0);
  for (const stage of TIMED_STAGES) stages.zero({ stage });
  for (const priority of PRIORITIES) waits.zero({ priority });
  return instruments;
}

function instrumentsOf(registry: Registry) {
  const about = (name: MetricName, help: string) => ({ name, help, registers: [registry] });
  const films = new Counter({
    ...about('hilum_films_total', 'Films worked on to their end, by outcome and reason'),
    labelNames: ['outcome', 'reason'],
  });
  const studies = new Counter({
    ...about('hilum_studies_total', 'Study messages, by what became of them'),
    labelNames: ['result'],
  });
  const failures = new Counter({
    ...about('hilum_failures_total', 'Failed tries of studies, by error code'),
    labelNames: ['code'],
  });
  const stages = new Histogram({
    ...about('hilum_stage_seconds', 'Seconds that a stage took, failed ones included'),
    labelNames: ['stage'],
    buckets: STAGE_BUCKETS,
  });
  const waits = new Histogram({
    ...about('hilum_wait_seconds', 'Seconds from the publishing of a study message to the beginning of its work'),
    labelNames: ['priority'],
    buckets: WAIT_BUCKETS,
  });
  const lastResult = new Gauge(
    about(
      'hilum_last_result_timestamp_seconds',
      'When results of a study were last announced (Unix time); 0 before the first',
    ),
  );
  const deliveries = new Counter({
    ...about('hilum_deliveries_total', 'Deliveries of results to a sink, by what became of them'),
    labelNames: ['sink', 'result'],
  });
  const failing = new Gauge({
    ...about(
      'hilum_delivery_failing_since_timestamp_seconds',
      'Since when each delivery to a sink has failed (Unix time); 0 when the last one succeeded',
    ),
    labelNames: ['sink'],
  });
  const verified = new Counter({
    ...about('hilum_delivery_verified_objects_total', 'Objects that a PACS is known to have, by how that is known'),
    labelNames: ['sink', 'by'],
  });
  const delivered = { deliveries, failing, verified };
  const others = { ...risInstruments(registry), ...retentionInstruments(registry) };
  return { films, studies, failures, stages, waits, lastResult, ...delivered, ...others };
}

function risInstruments(registry: Registry) {
  const about = (name: MetricName, help: string) => ({ name, help, registers: [registry] });
  const risMessages = new Counter({
    ...about('hilum_ris_messages_total', 'HL7 messages of the RIS, by type and by what became of them'),
    labelNames: ['type', 'outcome'],
  });
  const lastRisMessage = new Gauge(
    about(
      'hilum_ris_last_message_timestamp_seconds',
      'When the last message of the RIS came (Unix time); 0 before the first',
    ),
  );
  return { risMessages, lastRisMessage };
}

function retentionInstruments(registry: Registry) {
  const about = (name: MetricName, help: string) => ({ name, help, registers: [registry] });
  const removals = new Counter({
    ...about('hilum_retention_removed_total', 'What was kept no longer and is removed, by what it is'),
    labelNames: ['what'],
  });
  const lastRound = new Gauge(
    about(
      'hilum_retention_last_round_timestamp_seconds',
      'When it was last looked for what is kept no longer (Unix time); 0 before the first',
    ),
  );
  return { removals, lastRound };
}

function addDrift(registry: Registry, look: NonNullable<MetricsSources['drift']>): void {
  const gauge = (name: MetricName, help: string, of: (row: ReturnType<typeof look>[number]) => number | null) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      labelNames: ['measure'],
      collect() {
        this.reset();
        for (const row of look()) {
          const value = of(row);
          if (value !== null) this.set({ measure: row.measure }, value);
        }
      },
    });
  gauge(
    'hilum_drift_psi',
    'Population stability index of the last days against the films that the classifier was validated on',
    ({ index }) => index,
  );
  gauge('hilum_drift_films', 'Films of the last days that the index is of', ({ films }) => films);
}

/** Figures of all hours together; missing while unknown. */
function addTurnaround(registry: Registry, look: NonNullable<MetricsSources['turnaround']>): void {
  const gauge = <L extends string>(
    name: MetricName,
    help: string,
    labelNames: readonly L[],
    of: (group: TurnaroundGroup) => readonly (readonly [labels: Partial<Record<L, string>>, value: number | null])[],
  ) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      labelNames,
      collect() {
        this.reset();
        for (const group of look()?.groups.filter(({ hour }) => hour === null) ?? [])
          for (const [labels, value] of of(group)) if (value !== null) this.set(labels, value);
      },
    });
  gauge(
    'hilum_turnaround_seconds',
    'Seconds that half (0.5) and nine in ten (0.9) of the studies of the last seven days took for a step',
    ['priority', 'step', 'quantile'],
    ({ priority, steps }) =>
      TURNAROUND_STEPS.flatMap((step) => [
        [{ priority, step, quantile: '0.5' }, inSeconds(steps[step].medianMs)] as const,
        [{ priority, step, quantile: '0.9' }, inSeconds(steps[step].p90Ms)] as const,
      ]),
  );
  gauge(
    'hilum_turnaround_studies',
    'Studies of the last seven days that the seconds are of',
    ['priority', 'step'],
    ({ priority, steps }) => TURNAROUND_STEPS.map((step) => [{ priority, step }, steps[step].studies] as const),
  );
  gauge(
    'hilum_turnaround_unread_studies',
    'Studies that arrived within the last seven days and were not read yet',
    ['priority'],
    ({ priority, steps }) => [[{ priority }, steps.total.notYet]],
  );
}

const inSeconds = (milliseconds: number | null) => (milliseconds === null ? null : milliseconds / 1_000);

/** Gauges that are read at each scrape. */
function addGauges(
  registry: Registry,
  {
    version,
    brokerStates,
    brokerState,
    queues,
    queueAges,
    sinkQueues,
    queuesTimeoutMs = QUEUES_TIMEOUT_MS,
  }: MetricsSources,
): void {
  const about = (name: MetricName, help: string) => ({ name, help, registers: [registry] });
  new Gauge({ ...about('hilum_info', 'Always 1; the label is the version'), labelNames: ['version'] }).set(
    { version },
    1,
  );
  new Gauge({
    ...about('hilum_broker_state', '1 for the state that the connection to the broker is in, 0 for all others'),
    labelNames: ['state'],
    collect() {
      for (const state of brokerStates) this.set({ state }, state === brokerState() ? 1 : 0);
    },
  });
  const inTime = <T>(look: () => Promise<T>, otherwise: T): Promise<T> =>
    withTimeout(look(), queuesTimeoutMs, () => new Error('late')).catch(() => otherwise);
  const byQueue = (name: MetricName, help: string, look: () => Promise<Readonly<Record<string, number>>>) =>
    new Gauge({
      ...about(name, `${help}; missing while the broker does not answer`),
      labelNames: ['queue'],
      async collect() {
        const values = await inTime(look, {});
        // Reset, as an old value would look like a quiet queue.
        this.reset();
        for (const [queue, value] of Object.entries(values)) this.set({ queue }, value);
      },
    });
  new Gauge({
    ...about(
      'hilum_delivery_messages',
      'Results that wait for a sink, for their next try, and that were given up; missing while the broker does ' +
        'not answer',
    ),
    labelNames: ['sink', 'state'],
    async collect() {
      const found = await inTime(sinkQueues, []);
      this.reset();
      for (const { sink, ...states } of found)
        for (const [state, messages] of Object.entries(states)) this.set({ sink, state }, messages);
    },
  });
  byQueue(
    'hilum_queue_messages',
    'Studies that wait to be sorted, to be done, for their next try, and that were given up',
    queues,
  );
  byQueue('hilum_queue_age_seconds', 'Seconds that the oldest study of a queue has waited, at most', queueAges);
}
