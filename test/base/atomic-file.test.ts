import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAtomically, writeAtomicallySync } from '../../src/base/atomic-file';

const folder = () => mkdtempSync(join(tmpdir(), 'hilum-atomic-'));

describe.each([
  ['writeAtomically', writeAtomically],
  ['writeAtomicallySync', async (...given: Parameters<typeof writeAtomicallySync>) => writeAtomicallySync(...given)],
])('%s', (_name, write) => {
  test('takes the place of the old file, with the mode that is asked for, and leaves nothing else', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'a'), 'old and longer', { mode: 0o644 });
    await write(join(dir, 'a'), 'new', { mode: 0o600 });
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('new');
    expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['a']);
  });

  test('makes the folder', async () => {
    const path = join(folder(), 'b', 'c', 'd');
    await write(path, Buffer.from([0, 255]));
    expect([...readFileSync(path)]).toEqual([0, 255]);
  });

  test('what can not take the place is thrown, and leaves nothing beside', async () => {
    const dir = folder();
    mkdirSync(join(dir, 'a'));
    await expect(write(join(dir, 'a'), 'new')).rejects.toMatchObject({ code: 'EISDIR' });
    expect(readdirSync(dir)).toEqual(['a']);
  });
});

test('the check sees the new file while the old one is in place; when it throws, the old one stays', async () => {
  const dir = folder();
  const path = join(dir, 'a');
  writeFileSync(path, 'old');
  const seen: string[] = [];
  const check = (beside: string) => {
    seen.push(readFileSync(beside, 'utf8'), readFileSync(path, 'utf8'));
    throw new Error('no');
  };
  await expect(writeAtomically(path, 'new', { check })).rejects.toThrow('no');
  expect(seen).toEqual(['new', 'old']);
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(dir)).toEqual(['a']);
});
