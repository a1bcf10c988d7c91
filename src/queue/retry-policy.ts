import { ERROR_CODES, type ErrorCode, HilumError, lastingOf } from '../base/errors';

export interface RetryPolicy {
  /** Delay before the second, third ... attempt (milliseconds); the last one repeats. */
  readonly delaysMs: readonly number[];
  /** Attempts after the first. */
  readonly limit: number;
  /** Limit of attempts that find the other side away, counted separately; without it they count as other failures. */
  readonly awayLimit?: number;
}

/** How a message is settled; `queue/message` describes the methods. */
export type Settlement =
  | { readonly kind: 'ack' }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string; readonly isAway?: true }
  | { readonly kind: 'dead-letter'; readonly reason: string }
  | { readonly kind: 'continue-later' }
  | { readonly kind: 'requeue'; readonly delayMs: number; readonly counted: boolean };

/**
 * Attempts after the first refused sign-in in a row: a token may be about to be renewed, but the sign-in is not tried
 * for ever.
 */
export const UNAUTHORISED_RETRIES = 3;
/** Number of losses up to which a message is requeued without a delay. */
export const TOLERATED_LOSSES = 5;
/** Number of losses after which a message is given up. */
export const LOSS_LIMIT = 20;
/** Reason of a message that was lost too often. */
export const WORKER_LOST = 'WORKER_LOST';
/** Every reason for which a message may be retried or given up. */
export const FAILURE_CODES: readonly string[] = [...ERROR_CODES, 'UNKNOWN', WORKER_LOST];

const UNAUTHORISED: readonly string[] = ['ARCHIVE_UNAUTHORISED', 'RECEIVER_UNAUTHORISED'];

/** Number of this attempt, and counts of the earlier ones. */
export interface Tries {
  /** From 1. */
  readonly attempt: number;
  /** Earlier attempts that found the other side away and were counted as such. */
  readonly away: number;
  /** Attempts directly before this one that were refused the sign-in. */
  readonly refused: number;
}

/** Facts about a message that the broker marks as redelivered. */
export interface Redelivery {
  /** Number of times that it was requeued for this before. */
  readonly lost: number;
  /** Redelivered only because the broker was restarted while it waited. */
  readonly outlivedBroker: boolean;
}

/**
 * Decides how a message is settled whose attempt ended with `error` (undefined: success). Transient and ambiguous
 * failures are retried, after the server's Retry-After where that is longer; permanent ones are not, and a refused
 * sign-in only a few times. A study that was returned between two films has not failed: it is continued later. Attempts
 * that found the other side away (where they have a limit of their own) and refused sign-ins in a row are counted
 * separately, so that an outage of an hour does not use up the attempts of a sign-in refused once. Delays grow with the
 * count.
 */
export function settle(error: unknown, tries: Tries, policy: RetryPolicy): Settlement {
  if (error === undefined) return { kind: 'ack' };
  if (codeOf(error) === 'STUDY_RETURNED') return { kind: 'continue-later' };
  const reason = codeOf(error);
  const isOnlyAway = policy.awayLimit !== undefined && isAway(error);
  const [failed, limit] = isOnlyAway ? [tries.away + 1, policy.awayLimit] : failedOtherwise(error, tries, policy);
  if (failed > limit) return { kind: 'dead-letter', reason };
  return {
    kind: 'retry',
    delayMs: Math.max(delayFor(failed, policy), retryAfterOf(error) ?? 0),
    reason,
    ...(isOnlyAway ? { isAway: true } : {}),
  };
}

/** Number of failures of this kind, and their limit. */
function failedOtherwise(
  error: unknown,
  { attempt, away, refused }: Tries,
  { limit }: RetryPolicy,
): [failed: number, limit: number] {
  if (UNAUTHORISED.includes(codeOf(error))) return [refused + 1, Math.min(UNAUTHORISED_RETRIES, limit)];
  return [attempt - away, lastingOf(error) === 'permanent' ? 0 : limit];
}

/** Number of refused sign-ins at the end of the list of codes (the last one last). */
export function refusedInARow(codes: readonly string[]): number {
  return codes.length - 1 - codes.findLastIndex((code) => !UNAUTHORISED.includes(code));
}

/**
 * Number of attempts after the first until the delays alone last `ms` milliseconds; at least the limit for other
 * failures.
 */
export function triesWithin(ms: number, { delaysMs, limit }: RetryPolicy): number {
  const before = delaysMs.slice(0, -1);
  const rest = ms - before.reduce((sum, delay) => sum + delay, 0);
  return Math.max(limit, before.length + Math.max(0, Math.ceil(rest / delaysMs.at(-1)!)));
}

/**
 * Decides how a redelivered message is settled that was lost `lost` times before. The loss is counted before the
 * message is worked on, and it goes to the end of the queue: a film that kills its worker then neither delays others
 * nor returns for ever, and returns less and less often. Where a restart of the broker explains it, the loss is not
 * counted; otherwise a night of restarts would give up every waiting message.
 */
export function settleRedelivered({ lost, outlivedBroker }: Redelivery, policy: RetryPolicy): Settlement {
  if (outlivedBroker) return { kind: 'requeue', delayMs: 0, counted: false };
  if (lost >= LOSS_LIMIT) return { kind: 'dead-letter', reason: WORKER_LOST };
  return {
    kind: 'requeue',
    counted: true,
    delayMs: lost < TOLERATED_LOSSES ? 0 : delayFor(lost - TOLERATED_LOSSES + 1, policy),
  };
}

/**
 * The delay that a message gets which has to wait for at least `wantedMs`: the shortest delay queue that is long
 * enough, else the longest.
 * @throws RangeError without any delay
 */
export function delayGiven(wantedMs: number, delaysMs: readonly number[]): number {
  const sorted = [...delaysMs].sort((a, b) => a - b);
  const given = sorted.find((delayMs) => delayMs >= wantedMs) ?? sorted.at(-1);
  if (given === undefined) throw new RangeError('there is no delay');
  return given;
}

function delayFor(attempt: number, { delaysMs }: RetryPolicy): number {
  return delaysMs[Math.min(attempt, delaysMs.length) - 1] ?? 0;
}

/** The code only: the message of a foreign error may hold anything. */
function codeOf(error: unknown): string {
  return error instanceof HilumError ? error.code : 'UNKNOWN';
}

const AWAY_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'ARCHIVE_UNREACHABLE',
  'ARCHIVE_TIMEOUT',
  'RECEIVER_UNREACHABLE',
  'RECEIVER_TIMEOUT',
]);

/**
 * Whether an error means that the other side was not reachable or did not answer in time, or a proxy says so
 * (`isAway`).
 */
export function isAway(error: unknown): boolean {
  if (!(error instanceof HilumError)) return false;
  return AWAY_CODES.has(error.code) || ('isAway' in error && error.isAway === true);
}

/** Waiting time that a server asked for by Retry-After (milliseconds), from `retryAfterMs` of an error. */
export function retryAfterOf(error: unknown): number | undefined {
  const value = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  return typeof value === 'number' && value >= 0 ? value : undefined;
}
