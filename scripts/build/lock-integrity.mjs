#!/usr/bin/env node
/**
 * node scripts/build/lock-integrity.mjs [--check]: asks npm for the integrity of each entry of package-lock.json that
 * lacks one (npm writes none for packages of other platforms that it did not fetch) and writes it down. --check changes
 * nothing, asks nobody, and ends with status 1 where one is missing.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Explained, ROOT, runMain, say } from '../lib/shell.mjs';

const LOCK = path.join(ROOT, 'package-lock.json');
const FOLDER = 'node_modules/';
const npm = promisify(execFile);

async function main() {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const lock = JSON.parse(fs.readFileSync(LOCK, 'utf8'));
  const missing = Object.entries(lock.packages).filter(([name, { integrity, link }]) => name && !integrity && !link);
  if (values.check && missing.length > 0)
    throw new Explained(`without integrity: ${missing.map(([name]) => name).join(', ')}`);
  for (const [place, entry] of missing) {
    const name = entry.name ?? place.slice(place.lastIndexOf(FOLDER) + FOLDER.length);
    const integrity = await integrityOf(`${name}@${entry.version}`);
    if (integrity === null) say(`the registry has none for ${name}@${entry.version}`);
    else lock.packages[place] = { version: entry.version, integrity, ...entry };
  }
  if (missing.length > 0) fs.writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  return 0;
}

/** Null where the registry does not have the package, or gives no integrity. */
async function integrityOf(spec) {
  try {
    const { stdout } = await npm('npm', ['view', spec, 'dist.integrity', '--json'], { cwd: ROOT });
    return stdout.trim() === '' ? null : JSON.parse(stdout);
  } catch {
    return null;
  }
}

await runMain(main);
