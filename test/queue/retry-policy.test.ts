import { ERROR_CODES, HilumError } from '../../src/base/errors';
import { statusError, UnavailableError } from '../../src/net/http';
import {
  FAILURE_CODES,
  isAway,
  LOSS_LIMIT,
  refusedInARow,
  retryAfterOf,
  settle,
  settleRedelivered,
  TOLERATED_LOSSES,
  triesWithin,
  UNAUTHORISED_RETRIES,
  WORKER_LOST,
} from '../../src/queue/retry-policy';

const POLICY = { delaysMs: [5_000, 30_000, 300_000, 1_800_000], limit: 6 };
const transient = new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'x');
const ambiguous = new HilumError('STORE_AMBIGUOUS', 'ambiguous', 'x');
const permanent = new HilumError('ENCODE_FAILED', 'permanent', 'x');
const unauthorised = new HilumError('ARCHIVE_UNAUTHORISED', 'permanent', 'x');
const returned = new HilumError('STUDY_RETURNED', 'transient', 'x');
const retry = (delayMs: number, reason = 'ARCHIVE_UNREACHABLE') => ({ kind: 'retry', delayMs, reason });
const dead = (reason: string) => ({ kind: 'dead-letter', reason });

describe('what becomes of a message', () => {
  test.each([
    ['success', undefined, 1, { kind: 'ack' }],
    ['success after many tries', undefined, 99, { kind: 'ack' }],
    ['transient, first try', transient, 1, retry(5_000)],
    ['transient, second', transient, 2, retry(30_000)],
    ['transient, third', transient, 3, retry(300_000)],
    ['transient, fourth', transient, 4, retry(1_800_000)],
    ['the last delay repeats', transient, 6, retry(1_800_000)],
    ['beyond the limit', transient, 7, dead('ARCHIVE_UNREACHABLE')],
    ['far beyond the limit', transient, 700, dead('ARCHIVE_UNREACHABLE')],
    ['ambiguous', ambiguous, 1, retry(5_000, 'STORE_AMBIGUOUS')],
    ['ambiguous beyond the limit', ambiguous, 7, dead('STORE_AMBIGUOUS')],
    ['permanent', permanent, 1, dead('ENCODE_FAILED')],
    ['permanent after other failures', permanent, 4, dead('ENCODE_FAILED')],
    ['a refused sign-in', unauthorised, 1, retry(5_000, 'ARCHIVE_UNAUTHORISED')],
    ['a refused sign-in after an outage', unauthorised, 6, retry(5_000, 'ARCHIVE_UNAUTHORISED')],
    ['an error without a code', new TypeError('Doe^Jane'), 1, retry(5_000, 'UNKNOWN')],
    ['no error at all', 'Doe^Jane', 7, dead('UNKNOWN')],
    ['returned between two films', returned, 1, { kind: 'continue-later' }],
    ['returned beyond the limit', returned, 99, { kind: 'continue-later' }],
    ['Retry-After beyond the delay', new UnavailableError('x', 60_000), 1, retry(60_000, 'ARCHIVE_UNAVAILABLE')],
    ['Retry-After below the delay', new UnavailableError('x', 10), 1, retry(5_000, 'ARCHIVE_UNAVAILABLE')],
    ['Retry-After at the last try', new UnavailableError('x', 60_000), 7, dead('ARCHIVE_UNAVAILABLE')],
  ] as const)('%s', (_name, error, attempt, expected) =>
    expect(settle(error, { attempt, away: 0, refused: 0 }, POLICY)).toEqual(expected),
  );

  test.each([
    ['once before', 2, 1, retry(30_000, 'ARCHIVE_UNAUTHORISED')],
    ['a third time in a row', 3, 2, retry(300_000, 'ARCHIVE_UNAUTHORISED')],
    ['a fourth time in a row', 4, 3, dead('ARCHIVE_UNAUTHORISED')],
    ['a fourth time in a row, after other failures', 6, 3, dead('ARCHIVE_UNAUTHORISED')],
    ['for the first time, after other failures', 4, 0, retry(5_000, 'ARCHIVE_UNAUTHORISED')],
  ] as const)('sign-in refused %s', (_name, attempt, refused, expected) =>
    expect(settle(unauthorised, { attempt, away: 0, refused }, POLICY)).toEqual(expected),
  );

  test('a receiver that refuses the sign-in is asked as often as the archive', () => {
    const refusal = new HilumError('RECEIVER_UNAUTHORISED', 'permanent', 'x');
    const kinds = Array.from(
      { length: UNAUTHORISED_RETRIES + 1 },
      (_, refused) => settle(refusal, { attempt: refused + 1, away: 0, refused }, POLICY).kind,
    );
    expect(kinds).toEqual([...Array<string>(UNAUTHORISED_RETRIES).fill('retry'), 'dead-letter']);
  });

  test.each([
    ['transient', transient, [5_000, 30_000, 300_000, 1_800_000, 1_800_000, 1_800_000, null]],
    ['ambiguous', ambiguous, [5_000, 30_000, 300_000, 1_800_000, 1_800_000, 1_800_000, null]],
    ['of an unknown kind', new Error('x'), [5_000, 30_000, 300_000, 1_800_000, 1_800_000, 1_800_000, null]],
    ['permanent', permanent, [null]],
  ])('the whole course of a failure that is %s: delays, then dead', (_name, error, expected) => {
    const course = expected.map((_delay, tried) => {
      const settlement = settle(error, { attempt: tried + 1, away: 0, refused: 0 }, POLICY);
      return settlement.kind === 'retry' ? settlement.delayMs : null;
    });
    expect(course).toEqual(expected);
  });

  test.each([
    [[], 0],
    [['ARCHIVE_TIMEOUT'], 0],
    [['ARCHIVE_UNAUTHORISED'], 1],
    [['ARCHIVE_UNAUTHORISED', 'ARCHIVE_TIMEOUT', 'ARCHIVE_UNAUTHORISED', 'RECEIVER_UNAUTHORISED'], 2],
    [['ARCHIVE_UNAUTHORISED', 'ARCHIVE_TIMEOUT'], 0],
  ])('refused in a row: %j', (codes, expected) => expect(refusedInARow(codes)).toBe(expected));

  test('a limit of none', () => {
    expect(settle(transient, { attempt: 1, away: 0, refused: 0 }, { ...POLICY, limit: 0 })).toEqual(
      dead('ARCHIVE_UNREACHABLE'),
    );
    expect(settle(unauthorised, { attempt: 2, away: 0, refused: 1 }, { ...POLICY, limit: 1 })).toEqual(
      dead('ARCHIVE_UNAUTHORISED'),
    );
  });

  describe('with a limit of its own for the other side being away', () => {
    const policy = { ...POLICY, awayLimit: 40 };
    const failing = new UnavailableError('500', undefined);
    const gone = new UnavailableError('503', undefined, undefined, true);
    const awayRetry = (delayMs: number, reason = 'ARCHIVE_UNREACHABLE') => ({
      ...retry(delayMs, reason),
      isAway: true,
    });
    test.each([
      ['the first time', transient, 1, 0, awayRetry(5_000)],
      ['far beyond the limit of other failures', transient, 40, 39, awayRetry(1_800_000)],
      ['beyond its own', transient, 41, 40, dead('ARCHIVE_UNREACHABLE')],
      ['after other failures, its delays begin anew', transient, 7, 0, awayRetry(5_000)],
      ['503', gone, 30, 29, awayRetry(1_800_000, 'ARCHIVE_UNAVAILABLE')],
      ['back, and failing otherwise: as at its first try', failing, 31, 30, retry(5_000, 'ARCHIVE_UNAVAILABLE')],
      ['failing otherwise too often', failing, 37, 30, dead('ARCHIVE_UNAVAILABLE')],
      ['refusing the sign-in for the first time', unauthorised, 34, 30, retry(5_000, 'ARCHIVE_UNAUTHORISED')],
      ['refusing for good', permanent, 31, 30, dead('ENCODE_FAILED')],
      ['returned between two films', returned, 41, 40, { kind: 'continue-later' }],
      ['well', undefined, 41, 40, { kind: 'ack' }],
    ] as const)('%s', (_name, error, attempt, away, expected) =>
      expect(settle(error, { attempt, away, refused: 0 }, policy)).toEqual(expected),
    );

    test.each([
      [72 * 3_600_000, 147],
      [5_000, 6],
      [0, 6],
    ])('the delays of %d ms are %d tries, and never fewer than for other failures', (ms, tries) =>
      expect(triesWithin(ms, POLICY)).toBe(tries),
    );
  });

  test.each([
    [0, { kind: 'requeue', counted: true, delayMs: 0 }],
    [TOLERATED_LOSSES - 1, { kind: 'requeue', counted: true, delayMs: 0 }],
    [TOLERATED_LOSSES, { kind: 'requeue', counted: true, delayMs: 5_000 }],
    [TOLERATED_LOSSES + 1, { kind: 'requeue', counted: true, delayMs: 30_000 }],
    [LOSS_LIMIT - 1, { kind: 'requeue', counted: true, delayMs: 1_800_000 }],
    [LOSS_LIMIT, dead('WORKER_LOST')],
  ])('redelivered, lost %d times before', (lost, expected) =>
    expect(settleRedelivered({ lost, outlivedBroker: false }, POLICY)).toEqual(expected),
  );

  test('the whole course of a message that kills its worker: at once, then by the delays, then dead', () => {
    const course = Array.from({ length: LOSS_LIMIT + 1 }, (_, lost) => {
      const settlement = settleRedelivered({ lost, outlivedBroker: false }, POLICY);
      return settlement.kind === 'requeue' ? settlement.delayMs : null;
    });
    const delayed = LOSS_LIMIT - TOLERATED_LOSSES;
    expect(course).toEqual([
      ...Array<number>(TOLERATED_LOSSES).fill(0),
      ...[5_000, 30_000, 300_000],
      ...Array<number>(delayed - 3).fill(1_800_000),
      null,
    ]);
  });

  test.each([0, LOSS_LIMIT])(
    'redelivered, lost %d times before, but the broker was restarted: requeued uncounted',
    (lost) =>
      expect(settleRedelivered({ lost, outlivedBroker: true }, POLICY)).toEqual({
        kind: 'requeue',
        counted: false,
        delayMs: 0,
      }),
  );
});

test('the reasons are the error codes, one for errors without a code and one for lost workers', () => {
  expect(FAILURE_CODES).toEqual([...ERROR_CODES, 'UNKNOWN', WORKER_LOST]);
});

test.each([
  [Object.assign(new Error(), { retryAfterMs: 5 }), 5],
  [Object.assign(new Error(), { retryAfterMs: -5 }), undefined],
  [Object.assign(new Error(), { retryAfterMs: 'soon' }), undefined],
  [new Error(), undefined],
  [undefined, undefined],
])('Retry-After of %o', (error, expected) => expect(retryAfterOf(error)).toBe(expected));

test.each<[string, unknown, boolean]>([
  ['no connection', new HilumError('RECEIVER_UNREACHABLE', 'transient', 'x'), true],
  ['no answer in time', new HilumError('RECEIVER_TIMEOUT', 'transient', 'x'), true],
  ['the archive likewise', new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'x'), true],
  ['HL7 AE', new HilumError('RECEIVER_UNAVAILABLE', 'transient', 'x'), false],
  ['refused', new HilumError('RECEIVER_REFUSED', 'permanent', 'x'), false],
  ['an error of anybody else', Object.assign(new Error(), { isAway: true, code: 'RECEIVER_UNREACHABLE' }), false],
  ['nothing', undefined, false],
  ...(
    [
      [429, false],
      [500, false],
      [502, true],
      [503, true],
      [504, true],
      [404, false],
    ] as const
  ).map(([status, expected]): [string, unknown, boolean] => [
    `HTTP ${status}`,
    statusError('look', status, ''),
    expected,
  ]),
])('away: %s', (_name, error, expected) => expect(isAway(error)).toBe(expected));
