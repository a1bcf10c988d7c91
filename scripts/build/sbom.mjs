#!/usr/bin/env node
/**
 * node scripts/build/sbom.mjs [--out FILE]: the bill of materials of what is installed with the service, as npm itself
 * makes it from package-lock.json (CycloneDX 1.5, JSON), by default in dist/sbom.cdx.json. Ends with status 1 where a
 * component has no digest. The image is built with it; a release carries it.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Explained, ROOT, isMain, runMain, say } from '../lib/shell.mjs';

const ARGS = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
const MAX_BYTES = 64 * 1024 * 1024;

async function main() {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: path.join(ROOT, 'dist/sbom.cdx.json') } },
  });
  const text = billOf(installed());
  const { bomFormat, components } = JSON.parse(text);
  if (bomFormat !== 'CycloneDX' || components.length === 0) throw new Explained('npm made no bill of materials');
  const bare = components.filter(({ hashes }) => (hashes?.length ?? 0) === 0);
  if (bare.length > 0) throw new Explained(`without a digest: ${bare.map(({ name }) => name).join(', ')}`);
  fs.mkdirSync(path.dirname(values.out), { recursive: true });
  fs.writeFileSync(values.out, text);
  say(`${values.out}: ${components.length} components`);
  return 0;
}

/**
 * What is installed with the service, as a package: npm's own `--omit=dev` leaves out what a package of development
 * needs, too (npm 11).
 * @param {string} clone
 */
export function installed(clone = ROOT) {
  const [manifest, lock] = ['package.json', 'package-lock.json'].map((name) =>
    JSON.parse(fs.readFileSync(path.join(clone, name), 'utf8')),
  );
  for (const root of [manifest, lock.packages['']]) delete root.devDependencies;
  lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => dev !== true));
  return { manifest, lock };
}

function billOf({ manifest, lock }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-sbom-'));
  const cwd = path.join(dir, manifest.name);
  try {
    fs.mkdirSync(cwd);
    fs.writeFileSync(path.join(cwd, 'package.json'), JSON.stringify(manifest));
    fs.writeFileSync(path.join(cwd, 'package-lock.json'), JSON.stringify(lock));
    return execFileSync('npm', ARGS, {
      cwd,
      maxBuffer: MAX_BYTES,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) await runMain(main);
