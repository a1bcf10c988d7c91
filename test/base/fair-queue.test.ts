import { FairQueue } from '../../src/base/fair-queue';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A queue that notes who is let in; `end` ends the turn that has run longest. */
function table(limits: ConstructorParameters<typeof FairQueue>[0]) {
  const queue = new FairQueue(limits);
  const [order, running]: [string[], (() => void)[]] = [[], []];
  return {
    order,
    come(holder: string): boolean {
      const turn = queue.enter(holder);
      void turn?.then((end) => (order.push(holder), running.push(end)));
      return turn !== null;
    },
    async end() {
      running.shift()!();
      await settled();
    },
  };
}

test('one at a time, in turn by holder: a holder with many requests delays only itself', async () => {
  const { come, end, order } = table({ running: 1, runningEach: 1, waitingEach: 4 });
  expect(['a', 'a', 'a', 'a', 'a', 'a'].map(come)).toEqual([true, true, true, true, true, false]);
  expect(['b', 'c'].map(come)).toEqual([true, true]);
  await settled();
  for (let i = 0; i < 6; i += 1) await end();
  expect(order).toEqual(['a', 'a', 'b', 'c', 'a', 'a', 'a']);
  await end();
  expect(come('a')).toBe(true);
});

test('several at a time, but fewer of each holder: another holder is let in at once', async () => {
  const { come, end, order } = table({ running: 3, runningEach: 2, waitingEach: 10 });
  ['a', 'a', 'a', 'a', 'b', 'c'].forEach(come);
  await settled();
  expect(order).toEqual(['a', 'a', 'b']);
  await end();
  expect(order).toEqual(['a', 'a', 'b', 'a']);
  await end();
  expect(order).toEqual(['a', 'a', 'b', 'a', 'c']);
});

test('a turn that is ended twice lets one in', async () => {
  const queue = new FairQueue({ running: 1, runningEach: 1, waitingEach: 9 });
  const end = (await queue.enter('a'))!;
  const entered: number[] = [];
  for (const i of [1, 2]) void queue.enter('a')!.then(() => entered.push(i));
  end();
  end();
  await settled();
  expect(entered).toEqual([1]);
});
