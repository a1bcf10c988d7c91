import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'hilum-hook-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
const run = (file: string, ...args: string[]) => spawnSync(file, args, { cwd: dir, env, encoding: 'utf8' });
const commit = () => run('git', '-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-qm', 'a commit');
const stage = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  expect(run('git', 'add', '--', name).status).toBe(0);
};

beforeAll(() => {
  for (const name of ['.githooks', '.prettierrc.json', '.prettierignore', 'eslint.config.mjs'])
    cpSync(join(ROOT, name), join(dir, name), { recursive: true });
  mkdirSync(join(dir, 'scripts'));
  expect(run('git', 'init', '-q').status).toBe(0);
  expect(run('git', 'config', 'core.hooksPath', '.githooks').status).toBe(0);
});

test('without npm packages there is no commit, and it is said what brings them', () => {
  stage('notes.md', 'a note\n');
  const { status, stderr } = commit();
  expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('npm run setup') as string });
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  expect(commit().status).toBe(0);
});

test('a file that is not formatted, or that lint refuses, is not committed, and is named', () => {
  const name = 'scripts/with space.mjs';
  stage(name, 'export  const one = 1');
  const unformatted = commit();
  expect(unformatted.status).not.toBe(0);
  expect(unformatted.stderr).toContain(name);
  stage(name, 'const one = 1;\n');
  const refused = commit();
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toMatch(/with space\.mjs[^]*no-unused-vars/);
  stage(name, 'export const one = 1;\n');
  expect(commit()).toMatchObject({ status: 0 });
});

test('what is not in the commit is left alone', () => {
  writeFileSync(join(dir, 'scripts/later.mjs'), 'export  const two = 2');
  stage('notes.md', 'another note\n');
  expect(commit()).toMatchObject({ status: 0 });
});
