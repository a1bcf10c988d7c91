import { isShared, SharedMemory } from '../../src/base/shared-bytes';

test('memory is used again, and holds no more than the bytes that are in it now', () => {
  const memory = new SharedMemory(2);
  const first = memory.copyOf(Uint8Array.of(1, 2, 3));
  expect([...first.bytes]).toEqual([1, 2, 3]);
  expect(isShared(first.bytes)).toBe(true);
  first.release();
  const second = memory.copyOf(Uint8Array.of(9));
  expect(second.bytes.buffer).toBe(first.bytes.buffer);
  expect([...second.bytes]).toEqual([9]);
});

test('memory in use is not given out again', () => {
  const memory = new SharedMemory(2);
  const [first, second] = [memory.copyOf(Uint8Array.of(1)), memory.copyOf(Uint8Array.of(2))];
  expect([first.bytes[0], second.bytes[0]]).toEqual([1, 2]);
  expect(first.bytes.buffer).not.toBe(second.bytes.buffer);
});

test('larger bytes get memory of their own, and the largest pieces are kept', () => {
  const memory = new SharedMemory(1);
  const small = memory.copyOf(new Uint8Array(10));
  const large = memory.copyOf(new Uint8Array(3_000_000));
  small.release();
  large.release();
  expect(memory.copyOf(new Uint8Array(10)).bytes.buffer).toBe(large.bytes.buffer);
});

test('what is too large is not kept', () => {
  const memory = new SharedMemory(1);
  const huge = memory.copyOf(new Uint8Array(65 * 1024 * 1024));
  huge.release();
  expect(memory.copyOf(new Uint8Array(10)).bytes.buffer).not.toBe(huge.bytes.buffer);
});
