import { describeFailure, ERROR_CODES } from '../base/errors';
import type { Log } from '../base/log';
import type { DeliveryKind } from '../events/closed-lists';
import { parseResultEvent, type ResultEvent } from '../events/result-event';
import {
  carryOut,
  type Delivery,
  type RetryPolicy,
  settle,
  type Settlement,
  settleRedelivered,
  WORKER_LOST,
} from '../queue/settle';
import { FailureWatch } from './failure-watch';
import type { StudyRecord } from './record';
import type { Sink } from './sink';

/** `unwanted`: acknowledged unread, because the sink does not handle or want such results. */
export const DELIVERY_RESULTS = ['done', 'unwanted', 'retry', 'dead', 'put-back'] as const;
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];
/** Every reason that a failed delivery may have. */
export const DELIVERY_FAILURE_CODES: readonly string[] = [...ERROR_CODES, 'UNKNOWN', WORKER_LOST];

/** Port: who counts deliveries; `web/metrics` fits it by shape. */
export interface DeliveryObserver {
  delivery(sink: string, result: DeliveryResult): void;
  /** Since when each try has failed (milliseconds since 1970); null when the last one succeeded. */
  failingSince(sink: string, since: number | null): void;
}

export interface RunnerOptions {
  readonly sink: Sink;
  /** Reads from the archive what is said of a study. @throws HilumError */
  readonly loadRecord: (event: ResultEvent) => Promise<StudyRecord>;
  readonly retry: RetryPolicy;
  readonly log: Log;
  readonly observer?: DeliveryObserver;
  readonly now?: () => number;
}

/** Result events name no kind yet: each is a result. */
const KIND: DeliveryKind = 'result';

const UNOBSERVED: DeliveryObserver = { delivery: () => {}, failingSince: () => {} };

/**
 * Makes the handler of one sink's queue: it delivers a result, then settles its message, exactly once, last, on every
 * path, and never rejects.
 */
export function createRunner(options: RunnerOptions): (delivery: Delivery) => Promise<void> {
  const { sink, retry, observer = UNOBSERVED, now = Date.now } = options;
  const log = options.log.child({ sink: sink.name });
  const watch = new FailureWatch(sink.name, log, observer, now);
  return async (delivery) => {
    const conclude = (settlement: Settlement, failure: unknown, aboutIt: Log) => {
      note(settlement, sink.name, delivery, failure, aboutIt, observer);
      return carryOut(settlement, delivery);
    };
    if (delivery.redelivered) return conclude(settleRedelivered(delivery, retry), undefined, log);
    let studyLog = log;
    let failure: unknown;
    try {
      const event = parseResultEvent(delivery.body);
      studyLog = log.child({ study: event.studyInstanceUid });
      const isWanted = sink.handles.includes(KIND) && sink.wants(event);
      observer.delivery(
        sink.name,
        isWanted ? await watch.over(() => work(event, delivery, options, studyLog)) : 'unwanted',
      );
    } catch (error) {
      failure = error ?? new Error('nothing was thrown');
    }
    await conclude(settle(failure, delivery, retry), failure, studyLog);
  };
}

async function work(
  event: ResultEvent,
  { attempt }: Delivery,
  { sink, loadRecord }: RunnerOptions,
  log: Log,
): Promise<DeliveryResult> {
  const started = process.hrtime.bigint();
  await sink.deliver({ kind: KIND, record: await loadRecord(event) });
  log.info(
    { event: 'delivery.done', attempt, seconds: Number(process.hrtime.bigint() - started) / 1e9 },
    'result delivered',
  );
  return 'done';
}

function note(
  settlement: Settlement,
  sink: string,
  { attempt, lost }: Delivery,
  failure: unknown,
  log: Log,
  observer: DeliveryObserver,
): void {
  const fields = { attempt, lost, ...(failure === undefined ? {} : { error: describeFailure(failure) }) };
  switch (settlement.kind) {
    case 'ack':
    case 'go-on':
      return;
    case 'retry':
      observer.delivery(sink, 'retry');
      {
        log.warn(
          { event: 'delivery.retry', reason: settlement.reason, delaySeconds: settlement.delayMs / 1000, ...fields },
          'the result is delivered again later',
        );
        return;
      }
    case 'dead-letter':
      observer.delivery(sink, 'dead');
      {
        log.error(
          { event: 'delivery.dead', reason: settlement.reason, ...fields },
          "the delivery is given up; its message is in the sink's dead queue",
        );
        return;
      }
    case 'put-back':
      observer.delivery(sink, 'put-back');
      {
        log.info(
          { event: 'delivery.put-back', delaySeconds: settlement.delayMs / 1000, ...fields },
          "a redelivered result goes to the end of the sink's queue",
        );
        return;
      }
  }
}
