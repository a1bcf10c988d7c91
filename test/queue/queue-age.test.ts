import { QueueAge } from '../../src/queue/queue-age';

const START = 1_000_000;
const at = (seconds: number) => START + seconds * 1000;

test('an empty queue has no age, however long nothing was taken', () => {
  expect(new QueueAge(START).seconds(0, at(500))).toBe(0);
});

test('what waits came after the last that was taken', () => {
  const age = new QueueAge(START);
  age.taken(at(10));
  expect(age.seconds(3, at(70))).toBe(60);
  age.taken(at(30));
  expect(age.seconds(2, at(70))).toBe(40);
});

test('what waits came after the queue was last empty', () => {
  const age = new QueueAge(START);
  age.taken(at(10));
  age.empty(at(100));
  expect(age.seconds(1, at(130))).toBe(30);
});

test('the first message tells of a time before the process; a requeued one makes no other older', () => {
  const age = new QueueAge(START);
  expect(age.seconds(5, at(20))).toBe(20);
  age.taken(at(-600));
  expect(age.seconds(4, at(20))).toBe(620);
  age.taken(at(-100));
  age.taken(at(-500));
  expect(age.seconds(2, at(20))).toBe(120);
});

test('without a time, or with a clock ahead of ours, it is never below 0 and never undefined', () => {
  const age = new QueueAge(START);
  age.taken(null);
  expect(age.seconds(1, at(5))).toBe(5);
  age.taken(at(100));
  expect(age.seconds(1, at(5))).toBe(0);
});
