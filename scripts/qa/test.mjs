#!/usr/bin/env node
/**
 * `npm test`: installs what is missing, then runs every part: format, lint, unused code, types, the Python tests and
 * all of jest, the real servers included. `npm test -- --part NAME [ARGS]`: one part alone, for jest with these
 * arguments. `npm test -- ARGS`: jest alone, all of its projects, with these arguments. The last line is always `N
 * passed, N failed`.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onDebian13 } from './debian-13.mjs';
import { TRAINING_TOOLS, ensure } from '../dev/setup.mjs';
import { minutesTable, timed } from '../lib/parts.mjs';
import { Explained, ROOT, runMain, runShown, say, succeeds } from '../lib/shell.mjs';
import { builtAndRun } from './package/verify-image.mjs';

/** Debian's own: the plug-in runs in it, and its packages are installed for it. */
const PYTHON = '/usr/bin/python3';

const WORKERS = `--maxWorkers=${Math.min(4, os.availableParallelism())}`;

/** Server tests that measure how long something takes. */
const ALONE = ['bench', 'faults-slow', 'list-habits', 'list-pages', 'priority', 'slices'];

const NEEDS_OF_SERVERS = { servers: true, judges: true, browser: true };
const ALL_NEEDS = { ...NEEDS_OF_SERVERS, root: true, training: true };

/** In the order of running. `needs`: what scripts/dev/setup.mjs has to bring for it. */
const PARTS = [
  { name: 'format', needs: {}, run: () => check('npm', ['run', '--silent', 'format:check']) },
  { name: 'lint', needs: {}, run: () => check('node_modules/.bin/eslint', ['.']) },
  { name: 'unused', needs: {}, run: () => check('npm', ['run', '--silent', 'knip']) },
  { name: 'types', needs: {}, run: () => check('npm', ['run', '--silent', 'typecheck']) },
  {
    name: 'plug-in',
    needs: { servers: true },
    run: () => unittest(['-m', 'unittest', 'discover', '-s', 'test/plugin'], ROOT),
  },
  { name: 'training', needs: { training: true }, run: trainingTests },
  { name: 'unit', needs: {}, run: (args) => jest(['--selectProjects=unit', WORKERS, ...args]) },
  { name: 'slow', needs: { judges: true }, run: (args) => jest(['--selectProjects=slow', WORKERS, ...args]) },
  { name: 'servers', needs: NEEDS_OF_SERVERS, run: servers },
  { name: 'debian-13', needs: { root: true }, run: debian13 },
  { name: 'image', needs: { root: true }, run: image },
];

async function main() {
  const { parts, needs, args } = chosen(process.argv.slice(2));
  const rows = [await timed('set-up', () => ensure(needs))];
  for (const { name, run } of parts) {
    say(`\n== ${name}`);
    rows.push(await timed(name, () => run(args)));
  }
  const { passed, failed, skipped } = sum(rows);
  say(`\n${minutesTable(rows, ['passed', 'failed', 'skipped'])}`);
  if (skipped > 0) say(`${skipped} skipped; each says above what it lacks`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

function chosen(args) {
  if (args.length === 0) return { parts: PARTS, needs: ALL_NEEDS, args };
  if (args[0] !== '--part') return { parts: [{ name: 'jest', run: jest }], needs: ALL_NEEDS, args: some(args) };
  const part = PARTS.find(({ name }) => name === args[1]);
  if (part === undefined) throw new Explained(`parts are ${PARTS.map(({ name }) => name).join(', ')}`);
  return { parts: [part], needs: part.needs, args: some(args.slice(2)) };
}

/** A project without a test of that name is no failure. */
const some = (args) => (args.length === 0 ? args : [...args, '--passWithNoTests']);

async function check(file, args, options = {}) {
  const { code } = await runShown(file, args, options);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Format, lint and types of training/, then its tests with Debian's PyTorch. */
async function trainingTests() {
  const cwd = path.join(ROOT, 'training');
  const tool = (name, ...args) => check(path.join(TRAINING_TOOLS, 'bin', name), args, { cwd });
  const rows = [await tool('ruff', 'format', '--check', '.'), await tool('ruff', 'check', '.'), await tool('mypy')];
  if (succeeds(PYTHON, ['-c', 'import torch, onnx, scipy, PIL, pydicom']))
    return sum([
      ...rows,
      await unittest(['-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'], cwd, { PYTHONPATH: 'src' }),
    ]);
  say('SKIPPED: the tests of the training need PyTorch and ONNX: npm run setup -- training');
  return sum([...rows, { passed: 0, failed: 0, skipped: 1 }]);
}

/**
 * Two files at a time, as each has servers of its own and waits for them most of the time; those whose limits of time
 * are meant for a machine that is not shared come alone.
 */
async function servers(args) {
  const run = (...more) => jest(['--selectProjects=servers', ...more]);
  if (args.length > 0) return run('--maxWorkers=1', ...args);
  const alone = `(${ALONE.join('|')})\\.test`;
  const together = await run('--maxWorkers=2', `--testPathPatterns=test/servers/(?!${alone})`);
  return sum([together, await run('--maxWorkers=1', `--testPathPatterns=test/servers/${alone}`)]);
}

/** The servers that hospitals update to. Not inside itself. */
async function debian13() {
  return sum(await onDebian13());
}

/** @returns what several came to, together */
function sum(rows) {
  const total = (key) => rows.reduce((all, row) => all + (row[key] ?? 0), 0);
  return { passed: total('passed'), failed: total('failed'), skipped: total('skipped') };
}

/** docker/Dockerfile, built and run without an engine. */
async function image() {
  return { ...(await builtAndRun()), skipped: 0 };
}

async function unittest(args, cwd, more = {}) {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...more };
  const { code, output } = await runShown(PYTHON, args, { cwd, env });
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? 0);
  const failed = number(/failures=(\d+)/) + number(/errors=(\d+)/);
  const skipped = number(/skipped=(\d+)/);
  const ran = number(/^Ran (\d+) tests?/m);
  return { passed: Math.max(0, ran - failed - skipped), failed: code !== 0 && failed === 0 ? 1 : failed, skipped };
}

async function jest(args) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-jest-'));
  const file = path.join(dir, 'results.json');
  // By this Node, which need not be the one in the path.
  const { code } = await runShown(
    process.execPath,
    ['node_modules/jest/bin/jest.js', ...args, '--json', `--outputFile=${file}`],
    { silentOut: true },
  );
  const result = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
  fs.rmSync(dir, { recursive: true, force: true });
  if (result === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: result.numPendingTests,
  };
}

await runMain(main);
