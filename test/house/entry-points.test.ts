import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

const ROOT = resolve(__dirname, '../..');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const json = (file: string) => JSON.parse(text(file)) as Record<string, unknown>;

const dir = mkdtempSync(join(tmpdir(), 'hilum-entry-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('npx hilum', () => {
  const { hilum } = (json('package.json') as { bin: { hilum: string } }).bin;
  const started = (...args: string[]) =>
    spawnSync(process.execPath, [join(dir, hilum), ...args], { encoding: 'utf8', cwd: tmpdir() });
  beforeAll(() => cpSync(join(ROOT, hilum), join(dir, hilum)));

  test('says in a clone without a build what builds it', () => {
    const { status, stdout, stderr } = started('models');
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: `hilum: not built yet; this does it: cd ${dir} && npm run setup\n`,
    });
  });

  test('is the build, with its arguments and its exit status', () => {
    mkdirSync(join(dir, 'dist'));
    writeFileSync(join(dir, 'dist/cli.js'), 'console.log(process.argv.slice(2).join()); process.exitCode = 3;');
    expect(started('models', '--json')).toMatchObject({ status: 3, stdout: 'models,--json\n' });
  });

  test('can be run as it is', () => {
    expect(statSync(join(ROOT, hilum)).mode & 0o111).toBe(0o111);
  });
});

test('no package runs a script when it is installed; those that have one are known not to need it', () => {
  expect(text('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  const { packages } = json('package-lock.json') as { packages: Record<string, { hasInstallScript?: boolean }> };
  const withScript = Object.entries(packages).flatMap(([path, { hasInstallScript }]) => (hasInstallScript ? path : []));
  // Of the first and the second the binaries are packages of their own; the third prints an advertisement.
  const known = ['@parcel/watcher', '@swc/core', 'core-js-pure', 'onnxruntime-node'];
  expect(withScript).toEqual(known.map((name) => `node_modules/${name}`));
});

test('every script of package.json is there', () => {
  const { scripts } = json('package.json') as { scripts: Record<string, string> };
  const files = Object.values(scripts).flatMap((command) => [...command.matchAll(/scripts\/\S+\.[mc]js/g)].flat());
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) expect(statSync(join(ROOT, file)).isFile()).toBe(true);
});

test('a script stands in the folder that says what it is for', () => {
  const folders = readdirSync(join(ROOT, 'scripts'), { withFileTypes: true });
  expect(folders.map((entry) => entry.name).sort()).toEqual(['build', 'dev', 'lib', 'models', 'qa']);
});

describe('the workflow of GitHub', () => {
  const { jobs } = parse(text('.github/workflows/ci.yml')) as {
    jobs: Record<string, { container: { image: string }; steps: { uses?: string; run?: string }[] }>;
  };
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('is .ci/run on Debian 12', () => {
    expect(Object.values(jobs).map(({ container }) => container.image)).toEqual(['node:24-bookworm']);
    expect(steps.at(-1)?.run).toBe('.ci/run');
    expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).toBe(0o111);
  });

  test('takes every action by its commit', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions).toHaveLength(1);
    for (const action of actions) expect(action).toMatch(/@[0-9a-f]{40}$/);
  });
});
