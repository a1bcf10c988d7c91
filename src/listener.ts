import { z } from 'zod';
import { ERROR_CODES, HilumError, lastingOf } from './base/errors';
import type { Log } from './base/log';
import { PRIORITIES, type Priority } from './base/priority';
import { retryAfterOf } from './base/retry';
import { tryParseUid, type Uid } from './dicom/uid';
import type { FilmResult, ResultEvent } from './pipeline/stage';

/** A study became stable: docs/events.md, schema version 1. */
export interface StudyEvent {
  readonly schemaVersion: 1;
  readonly type: 'study-stable';
  readonly studyInstanceUid: Uid;
  readonly source?: { readonly system: string; readonly aet?: string | undefined } | undefined;
  /** ISO 8601 with a time zone. */
  readonly occurredAt: string;
  /** Films that have a report of another version of Hilum are to be read anew; without it they are left alone. */
  readonly reanalyze?: boolean | undefined;
  /** Goes before the rules of the configuration. */
  readonly priority?: Priority | undefined;
}

/** Port: one message of the broker; `client/amqp` fits it by shape. It is to be settled exactly once, and its methods never reject. */
export interface Delivery {
  readonly body: Uint8Array;
  readonly redelivered: boolean;
  /** Redelivered only because the broker was restarted while it waited. */
  readonly outlivedBroker: boolean;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** How often it was put back because it had been redelivered. */
  readonly lost: number;
  /** How often a part of its study was done and the rest left to a next delivery. */
  readonly slices: number;
  ack(): Promise<void>;
  /** Once more after at least `delayMs` milliseconds. */
  retry(delayMs: number, reason: string): Promise<void>;
  deadLetter(reason: string): Promise<void>;
  /** To the end of the queue after at least `delayMs` milliseconds, as the same try, lost once more. */
  putBack(delayMs: number): Promise<void>;
  /** To the end of the queue at once, as the same try: neither failed nor lost, one slice further. */
  goOn(): Promise<void>;
}

export const MAX_EVENT_BYTES = 64 * 1024;

const uid = z.string().transform((text, context): Uid => {
  const parsed = tryParseUid(text);
  if (parsed === undefined) context.addIssue({ code: 'custom', message: 'not a DICOM UID' });
  return parsed ?? z.NEVER;
});

const studyEventSchema = z.object({
  schemaVersion: z.literal(1),
  type: z.literal('study-stable'),
  studyInstanceUid: uid,
  source: z.object({ system: z.string().max(64), aet: z.string().max(64).optional() }).optional(),
  occurredAt: z.iso.datetime({ offset: true }),
  reanalyze: z.boolean().optional(),
  priority: z.enum(PRIORITIES).optional(),
});

/**
 * Reads a study event; keys that it does not know are left alone, so that publishers may add some.
 * @throws HilumError EVENT_INVALID (permanent) that names the keys at fault and quotes none of their values.
 */
export function parseStudyEvent(bytes: Uint8Array): StudyEvent {
  if (bytes.length > MAX_EVENT_BYTES) throw invalid(`it is longer than ${MAX_EVENT_BYTES} bytes`);
  const parsed = studyEventSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw invalid([...new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'the whole'))].join(', '));
  return parsed.data;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw invalid('it is not JSON in UTF-8');
  }
}

function invalid(what: string): HilumError {
  return new HilumError('EVENT_INVALID', 'permanent', `not a study event of schema version 1: ${what}`);
}

export interface RetryPolicy {
  /** Delay before the second, third ... try (milliseconds); the last one repeats. */
  readonly delaysMs: readonly number[];
  /** Tries after the first. */
  readonly limit: number;
}

export type Settlement =
  | { readonly kind: 'ack' }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  | { readonly kind: 'dead-letter'; readonly reason: string }
  | { readonly kind: 'go-on' }
  | { readonly kind: 'put-back'; readonly delayMs: number; readonly counted: boolean };

/** Tries after the first for a refused sign-in: it may be a token about to be renewed, but it is not asked for ever. */
export const UNAUTHORISED_RETRIES = 3;
/** Losses after which a message is still put back at once. */
export const TOLERATED_LOSSES = 5;
/** Losses after which a message is given up. */
export const LOSS_LIMIT = 20;
/** Reason of a message that was lost too often. */
export const WORKER_LOST = 'WORKER_LOST';

/**
 * What becomes of a delivery whose `attempt`-th try (from 1) ended with `error`; undefined is success.
 * Transient and ambiguous failures are tried again, with the server's Retry-After where it is longer; permanent ones never, a refused sign-in a few times.
 * A study that was returned between two films has not failed: it goes on.
 */
export function settle(error: unknown, attempt: number, policy: RetryPolicy): Settlement {
  if (error === undefined) return { kind: 'ack' };
  if (codeOf(error) === 'STUDY_RETURNED') return { kind: 'go-on' };
  const reason = codeOf(error);
  const limit = retriesFor(error, policy);
  if (attempt > limit) return { kind: 'dead-letter', reason };
  return { kind: 'retry', delayMs: Math.max(delayFor(attempt, policy), retryAfterOf(error) ?? 0), reason };
}

/**
 * What becomes of a redelivered message that had been lost `lost` times before. It is counted before it is worked on, at the end of the queue: a film that
 * kills its worker then neither holds up the others nor comes back for ever, and comes less and less often. Where a restart of the broker explains it, it
 * is put there uncounted: otherwise a night of restarts would give up whatever waited.
 */
export function settleRedelivered({ lost, outlivedBroker }: Pick<Delivery, 'lost' | 'outlivedBroker'>, policy: RetryPolicy): Settlement {
  if (outlivedBroker) return { kind: 'put-back', delayMs: 0, counted: false };
  if (lost >= LOSS_LIMIT) return { kind: 'dead-letter', reason: WORKER_LOST };
  return { kind: 'put-back', counted: true, delayMs: lost < TOLERATED_LOSSES ? 0 : delayFor(lost - TOLERATED_LOSSES + 1, policy) };
}

function retriesFor(error: unknown, policy: RetryPolicy): number {
  if (codeOf(error) === 'ARCHIVE_UNAUTHORISED') return Math.min(UNAUTHORISED_RETRIES, policy.limit);
  return lastingOf(error) === 'permanent' ? 0 : policy.limit;
}

function delayFor(attempt: number, { delaysMs }: RetryPolicy): number {
  return delaysMs[Math.min(attempt, delaysMs.length) - 1] ?? 0;
}

/** The code alone: the message of an error that is not ours may hold anything. */
function codeOf(error: unknown): string {
  return error instanceof HilumError ? error.code : 'UNKNOWN';
}

export const STUDY_RESULTS = ['done', 'nothing-new', 'retry', 'dead', 'put-back'] as const;
export type StudyResult = (typeof STUDY_RESULTS)[number];
/** Every reason that a failed study may have. */
export const FAILURE_CODES: readonly string[] = [...ERROR_CODES, 'UNKNOWN', WORKER_LOST];

/** Port: who counts studies; `web/metrics` fits it by shape. */
export interface StudyObserver {
  /** `reason`: the code, for those that failed. */
  study(result: StudyResult, reason?: string): void;
}

export interface StudyOptions {
  /** This study may have been worked on before. */
  readonly redelivered: boolean;
  readonly attempt: number;
  /** Films that have a report of another version of Hilum are to be read anew. */
  readonly reanalyze: boolean;
  /** Asked between two films: whether to throw STUDY_RETURNED. */
  readonly shouldReturn: () => boolean;
}

export interface ListenerOptions {
  /** Null where there was nothing new to say. */
  readonly runStudy: (study: Uid, options: StudyOptions) => Promise<ResultEvent | null>;
  readonly retry: RetryPolicy;
  readonly log: Log;
  readonly observer?: StudyObserver;
  /** How long a delivery is worked on before its study is returned between two films (milliseconds): the broker waits for an answer for a limited time. */
  readonly sliceMs?: number;
  /** The service is asked to stop: studies in hand are returned between two films. */
  readonly isStopping?: () => boolean;
}

/** Makes the handler of study messages: it works on one, then settles it, exactly once, last, on every path, and never rejects. */
export function createListener(options: ListenerOptions): (delivery: Delivery) => Promise<void> {
  const { retry, log, observer = { study: () => {} } } = options;
  return async (delivery) => {
    if (delivery.redelivered) return carryOut(settleRedelivered(delivery, retry), delivery, undefined, log, observer);
    let studyLog = log;
    let failure: unknown;
    try {
      const event = parseStudyEvent(delivery.body);
      studyLog = log.child({ study: event.studyInstanceUid });
      observer.study(await work(event, delivery, options, studyLog));
    } catch (error) {
      failure = error ?? new Error('nothing was thrown');
    }
    await carryOut(settle(failure, delivery.attempt, retry), delivery, failure, studyLog, observer);
  };
}

async function work({ studyInstanceUid: study, reanalyze = false }: StudyEvent, { attempt, lost, slices }: Delivery, { runStudy, sliceMs = Infinity, isStopping = () => false }: ListenerOptions, log: Log): Promise<StudyResult> {
  const started = process.hrtime.bigint();
  const secondsGone = () => Number(process.hrtime.bigint() - started) / 1e9;
  log.debug({ event: 'study.received', attempt, lost, slices }, 'study received');
  const shouldReturn = () => isStopping() || secondsGone() * 1000 > sliceMs;
  const result = await runStudy(study, { redelivered: lost > 0 || attempt > 1 || slices > 0, attempt, reanalyze, shouldReturn });
  const seconds = secondsGone();
  if (result === null) {
    log.info({ event: 'study.nothing-new', seconds }, 'nothing new in this study');
    return 'nothing-new';
  }
  for (const film of result.films) logFilm(film, log);
  log.info({ event: 'study.done', seconds, attempt, priority: result.priority, ...countOutcomes(result) }, 'study done');
  return 'done';
}

/** The reason's code alone: its sentence may quote the film's header. */
function logFilm({ sopInstanceUid: film, outcome, reason, outputs }: FilmResult, log: Log): void {
  log.info({ event: `film.${outcome}`, film, ...(reason === null ? {} : { reason }), outputs: outputs.length }, `film ${outcome}`);
}

function countOutcomes({ films, skipped }: ResultEvent): Record<string, number> {
  const count = (outcome: string) => films.filter((film) => film.outcome === outcome).length;
  return { films: films.length, analysed: count('analysed'), notAnalysed: count('not-analysed'), rejected: count('rejected'), skippedSeries: skipped.length };
}

async function carryOut(settlement: Settlement, delivery: Delivery, failure: unknown, log: Log, observer: StudyObserver): Promise<void> {
  const fields = { attempt: delivery.attempt, lost: delivery.lost, ...(failure === undefined ? {} : { error: describeFailure(failure) }) };
  switch (settlement.kind) {
    case 'ack':
      return delivery.ack();
    case 'retry':
      observer.study('retry', settlement.reason);
      log.warn({ event: 'study.retry', reason: settlement.reason, delaySeconds: settlement.delayMs / 1000, ...fields }, 'the study is tried again later');
      return delivery.retry(settlement.delayMs, settlement.reason);
    case 'dead-letter':
      observer.study('dead', settlement.reason);
      log.error({ event: 'study.dead', reason: settlement.reason, ...fields }, 'the study is given up; its message is in the dead queue');
      return delivery.deadLetter(settlement.reason);
    case 'go-on':
      log.info({ event: 'study.returned', slices: delivery.slices + 1, ...fields }, 'the study goes back to the queue between two films');
      return delivery.goOn();
    case 'put-back':
      observer.study('put-back');
      log.info({ event: 'study.put-back', delaySeconds: settlement.delayMs / 1000, ...fields }, 'a redelivered message goes to the end of the queue');
      return settlement.counted ? delivery.putBack(settlement.delayMs) : delivery.goOn();
  }
}

/** Without the message of any error that is not ours, which may quote a file; where that one happened instead. */
function describeFailure(failure: unknown): string {
  if (failure instanceof HilumError) return `${failure.code}: ${failure.message}`;
  if (!(failure instanceof Error)) return typeof failure;
  return [failure.name, ...(failure.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at ')).slice(0, 4).map((line) => line.trim())].join(' ');
}
