import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { placeAtomically, writeAtomically, writeAtomicallySync } from '../../src/base/atomic-file';

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

test('what takes long to make takes its place when it is whole, and hands on what it found', async () => {
  const dir = folder();
  const path = join(dir, 'a');
  writeFileSync(path, 'old');
  const made = await placeAtomically(path, async (beside) => {
    writeFileSync(beside, 'ne');
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(readFileSync(path, 'utf8')).toBe('old');
    writeFileSync(beside, 'new');
    return 3;
  });
  expect([made, readFileSync(path, 'utf8'), readdirSync(dir)]).toEqual([3, 'new', ['a']]);
});

test('what was made in part only is removed', async () => {
  const dir = folder();
  const half = (beside: string): Promise<never> => {
    writeFileSync(beside, 'half');
    return Promise.reject(new Error('full'));
  };
  await expect(placeAtomically(join(dir, 'a'), half)).rejects.toThrow('full');
  expect(readdirSync(dir)).toEqual([]);
});

test('nothing is written to a folder that is not there, nor is that made', async () => {
  const path = join(folder(), 'b', 'c');
  await expect(placeAtomically(path, (beside) => writeFile(beside, 'x'))).rejects.toMatchObject({ code: 'ENOENT' });
});

/** Files that give a file another name for a reason of their own: what is moved is there already, none is written. */
const MOVES: Readonly<Record<string, string>> = {
  'app/init/initialise.ts': 'what was there before keeps lying beside',
  'base/atomic-file.ts': 'the one place',
  'monitoring/shadow-store.ts': 'a full file of a row of files gets its number',
  'web/audit/syslog.ts': 'what waits is handed to the connection, while a new file is begun',
  'web/audit/trail.ts': 'a full file of a row of files gets its time',
  'worklist/restore.ts': 'a database with the files beside it: what was there is kept, and put back where that fails',
};

test('nothing else writes a file and renames it', () => {
  const src = resolve(__dirname, '../../src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const found = files.filter((name) => /\brename(Sync)?\(/.test(readFileSync(join(src, name), 'utf8')));
  expect(found.sort()).toEqual(Object.keys(MOVES).sort());
});
