import { ERROR_CODES, type ErrorCode, HilumError, lastingOf } from '../base/errors';

export interface RetryPolicy {
  /** Delay before the second, third ... try (milliseconds); the last one repeats. */
  readonly delaysMs: readonly number[];
  /** Tries after the first. */
  readonly limit: number;
  /** How many tries may find the other side away, counted for themselves; without it they are failures like others. */
  readonly awayLimit?: number;
}

/** What becomes of a message; `queue/message` says what each does. */
export type Settlement =
  | { readonly kind: 'ack' }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string; readonly isAway?: true }
  | { readonly kind: 'dead-letter'; readonly reason: string }
  | { readonly kind: 'continue-later' }
  | { readonly kind: 'requeue'; readonly delayMs: number; readonly counted: boolean };

/**
 * Tries after the first that is refused the sign-in, all in a row: it may be a token about to be renewed, but it is not
 * asked for ever.
 */
export const UNAUTHORISED_RETRIES = 3;
/** Losses after which a message is still requeued at once. */
export const TOLERATED_LOSSES = 5;
/** Losses after which a message is given up. */
export const LOSS_LIMIT = 20;
/** Reason of a message that was lost too often. */
export const WORKER_LOST = 'WORKER_LOST';
/** Every reason that a message may be tried again or given up for. */
export const FAILURE_CODES: readonly string[] = [...ERROR_CODES, 'UNKNOWN', WORKER_LOST];

const UNAUTHORISED: readonly string[] = ['ARCHIVE_UNAUTHORISED', 'RECEIVER_UNAUTHORISED'];

/** Which try it is, and what was seen in those before. */
export interface Tries {
  /** From 1. */
  readonly attempt: number;
  /** Tries before this one that failed because the other side was away, and were counted so. */
  readonly away: number;
  /** Tries right before this one that were all refused the sign-in. */
  readonly refused: number;
}

/** What is known of a message that the broker calls redelivered. */
export interface Redelivery {
  /** How often it was requeued before for the same reason. */
  readonly lost: number;
  /** Redelivered only because the broker was restarted while it waited. */
  readonly outlivedBroker: boolean;
}

/**
 * What becomes of a message whose try ended with `error`; undefined is success. Transient and ambiguous failures are
 * tried again, with the server's Retry-After where it is longer; permanent ones never, a refused sign-in a few times. A
 * study that was returned between two films has not failed: it is continued later. Each kind of failure is counted for
 * itself, so that an outage of an hour does not leave a sign-in refused once without another try: tries that found the
 * other side away, where they have a limit of their own, and sign-ins refused in a row. Delays grow with that count.
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

/** How often it has failed so, and how often it may. */
function failedOtherwise(
  error: unknown,
  { attempt, away, refused }: Tries,
  { limit }: RetryPolicy,
): [failed: number, limit: number] {
  if (UNAUTHORISED.includes(codeOf(error))) return [refused + 1, Math.min(UNAUTHORISED_RETRIES, limit)];
  return [attempt - away, lastingOf(error) === 'permanent' ? 0 : limit];
}

/** Of the codes of failed tries, the last one last, how many at the end are refused sign-ins. */
export function refusedInARow(codes: readonly string[]): number {
  return codes.length - 1 - codes.findLastIndex((code) => !UNAUTHORISED.includes(code));
}

/**
 * How many tries after the first it takes until their delays alone last `ms` milliseconds; not fewer than the limit for
 * other failures.
 */
export function triesWithin(ms: number, { delaysMs, limit }: RetryPolicy): number {
  const before = delaysMs.slice(0, -1);
  const rest = ms - before.reduce((sum, delay) => sum + delay, 0);
  return Math.max(limit, before.length + Math.max(0, Math.ceil(rest / delaysMs.at(-1)!)));
}

/**
 * What becomes of a redelivered message that had been lost `lost` times before. It is counted before it is worked on,
 * at the end of the queue: a film that kills its worker then neither holds up the others nor comes back for ever, and
 * comes less and less often. Where a restart of the broker explains it, it is put there uncounted: otherwise a night of
 * restarts would give up whatever waited.
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
 * The delay that a message which is to wait for at least `wantedMs` really gets: there is a queue for each of a few
 * delays. The shortest that is long enough, else the longest. @throws RangeError without any
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

/** The code alone: the message of an error that is not ours may hold anything. */
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
 * Whether an error tells that the other side was not there, did not answer in time, or that a proxy before it said so
 * (`isAway`).
 */
export function isAway(error: unknown): boolean {
  if (!(error instanceof HilumError)) return false;
  return AWAY_CODES.has(error.code) || ('isAway' in error && error.isAway === true);
}

/** Milliseconds that a server asked to wait (`Retry-After`), where an error carries them as `retryAfterMs`. */
export function retryAfterOf(error: unknown): number | undefined {
  const value = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  return typeof value === 'number' && value >= 0 ? value : undefined;
}
