import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskProblem, freeBytes } from '../../src/base/disk';

test('a real folder has something free', async () => {
  expect(await freeBytes(tmpdir())).toBeGreaterThan(0);
  expect(await diskProblem([tmpdir()], 1)).toBeNull();
});

test('too little, in the folder that has it', async () => {
  const look = async (folder: string) => (folder === '/full' ? 12_345_678 : 1e12);
  expect(await diskProblem(['/roomy', '/full'], 100_000_000, look)).toBe('12 MB free in /full, less than 100 MB');
  expect(await diskProblem(['/roomy'], 100_000_000, look)).toBeNull();
  expect(await diskProblem(['/full'], 12_345_678, look)).toBeNull();
});

test('a folder that is yet to be made has what its parent has; one that can not be looked at is told', async () => {
  expect(await freeBytes(join(tmpdir(), 'yet', 'to be made'))).toBeGreaterThan(0);
  expect(await diskProblem([join(__filename, 'below a file')], 1)).toBe(
    `the folder ${join(__filename, 'below a file')} can't be looked at`,
  );
});
