#!/usr/bin/env node
/**
 * node scripts/build/installation.mjs [--dir DIR]: makes of a clean checkout (by default this one) what is installed:
 * the build with its bill of materials, and of node_modules only what the service needs on this kind of machine. The
 * image and the Debian package are made by it. It throws away what development needs: not for a checkout that is worked
 * in.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, isMain, runMain, runQuietly } from '../lib/shell.mjs';

const NPM_OPTIONS = ['--no-audit', '--no-fund'];
/** For commits before 0.2, whose .npmrc newer npm does not heed: see the present one. */
const ENVIRONMENT = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };

/** @param {string} dir a clean checkout */
export async function makeInstallation(dir) {
  const run = (title, file, args) => runQuietly(title, file, args, { cwd: dir, env: ENVIRONMENT });
  // The image's build has installed them in a step of its own, which is kept while the lock file stays the same.
  if (!fs.existsSync(path.join(dir, 'node_modules'))) await run('npm ci', 'npm', ['ci', ...NPM_OPTIONS]);
  await run('npm run build', 'npm', ['run', '--silent', 'build']);
  // Commits before 0.2 have none.
  if (fs.existsSync(path.join(dir, 'scripts/build/sbom.mjs')))
    await run('bill of materials', process.execPath, ['scripts/build/sbom.mjs']);
  await run('npm prune', 'npm', ['prune', '--omit=dev', ...NPM_OPTIONS]);
  removeOtherPlatforms(path.join(dir, 'node_modules/onnxruntime-node/bin'));
}

/** onnxruntime-node brings its libraries for every platform: bin/napi-v6/linux/x64 and so on. */
function removeOtherPlatforms(folder) {
  const own = path.join(process.platform, process.arch);
  for (const api of fs.readdirSync(folder))
    for (const platform of fs.readdirSync(path.join(folder, api)))
      for (const arch of fs.readdirSync(path.join(folder, api, platform)))
        if (path.join(platform, arch) !== own)
          fs.rmSync(path.join(folder, api, platform, arch), { recursive: true, force: true });
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({ options: { dir: { type: 'string', default: ROOT } } });
  await runMain(async () => {
    await makeInstallation(path.resolve(values.dir));
    return 0;
  });
}
