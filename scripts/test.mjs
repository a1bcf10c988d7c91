#!/usr/bin/env node
/**
 * `npm test`: installs what is missing, then lint, types, the Python tests and all of jest, the real servers included.
 * `npm test -- ARGS`: jest alone, with these arguments. The last line is always `N passed, N failed`.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensure } from './install.mjs';
import { ROOT, runMain, runShown, say, succeeds } from './lib/shell.mjs';

/** Debian's own: the plug-in runs in it, and its packages are installed for it. */
const PYTHON = '/usr/bin/python3';

async function main() {
  await ensure({ servers: true, judges: true, browser: true, training: true });
  const args = process.argv.slice(2);
  const counts = args.length > 0 ? [await jest([...args, '--passWithNoTests'])] : await everything();
  const total = (key) => counts.reduce((sum, count) => sum + count[key], 0);
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(total);
  if (skipped > 0) say(`${skipped} skipped; each says above what it lacks`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

async function everything() {
  const counts = [];
  counts.push(await check('lint', 'node_modules/.bin/eslint', ['.']));
  counts.push(await check('types', 'node_modules/.bin/tsc', ['--noEmit']));
  counts.push(await unittest('the plug-in', ['-m', 'unittest', 'discover', '-s', 'test/plugin'], ROOT));
  counts.push(await trainingTests());
  counts.push(await jest(['--selectProjects=pure', `--maxWorkers=${Math.min(4, os.availableParallelism())}`]));
  // One file at a time: each has servers and models of its own, and its time limits are meant for a machine that is not
  // shared.
  counts.push(await jest(['--selectProjects=servers', '--maxWorkers=1']));
  return counts;
}

async function check(name, file, args) {
  heading(name);
  const { code } = await runShown(file, args);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function trainingTests() {
  if (!fs.existsSync(path.join(ROOT, 'training/tests'))) return { passed: 0, failed: 0, skipped: 0 };
  if (succeeds(PYTHON, ['-c', 'import torch, onnx, scipy, PIL']))
    return unittest(
      'the training',
      ['-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'],
      path.join(ROOT, 'training'),
    );
  say('SKIPPED: the tests of the training need PyTorch and ONNX: node scripts/install.mjs training');
  return { passed: 0, failed: 0, skipped: 1 };
}

async function unittest(name, args, cwd) {
  heading(`Python tests of ${name}`);
  const { code, output } = await runShown(PYTHON, args, { cwd, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? 0);
  const failed = number(/failures=(\d+)/) + number(/errors=(\d+)/);
  const skipped = number(/skipped=(\d+)/);
  const ran = number(/^Ran (\d+) tests?/m);
  return { passed: Math.max(0, ran - failed - skipped), failed: code !== 0 && failed === 0 ? 1 : failed, skipped };
}

async function jest(args) {
  heading(`jest ${args.join(' ')}`);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-jest-'));
  const file = path.join(dir, 'results.json');
  const { code } = await runShown('node_modules/.bin/jest', [...args, '--json', `--outputFile=${file}`], {
    silentOut: true,
  });
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

function heading(text) {
  say(`\n== ${text}`);
}

await runMain(main);
