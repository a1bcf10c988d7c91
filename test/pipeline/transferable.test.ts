import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { transferable } from '../../src/pipeline/transferable';

const { poolSize } = Buffer;
afterEach(() => void (Buffer.poolSize = poolSize));

const unpacked = () => inflateRawSync(deflateRawSync(Buffer.alloc(100, 7)));

// zlib asks for 16 KiB at first: of a pool of more than twice that, it gets a part.
test.each([64 << 10, 1 << 20])('what zlib has unpacked into a buffer pool of %i bytes is not given away', (size) => {
  Buffer.poolSize = size;
  // The pool that is in use is used up first.
  const pooled = Array.from({ length: 5 }, unpacked).at(-1)!;
  expect({ used: pooled.byteLength, of: pooled.buffer.byteLength }).toEqual({ used: 100, of: size });
  expect(transferable([pooled])).toHaveLength(0);
});

test('all other memory is given away, each buffer once', () => {
  const [one, other] = [new Uint8Array(100_000), new Float32Array(100_000)];
  const given = transferable([one.subarray(0, 10), other, one.subarray(50_000)]);
  expect(given).toHaveLength(2);
  expect(given[0] === one.buffer && given[1] === other.buffer).toBe(true);
});
