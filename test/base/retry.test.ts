import { HilumError } from '../../src/base/errors';
import { backoffMs, isAway, retryAfterOf, sleep, withTimeout } from '../../src/base/retry';
import { statusError } from '../../src/net/http';

test.each([
  [0, 0, 500],
  [0, 1, 1_000],
  [1, 1, 2_000],
  [3, 1, 8_000],
  [10, 1, 30_000],
  [10, 0, 15_000],
  [10_000, 1, 30_000],
])('repetition %d, with chance at %d, waits %d ms', (attempt, chance, expected) =>
  expect(backoffMs(attempt, { baseMs: 1_000, maxMs: 30_000 }, () => chance)).toBe(expected),
);

test('sleep ends early, without an error, when it is told to', async () => {
  const stop = new AbortController();
  const started = Date.now();
  setTimeout(() => stop.abort(), 20);
  await sleep(10_000, stop.signal);
  await sleep(10_000, stop.signal);
  expect(Date.now() - started).toBeLessThan(2_000);
});

test('withTimeout gives the value, the failure, or the error of being late', async () => {
  const late = () => new Error('late');
  await expect(withTimeout(Promise.resolve(1), 100, late)).resolves.toBe(1);
  await expect(withTimeout(Promise.reject(new Error('failed')), 100, late)).rejects.toThrow('failed');
  await expect(withTimeout(new Promise(() => {}), 10, late)).rejects.toThrow('late');
  await expect(
    withTimeout(
      sleep(20).then(() => Promise.reject(new Error('unheard'))),
      1,
      late,
    ),
  ).rejects.toThrow('late');
  await sleep(40);
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
