import { backoffMs, sleep, withTimeout } from '../../src/base/retry';

test.each([
  [0, 0, 500],
  [0, 1, 1_000],
  [1, 1, 2_000],
  [3, 1, 8_000],
  [10, 1, 30_000],
  [10, 0, 15_000],
  [10_000, 1, 30_000],
])('repetition %d, with a random number of %d, waits %d ms', (attempt, chance, expected) =>
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
