import type { Log } from '../base/log';
import { describeSpan, inChildSpan } from '../base/trace';
import type { DeliveryKind } from '../events/closed-lists';
import { parseResultEvent, type ResultEvent } from '../events/result-event';
import { createConsumer, type Settled } from '../queue/consume-loop';
import type { ConsumedMessage, MessageHandler } from '../queue/message';
import type { RetryPolicy } from '../queue/retry-policy';
import { FailureWatch } from './failure-watch';
import type { StudyRecord } from './record';
import { LIST_SINK, type Sink } from './sink';
import { isForOthers, isWithdrawal } from './statements';

/**
 * `unwanted`: acknowledged without reading the record, as the sink does not handle or want such results. `superseded`:
 * acknowledged without a delivery, because the archive has a later result.
 */
export const DELIVERY_RESULTS = ['done', 'unwanted', 'superseded', 'retry', 'dead', 'put-back'] as const;
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

/** Port: counts deliveries; `web/metrics` fits it by shape. */
interface DeliveryObserver {
  delivery(sink: string, result: DeliveryResult): void;
  /** Since when every attempt has failed (milliseconds since 1970); null when the last one succeeded. */
  failingSince(sink: string, since: number | null): void;
  /** Objects that a sink has verified at its receiver, and the way. */
  verified(sink: string, way: string, objects: number): void;
}

export interface RunnerOptions {
  readonly sink: Sink;
  /** Reads the record of a study from the archive; null where it has a later result. @throws HilumError */
  readonly loadRecord: (event: ResultEvent) => Promise<StudyRecord | null>;
  readonly retry: RetryPolicy;
  readonly log: Log;
  readonly observer?: DeliveryObserver;
  readonly now?: () => number;
}

/** Kind of a delivery: a result that replaces an earlier one names it. */
function kindOf(result: Pick<StudyRecord, 'correction'> & Pick<ResultEvent, 'films'>): DeliveryKind {
  if (isWithdrawal(result)) return 'withdrawal';
  if (result.correction !== undefined) return 'correction';
  return result.films.some(({ supersedes = [] }) => supersedes.length > 0) ? 'replacement' : 'result';
}

/** The reading list wants results without a chest film too, to count them. */
function isWanted(event: ResultEvent, sink: Sink): boolean {
  return sink.handles.includes(kindOf(event)) && sink.wants(event) && (sink.name === LIST_SINK || isForOthers(event));
}

const UNOBSERVED: DeliveryObserver = { delivery: () => {}, failingSince: () => {}, verified: () => {} };

/** Makes the handler of a sink's queue, which delivers results and settles messages by `queue/consume-loop`. */
export function createRunner(options: RunnerOptions): MessageHandler {
  const { sink, retry, observer = UNOBSERVED, now = Date.now } = options;
  const log = options.log.child({ sink: sink.name });
  const watch = new FailureWatch(sink.name, log, observer, now);
  return createConsumer<ResultEvent>({
    parse: parseResultEvent,
    retry,
    log,
    async work(event, message, studyLog) {
      const result = isWanted(event, sink)
        ? await watch.over(() => work(event, message, options, studyLog))
        : 'unwanted';
      observer.delivery(sink.name, result);
      describeSpan({ 'hilum.result': result });
    },
    report: (settled) => note(settled, sink.name, observer),
  });
}

async function work(
  event: ResultEvent,
  { attempt }: ConsumedMessage,
  { sink, loadRecord, observer }: RunnerOptions,
  log: Log,
): Promise<DeliveryResult> {
  const started = process.hrtime.bigint();
  const record = await inChildSpan({ name: 'read record' }, () => loadRecord(event));
  if (record === null) {
    log.info({ event: 'delivery.superseded', attempt }, 'the archive has a later result, which is told instead');
    return 'superseded';
  }
  const verified = (way: string, objects: number) => observer?.verified(sink.name, way, objects);
  const kind = kindOf(record);
  await inChildSpan({ name: `deliver ${sink.name}`, attributes: { 'hilum.kind': kind } }, () =>
    sink.deliver({ kind, record, verified }),
  );
  log.info(
    { event: 'delivery.done', attempt, seconds: Number(process.hrtime.bigint() - started) / 1e9 },
    'result delivered',
  );
  return 'done';
}

function note({ settlement, log, fields }: Settled<ResultEvent>, sink: string, observer: DeliveryObserver): void {
  switch (settlement.kind) {
    case 'ack':
    case 'continue-later':
      return;
    case 'retry':
      observer.delivery(sink, 'retry');
      log.warn(
        { event: 'delivery.retry', reason: settlement.reason, delaySeconds: settlement.delayMs / 1000, ...fields },
        'the result is delivered again later',
      );
      return;
    case 'dead-letter':
      observer.delivery(sink, 'dead');
      return log.error(
        { event: 'delivery.dead', reason: settlement.reason, ...fields },
        "the delivery is given up; its message is in the sink's dead queue",
      );
    case 'requeue':
      observer.delivery(sink, 'put-back');
      log.info(
        { event: 'delivery.put-back', delaySeconds: settlement.delayMs / 1000, ...fields },
        "a redelivered result goes to the end of the sink's queue",
      );
      return;
  }
}
