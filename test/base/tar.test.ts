import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TAR_END, tarEntries, tarHeader, tarPadding } from '../../src/base/tar';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-tar-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const AT = new Date('2026-03-01T12:00:00.000Z');
async function entriesOf(path: string) {
  const file = await open(path, 'r');
  try {
    return await tarEntries(file);
  } finally {
    await file.close();
  }
}
const archive = (contents: Readonly<Record<string, Buffer>>) =>
  Buffer.concat([
    ...Object.entries(contents).flatMap(([name, content]) => [
      tarHeader(name, content.length, AT),
      content,
      tarPadding(content.length),
    ]),
    TAR_END,
  ]);

test.each([0, 1, 511, 512, 513, 100_000])('%d bytes are unpacked by tar, and found here', async (size) => {
  const content = Buffer.alloc(size, 'x');
  const path = join(dir, 'a.tar');
  writeFileSync(path, archive({ 'list.db': content, 'manifest.json': Buffer.from('{}') }));
  const listed = execFileSync('tar', ['tvf', path, '--utc', '--numeric-owner'], { encoding: 'utf8' });
  expect(listed.split('\n')[0]).toMatch(new RegExp(`^-rw------- 0/0 +${size} 2026-03-01 12:00 list.db$`));
  expect(execFileSync('tar', ['xOf', path, 'list.db']).equals(content)).toBe(true);
  expect(await entriesOf(path)).toEqual([
    { name: 'list.db', start: 512, size },
    { name: 'manifest.json', start: 512 + Math.ceil(size / 512) * 512 + 512, size: 2 },
  ]);
});

test('what tar has written is found here', async () => {
  writeFileSync(join(dir, 'one'), 'x'.repeat(700));
  execFileSync('tar', ['cf', join(dir, 'a.tar'), '-C', dir, 'one']);
  expect(await entriesOf(join(dir, 'a.tar'))).toEqual([{ name: 'one', start: 512, size: 700 }]);
});

test('sizes beyond eleven octal digits are read by tar too', async () => {
  const size = 9 * 1024 ** 3;
  const path = join(dir, 'a.tar');
  writeFileSync(path, tarHeader('list.db', size, AT));
  // The content is a hole; the archive ends without its end.
  truncateSync(path, 512 + size);
  expect(execFileSync('tar', ['tvf', path], { encoding: 'utf8' })).toContain(` ${size} `);
  await expect(entriesOf(path)).rejects.toThrow('cut off');
  truncateSync(path, 512 + size + TAR_END.length);
  expect(await entriesOf(path)).toEqual([{ name: 'list.db', start: 512, size }]);
});

test.each([
  ['text', Buffer.from('what somebody wrote '.repeat(100)), 'no tar'],
  ['nothing', Buffer.alloc(0), 'cut off'],
  ['a size beyond the file', tarHeader('a', 5_000, AT), 'cut off'],
  ['a header with one byte changed', Buffer.concat([Buffer.from('X'), tarHeader('a', 0, AT).subarray(1)]), 'no tar'],
])('%s is none', async (_what, content, why) => {
  writeFileSync(join(dir, 'a.tar'), content);
  await expect(entriesOf(join(dir, 'a.tar'))).rejects.toThrow(why);
});
