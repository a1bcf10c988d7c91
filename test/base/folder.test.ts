import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAtomically } from '../../src/base/atomic-file';
import { csvLine } from '../../src/base/csv';
import { requireWritable } from '../../src/base/disk';
import { makeFolder } from '../../src/base/folder';
import { Journal } from '../../src/base/journal';

const dir = mkdtempSync(join(tmpdir(), 'hilum-folder-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('folders are made where they are missing, with their rights, and are left alone where they are not', () => {
  makeFolder(join(dir, 'a/b/c'), 0o700);
  expect((statSync(join(dir, 'a/b/c')).mode & 0o777).toString(8)).toBe('700');
  makeFolder(join(dir, 'a/b/c'));
  makeFolder(join(dir, 'a/d/e'));
  makeFolder(join(dir, 'a/d/e'));
  expect(existsSync(join(dir, 'a/d/e'))).toBe(true);
});

test.each(['/proc/x', '/proc/x/y', '/proc/self/x'])('%s can not be made, and that ends at once', async (path) => {
  expect(() => makeFolder(path)).toThrow(/^E/);
  await expect(writeAtomically(join(path, 'file'), 'x')).rejects.toThrow(/^E/);
});

test('a file in the way is said, in a sentence', async () => {
  const file = join(dir, 'file');
  writeFileSync(file, 'x');
  expect(() => makeFolder(file)).toThrow(/ENOTDIR/);
  expect(() => makeFolder(join(file, 'below'))).toThrow(/ENOTDIR/);
  await expect(requireWritable(file)).rejects.toMatchObject({
    code: 'OUTPUT_FAILED',
    message: `the folder ${file} can't be written to: it is no folder (ENOTDIR)`,
  });
  await expect(requireWritable('/proc/x')).rejects.toMatchObject({
    message: "the folder /proc/x can't be written to: no folder can be made there (ENOENT)",
  });
  expect(readFileSync(file, 'utf8')).toBe('x');
});

test('a line of CSV: what is quoted, and what a spreadsheet would compute', () => {
  expect(csvLine(['a', 1.5, true, null, 'b,c', 'd "e"', 'f\ng', ' h'])).toBe(
    'a,1.5,true,,"b,c","d ""e""","f\ng"," h"\n',
  );
  expect(csvLine(['=1+1', '+1', '-1', '@x', '\tx', -1])).toBe(`'=1+1,'+1,'-1,'@x,'\tx,-1\n`);
  expect(csvLine(['=HYPERLINK("x","y")'])).toBe(`"'=HYPERLINK(""x"",""y"")"\n`);
});

test('a journal keeps what was done by the same analysis, and nothing else', async () => {
  const path = join(dir, 'journal/x.jsonl');
  const first = await Journal.open<{ file: string; n: number }>(path, { analysis: 'one' });
  await first.add({ file: 'a', n: 1 });
  await first.add({ file: 'a', n: 2 });
  await first.close();
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"file":"b",`);
  const second = await Journal.open(path, { analysis: 'one' });
  expect([...second.known.values()]).toEqual([{ file: 'a', n: 2 }]);
  await second.close();
  const other = await Journal.open(path, { analysis: 'two' });
  expect(other.known.size).toBe(0);
  await other.close();
  expect(readFileSync(path, 'utf8')).toBe('{"analysis":"two"}\n');
});
