import { isShared, SharedMemory } from '../../src/base/shared-bytes';

test('memory is used again, and holds no more than the bytes that are in it now', () => {
  const memory = new SharedMemory(2);
  const first = memory.of(Uint8Array.of(1, 2, 3));
  expect([...first]).toEqual([1, 2, 3]);
  expect(isShared(first)).toBe(true);
  memory.give(first);
  const second = memory.of(Uint8Array.of(9));
  expect(second.buffer).toBe(first.buffer);
  expect([...second]).toEqual([9]);
});

test('memory in use is not given out again, and shared bytes are not copied', () => {
  const memory = new SharedMemory(2);
  const [first, second] = [memory.of(Uint8Array.of(1)), memory.of(Uint8Array.of(2))];
  expect([first[0], second[0]]).toEqual([1, 2]);
  expect(first.buffer).not.toBe(second.buffer);
  expect(memory.of(first)).toBe(first);
});

test('larger bytes get memory of their own, and the largest pieces are kept', () => {
  const memory = new SharedMemory(1);
  const [small, large] = [memory.take(10), memory.take(3_000_000)];
  memory.give(small);
  memory.give(large);
  expect(memory.take(10).buffer).toBe(large.buffer);
});

test('what is too large, or not shared, is not kept', () => {
  const memory = new SharedMemory(2);
  const huge = memory.take(65 * 1024 * 1024);
  memory.give(huge);
  memory.give(new Uint8Array(2_000_000));
  const next = memory.take(10);
  expect(isShared(next)).toBe(true);
  expect(next.buffer).not.toBe(huge.buffer);
});
