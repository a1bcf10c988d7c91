import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const script = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'scripts', name), ...args], { encoding: 'utf8' });

test('a script tells its use where it is asked, and beside what was wrong', () => {
  expect(script('compare-models.mjs', '--help')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^node scripts\/compare-models.mjs FOLDER_A FOLDER_B/) as string,
  });
  const { status, stderr } = script('compare-models.mjs', '--nonsense');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^Unknown option '--nonsense'[^]*node scripts\/compare-models.mjs FOLDER_A FOLDER_B/);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('a file that is not there is one sentence', () => {
  for (const name of ['tfjs-model.mjs', 'labels-of-manifest.mjs']) {
    const { status, stderr } = script(name, '/nowhere', ...(name === 'tfjs-model.mjs' ? ['--out', '/nowhere'] : []));
    expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 1, lines: 1 });
    expect(stderr).toContain('/nowhere');
  }
});
