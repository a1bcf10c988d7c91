import { SlotLimit } from '../../src/base/slot-limit';

test('slots are given up to a limit for each holder and one for all; a slot is given back once', () => {
  const shares = new SlotLimit({ most: 3, each: 2 });
  const first = shares.take('a');
  expect([first === null, shares.take('a') === null, shares.take('a') === null]).toEqual([false, false, true]);
  expect([shares.take('b') === null, shares.take('b') === null]).toEqual([false, true]);
  first!();
  first!();
  expect([shares.take('c') === null, shares.take('c') === null]).toEqual([false, true]);
});
