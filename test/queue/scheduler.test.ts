import { sleep } from '../../src/base/retry';
import type { Priority } from '../../src/events/priority';
import { Scheduler, type SchedulerOptions } from '../../src/queue/scheduler';
import { until } from '../support/servers/servers';

/** Two queues in memory and a scheduler on them; an item is done when the test says so, or at once. */
function bench(more: Partial<SchedulerOptions<string>> = {}, doneAtOnce = true) {
  const queues: Record<Priority, string[]> = { urgent: [], routine: [] };
  const begun: string[] = [];
  const requeued: string[] = [];
  const running = new Map<string, () => void>();
  const scheduler = new Scheduler<string>({
    slots: 1,
    routineEvery: 4,
    idleMs: 5,
    take: (priority) => Promise.resolve(queues[priority].shift() ?? null),
    work: (item) => {
      begun.push(item);
      return doneAtOnce ? Promise.resolve() : new Promise((resolve) => running.set(item, resolve));
    },
    requeue: (item) => void requeued.push(item),
    ...more,
  });
  const finish = (item: string) => {
    running.get(item)!();
    running.delete(item);
  };
  return { queues, begun, requeued, running, scheduler, finish };
}

const many = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}${index + 1}`);

test('urgent overtakes what came before it; within a priority the order stays', async () => {
  const { queues, begun, scheduler } = bench();
  queues.routine.push('r1', 'r2');
  queues.urgent.push('u1', 'u2');
  scheduler.start();
  await until('all', () => begun.length === 4);
  await scheduler.stop();
  expect(begun).toEqual(['u1', 'u2', 'r1', 'r2']);
});

test.each([1, 2, 4])(
  'after %d urgent ones in a row a waiting routine one has its turn, and nothing is lost',
  async (routineEvery) => {
    const { queues, begun, scheduler } = bench({ routineEvery });
    queues.urgent.push(...many('u', 12));
    queues.routine.push(...many('r', 2));
    scheduler.start();
    await until('all', () => begun.length === 14);
    await scheduler.stop();
    const runs = begun
      .join(' ')
      .split(/ ?r\d+ ?/)
      .map((run) => run.split(' ').length);
    expect(runs.slice(0, 2)).toEqual([routineEvery, routineEvery]);
    expect([...begun].sort()).toEqual([...many('u', 12), ...many('r', 2)].sort());
  },
);

test('a routine one that comes late into a long urgent run is next', async () => {
  const { queues, begun, scheduler, finish, running } = bench({}, false);
  queues.urgent.push(...many('u', 20));
  scheduler.start();
  for (let n = 1; n <= 7; n++) {
    await until('the next', () => running.has(`u${n}`));
    if (n === 7) queues.routine.push('late');
    finish(`u${n}`);
  }
  await until('the late one', () => running.has('late'));
  expect(begun).toEqual([...many('u', 7), 'late']);
  finish('late');
  await until('urgent again', () => running.has('u8'));
  void scheduler.stop();
});

test('no more than there are slots is taken; the rest stays where other workers find it', async () => {
  const { queues, begun, scheduler, finish } = bench({ slots: 2 }, false);
  queues.routine.push(...many('r', 5));
  scheduler.start();
  await until('two', () => begun.length === 2);
  scheduler.wake();
  await sleep(30);
  expect([begun, queues.routine]).toEqual([
    ['r1', 'r2'],
    ['r3', 'r4', 'r5'],
  ]);
  queues.urgent.push('u1');
  finish('r2');
  await until('the third', () => begun.length === 3);
  expect(begun[2]).toBe('u1');
  await scheduler.stop();
});

test('when woken it looks at once, otherwise after its pause', async () => {
  const { queues, begun, scheduler } = bench({ idleMs: 60_000 });
  scheduler.start();
  await sleep(20);
  queues.routine.push('r1');
  scheduler.wake();
  await until('the first', () => begun.length === 1, 1_000);
  await scheduler.stop();
  const other = bench({ idleMs: 20 });
  other.scheduler.start();
  await sleep(5);
  other.queues.routine.push('r1');
  await until('the first', () => other.begun.length === 1, 1_000);
  await other.scheduler.stop();
});

test('when taking fails it tries again after its pause, and does not spin', async () => {
  let tries = 0;
  const { begun, scheduler } = bench({
    idleMs: 20,
    take: (priority) =>
      ++tries <= 6 ? Promise.reject(new Error('channel closed')) : Promise.resolve(tries > 8 ? null : priority),
  });
  const started = Date.now();
  scheduler.start();
  await until('the first', () => begun.length >= 1);
  expect(Date.now() - started).toBeGreaterThanOrEqual(55);
  await scheduler.stop();
});

test('stopped while it takes, it gives back; what is worked on goes on, and nothing more is begun', async () => {
  let answer: (item: string | null) => void = () => {};
  const { begun, requeued, scheduler } = bench({ take: () => new Promise((resolve) => (answer = resolve)) });
  scheduler.start();
  const stopping = scheduler.stop();
  answer('r1');
  await stopping;
  expect([begun, requeued]).toEqual([[], ['r1']]);
  const other = bench({}, false);
  other.queues.routine.push('r1', 'r2');
  other.scheduler.start();
  await until('the first', () => other.begun.length === 1);
  await other.scheduler.stop();
  other.finish('r1');
  await sleep(20);
  expect([other.begun, other.queues.routine, other.requeued]).toEqual([['r1'], ['r2'], []]);
});
