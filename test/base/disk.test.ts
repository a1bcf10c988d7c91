import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskProblem, freeBytes, writeProblem } from '../../src/base/disk';

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

test('a folder is tried by writing, and left as it was; one that is yet to be made by its parent', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-disk-'));
  writeFileSync(join(dir, 'appended'), 'what is there');
  expect(await writeProblem(dir, 'appended')).toBeNull();
  expect(await writeProblem(dir, 'not there')).toBeNull();
  expect(await writeProblem(join(dir, 'yet', 'to be made'))).toBeNull();
  expect(readdirSync(dir)).toEqual(['appended']);
  mkdirSync(join(dir, 'folder'));
  expect(await writeProblem(dir, 'folder')).toMatch(/can't be written to: the system refuses it \(EISDIR\)$/);
  const below = join(dir, 'appended', 'below');
  expect(await writeProblem(below)).toBe(`the folder ${below} can't be written to: it is no folder (ENOTDIR)`);
  rmSync(dir, { recursive: true });
});
