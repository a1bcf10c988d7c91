import { describeFailure } from '../base/errors';
import type { Log } from '../base/log';
import { describeSpan, failSpan } from '../base/trace';
import type { Uid } from '../dicom/uid';
import type { ConsumedMessage, MessageHandler } from './message';
import { delayGiven, type RetryPolicy, settle, type Settlement, settleRedelivered } from './retry-policy';

interface AboutStudy {
  readonly studyInstanceUid: Uid;
}

/** A message and how it is settled. */
export interface Settled<E> {
  readonly settlement: Settlement;
  readonly message: ConsumedMessage;
  /** Null where the message could not be parsed. */
  readonly event: E | null;
  /** Logger with the study's UID, where the message was worked on. */
  readonly log: Log;
  /** For the log: number of the attempt, number of losses, and code and sentence of the error where there is one. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ConsumerParts<E> {
  /** @throws HilumError EVENT_INVALID */
  readonly parse: (body: Uint8Array) => E;
  /** Its errors are settled by the retry policy. `log` has the study's UID. */
  readonly work: (event: E, message: ConsumedMessage, log: Log) => Promise<void>;
  readonly retry: RetryPolicy;
  /** Logs and counts how a message is about to be settled. Must not throw. */
  readonly report: (settled: Settled<E>) => void;
  readonly log: Log;
}

/**
 * Makes the handler of a queue: it works on a message and then settles it, exactly once, last, on every path; it never
 * rejects. A redelivered message is not worked on, as a worker may have died of it.
 */
export function createConsumer<E extends AboutStudy>(parts: ConsumerParts<E>): MessageHandler {
  const { parse, retry, log } = parts;
  return async (message) => {
    if (message.redelivered)
      return conclude(settleRedelivered(message, retry), message, { event: readable(parse, message), log }, parts);
    const tried = await workOn(message, parts);
    return conclude(settle(tried.failure, message, retry), message, tried, parts);
  };
}

interface Tried<E> extends Pick<Settled<E>, 'event' | 'log'> {
  /** Undefined for success. */
  readonly failure?: unknown;
}

async function workOn<E extends AboutStudy>(
  message: ConsumedMessage,
  { parse, work, log }: ConsumerParts<E>,
): Promise<Tried<E>> {
  let tried: Tried<E> = { event: null, log };
  try {
    const event = parse(message.body);
    tried = { event, log: log.child({ study: event.studyInstanceUid }) };
    describeSpan({ 'hilum.study': event.studyInstanceUid });
    await work(event, message, tried.log);
    return tried;
  } catch (error) {
    return { ...tried, failure: error ?? new Error('nothing was thrown') };
  }
}

function readable<E>(parse: (body: Uint8Array) => E, { body }: ConsumedMessage): E | null {
  try {
    return parse(body);
  } catch {
    return null;
  }
}

function conclude<E>(
  decided: Settlement,
  message: ConsumedMessage,
  { event, log, failure }: Tried<E>,
  { report, retry }: ConsumerParts<E>,
): Promise<void> {
  const { attempt, lost } = message;
  const settlement = inFact(decided, retry);
  describeSpan({
    'hilum.settlement': settlement.kind,
    'hilum.delay_ms': 'delayMs' in settlement ? settlement.delayMs : undefined,
  });
  if ('reason' in settlement) failSpan(settlement.reason);
  const fields = { attempt, lost, ...(failure === undefined ? {} : { error: describeFailure(failure) }) };
  report({ settlement, message, event, log, fields });
  return carryOut(settlement, message);
}

/**
 * With the delay of the delay queue that is used: log, list and metrics must not report another one, such as a
 * Retry-After of days.
 */
function inFact(settlement: Settlement, { delaysMs }: RetryPolicy): Settlement {
  return 'delayMs' in settlement && settlement.delayMs > 0 && delaysMs.length > 0
    ? { ...settlement, delayMs: delayGiven(settlement.delayMs, delaysMs) }
    : settlement;
}

/** Settles a message as decided. */
function carryOut(settlement: Settlement, message: ConsumedMessage): Promise<void> {
  switch (settlement.kind) {
    case 'ack':
      return message.ack();
    case 'retry':
      return message.retry(settlement.delayMs, settlement.reason, settlement.isAway);
    case 'dead-letter':
      return message.deadLetter(settlement.reason);
    case 'continue-later':
      return message.continueLater();
    case 'requeue':
      return settlement.counted ? message.requeue(settlement.delayMs) : message.continueLater();
  }
}
