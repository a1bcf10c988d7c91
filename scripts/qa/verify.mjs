#!/usr/bin/env node
/**
 * `npm run verify [-- PART...]`: what CI runs, and what is too long for CI. All parts, or those that are named; the
 * summary at the end goes into the notes of a release. Status 0 only when all pass.
 */
import { minutesTable, timed } from '../lib/parts.mjs';
import { Explained, runMain, runShown, say } from '../lib/shell.mjs';

/** A part is a command that ends with status 0 when all is well. A new one is a line here. */
const PARTS = [
  { name: 'tests', command: ['scripts/qa/test.mjs'] },
  { name: 'sbom', command: ['scripts/build/sbom.mjs'] },
  { name: 'pack', command: ['scripts/qa/package/verify-pack.mjs'] },
  { name: 'node', command: ['scripts/qa/verify-node.mjs'] },
  { name: 'deb', command: ['scripts/qa/package/verify-deb.mjs'] },
  { name: 'helm', command: ['scripts/qa/package/verify-helm.mjs'] },
  { name: 'fuzz', command: ['scripts/qa/fuzz.mjs'] },
  { name: 'agreement', command: ['scripts/qa/agreement.mjs'] },
  { name: 'chaos', command: ['scripts/qa/chaos.mjs'] },
  { name: 'chaos-dicomweb-only', command: ['scripts/qa/chaos.mjs', '--dicomweb-only'] },
];

async function main() {
  const parts = chosen(process.argv.slice(2));
  const rows = [];
  for (const { name, command } of parts) {
    say(`\n== ${name}: node ${command.join(' ')}`);
    rows.push(await timed(name, () => resultOf(command)));
  }
  process.stdout.write(`${minutesTable(rows, ['result'])}\n`);
  return rows.every(({ result }) => result === 'passed') ? 0 : 1;
}

function chosen(names) {
  const unknown = names.filter((wanted) => !PARTS.some(({ name }) => name === wanted));
  if (unknown.length > 0)
    throw new Explained(`no part: ${unknown.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? PARTS : PARTS.filter(({ name }) => names.includes(name));
}

async function resultOf(command) {
  const { code } = await runShown(process.execPath, command);
  return { result: code === 0 ? 'passed' : 'FAILED' };
}

await runMain(main);
