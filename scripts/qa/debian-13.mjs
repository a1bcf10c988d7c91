#!/usr/bin/env node
/**
 * `npm run verify:debian13 [-- --root DIR] [--all] [TEST...]`: the demo, the plug-in's tests and server tests against
 * the servers of Debian 13 (Orthanc 1.12, RabbitMQ 4, PostgreSQL 17, Python 3.13), in a root of their own made by
 * mmdebstrap, with this checkout bound into it. TEST: server tests by name, by default amqp, dicomweb, end-to-end and
 * plugin; `--all` (`npm run verify:servers`): every one. The root is removed at the end unless `--root` names a folder,
 * which is used again. Needs root. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { PACKAGES } from '../dev/setup.mjs';
import { minutesTable, timed } from '../lib/parts.mjs';
import { inside, withRoot } from '../lib/roots.mjs';
import { isMain, runMain, say } from '../lib/shell.mjs';

const SUITE = 'trixie';
const TESTS = ['amqp', 'dicomweb', 'end-to-end', 'plugin'];
const JEST = 'node_modules/jest/bin/jest.js';

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { root: { type: 'string' }, all: { type: 'boolean', default: false } },
  });
  const tests = values.all ? [] : positionals.length > 0 ? positionals : TESTS;
  const rows = await onDebian13(tests, values.root);
  const total = (key) => rows.reduce((sum, row) => sum + (row[key] ?? 0), 0);
  say(`\n${minutesTable(rows, ['passed', 'failed', 'skipped'])}`);
  process.stdout.write(`${total('passed')} passed, ${total('failed')} failed\n`);
  return total('failed') > 0 || total('passed') === 0 ? 1 : 0;
}

/**
 * @param {readonly string[]} tests server tests by name; none for all of them
 * @param {string} [kept] a folder for the root that stays; by default one that is removed
 * @returns what each part came to: name, minutes, passed, failed, skipped
 */
export async function onDebian13(tests = TESTS, kept = undefined) {
  const started = performance.now();
  return withRoot({ suite: SUITE, packages: packagesFor(tests), kept }, async (root) => {
    say(versions(root));
    const rows = [{ name: 'root', minutes: (performance.now() - started) / 60_000 }];
    for (const [name, args] of [
      ['demo', ['scripts/dev/demo.mjs', '--once']],
      ['plug-in', ['scripts/qa/test.mjs', '--part', 'plug-in']],
      // Not by scripts/qa/test.mjs, which would install what other server tests need: Java and a browser.
      ['servers', [JEST, '--selectProjects=servers', '--maxWorkers=1', ...tests.map((test) => `/${test}\\.test`)]],
    ]) {
      say(`\n== Debian 13, ${name}`);
      rows.push(await timed(name, () => partOf(root, args)));
    }
    return rows;
  });
}

/** The usual tests need neither Java, Prometheus nor a browser. */
function packagesFor(tests) {
  const judges = PACKAGES.judges.filter((name) => tests.length === 0 || !/java|jre|bsh|prometheus|poppler/.test(name));
  const browser = tests.length === 0 ? PACKAGES.browser : [];
  return [...PACKAGES.servers, ...judges, ...browser];
}

function versions(root) {
  const query = ['dpkg-query', '-W', '-f', '${Package} ${Version}\\n', 'orthanc', 'orthanc-dicomweb', 'orthanc-python'];
  const { stdout } = spawnSync('chroot', [root, ...query, 'rabbitmq-server', 'postgresql', 'python3'], {
    encoding: 'utf8',
  });
  return stdout.trim();
}

async function partOf(root, args) {
  const { code, output } = await inside(root, args);
  return { ...counts(args, output), ...(code === 0 ? {} : { failed: Math.max(1, counts(args, output).failed) }) };
}

/** As jest says, as scripts/qa/test.mjs says, and for all else one that passed. */
function counts([script], output) {
  const lines = script === JEST ? output.match(/^Tests: .*$/gm) : output.match(/^\d+ (passed|skipped).*$/gm);
  const number = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(lines?.join('\n') ?? '')?.[1] ?? 0);
  return lines === null
    ? { passed: 1, failed: 0, skipped: 0 }
    : { passed: number('passed'), failed: number('failed'), skipped: number('skipped') };
}

if (isMain(import.meta.url)) await runMain(main);
