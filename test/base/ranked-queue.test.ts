import { Abandoned, type RankedTask, RankedQueue } from '../../src/base/ranked-queue';

const pause = () => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when it is told to, and the order in which it was begun. */
function workshop(turns: RankedQueue) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const go = (name: string, task: RankedTask) =>
    turns.run(task, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => (ends.get(name)!(), pause());
  return { begun, go, end };
}

const task = (rank: number): RankedTask & { rank: number; isWanted: boolean } => ({ rank, isWanted: true });

test('the lowest rank goes first, then who came first, so many at a time', async () => {
  const { begun, go, end } = workshop(new RankedQueue(2));
  const all = [go('a', task(4)), go('b', task(4)), go('c', task(4)), go('d', task(4)), go('film', task(0))];
  await pause();
  expect(begun).toEqual(['a', 'b']);
  await end('a');
  expect(begun).toEqual(['a', 'b', 'film']);
  for (const name of ['b', 'film', 'c', 'd']) await end(name);
  expect(begun).toEqual(['a', 'b', 'film', 'c', 'd']);
  await Promise.all(all);
});

test('a place is kept free for rank 0', async () => {
  const { begun, go, end } = workshop(new RankedQueue(2, 1));
  const all = [go('a', task(4)), go('b', task(4)), go('film', task(0))];
  await pause();
  expect(begun).toEqual(['a', 'film']);
  for (const name of ['a', 'film', 'b']) await end(name);
  await Promise.all(all);
});

test('what waits may rise, and what nobody waits for any more is not begun', async () => {
  const { begun, go, end } = workshop(new RankedQueue(1));
  const [later, left] = [task(4), task(4)];
  const first = go('first', task(4));
  const abandoned = expect(go('left', left)).rejects.toBeInstanceOf(Abandoned);
  const others = [go('second', task(4)), go('risen', later)];
  await pause();
  left.isWanted = false;
  later.rank = 0;
  await end('first');
  await abandoned;
  expect(begun).toEqual(['first', 'risen']);
  for (const name of ['risen', 'second']) await end(name);
  await Promise.all([first, ...others]);
});

test('work that fails gives its place to the next', async () => {
  const turns = new RankedQueue(1);
  await expect(turns.run(task(0), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(turns.run(task(0), () => Promise.resolve(1))).resolves.toBe(1);
});
