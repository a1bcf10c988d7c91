import { SlotLimit } from '../../src/base/slot-limit';

test('places are given up to a number, of one holder and of all, and come back once', () => {
  const shares = new SlotLimit({ most: 3, each: 2 });
  const first = shares.take('a');
  expect([first === null, shares.take('a') === null, shares.take('a') === null]).toEqual([false, false, true]);
  expect([shares.take('b') === null, shares.take('b') === null]).toEqual([false, true]);
  first!();
  first!();
  expect([shares.take('c') === null, shares.take('c') === null]).toEqual([false, true]);
});
