import { TurnaroundCache } from '../../src/worklist/turnaround-cache';
import type { Turnaround, TurnaroundRequest } from '../../src/worklist/turnaround';

const MINUTE = 60_000;
const DAY = 86_400_000;

function setUp() {
  const state = { clock: 100 * DAY, failure: null as Error | null };
  const asked: TurnaroundRequest[] = [];
  const running = { now: 0, most: 0 };
  const worklist = {
    async turnaround(request: TurnaroundRequest): Promise<Turnaround> {
      asked.push(request);
      running.most = Math.max(running.most, ++running.now);
      await new Promise(setImmediate);
      running.now--;
      if (state.failure !== null) throw state.failure;
      return { from: request.from, to: request.to, isCut: false, withoutArrival: 0, groups: [] };
    },
  };
  const cache = new TurnaroundCache({ worklist, timeZone: 'Europe/Berlin', now: () => state.clock });
  return { cache, state, asked, running };
}

test('who asks at once, and within five minutes, gets the same figures; then they are computed anew', async () => {
  const { cache, state, asked } = setUp();
  const [first, second] = await Promise.all([cache.get(7), cache.get(7)]);
  expect(second).toBe(first);
  expect(asked).toEqual([{ from: 93 * DAY, to: 100 * DAY, timeZone: 'Europe/Berlin' }]);
  state.clock += 5 * MINUTE - 1;
  expect(await cache.get(7)).toBe(first);
  state.clock += 1;
  expect((await cache.get(7)).to).toBe(state.clock);
  expect(asked).toHaveLength(2);
});

test('one is computed at a time, however many are asked for', async () => {
  const { cache, running, asked } = setUp();
  await Promise.all([cache.get(1), cache.get(7), cache.get(30), cache.get(90)]);
  expect([asked.length, running.most]).toEqual([4, 1]);
});

test('a glance waits for nothing and begins what is missing; figures of a quarter of an hour are none', async () => {
  const { cache, state, asked } = setUp();
  expect(cache.latest(7)).toBeNull();
  await cache.get(7);
  expect(asked).toHaveLength(1);
  expect(cache.latest(7)?.to).toBe(100 * DAY);
  state.clock += 14 * MINUTE;
  state.failure = new Error('away');
  expect(cache.latest(7)?.to).toBe(100 * DAY);
  state.clock += MINUTE;
  expect(cache.latest(7)).toBeNull();
});

test('a failure is told who asked, and the next one asks again', async () => {
  const { cache, state } = setUp();
  state.failure = new Error('away');
  await expect(cache.get(30)).rejects.toThrow('away');
  state.failure = null;
  await expect(cache.get(30)).resolves.toMatchObject({ from: 70 * DAY });
});
