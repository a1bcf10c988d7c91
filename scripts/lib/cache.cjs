/** What development brings from npm without installing it, kept between runs. Node built-ins only. */
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { runGroup, workFolder } = require('./processes.cjs');

/** `HILUM_CACHE_DIR`, else a folder under the home directory. */
function cacheDir() {
  return (
    process.env.HILUM_CACHE_DIR ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'hilum')
  );
}

/**
 * A folder of the cache. It is filled beside its place and then renamed, so that it is there whole or not at all.
 * @param {string} name
 * @param {string} file what it has when it is there
 * @param {(dir: string) => Promise<void>} fill
 * @returns {Promise<string>} the folder
 */
async function cachedFolder(name, file, fill) {
  const target = path.join(cacheDir(), name);
  if (fs.existsSync(path.join(target, file))) return target;
  fs.mkdirSync(cacheDir(), { recursive: true });
  const work = workFolder(path.join(cacheDir(), `${name}-`));
  try {
    await fill(work.dir);
    fs.rmSync(target, { recursive: true, force: true });
    fs.renameSync(work.dir, target);
  } finally {
    work.remove();
  }
  return target;
}

/**
 * An npm package as it is published, without what it depends on.
 * @returns {Promise<string>} its tarball in the folder
 * @throws Error when npm can't bring it
 */
async function packed(name, folder) {
  await run('npm', ['pack', name, '--silent', '--pack-destination', folder], folder);
  return path.join(folder, fs.readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '');
}

/** @throws Error with the last line of what it said */
async function run(file, args, cwd) {
  const { code, output } = await runGroup(file, args, { cwd, timeout: 600_000 });
  if (code !== 0) throw new Error(`${file} ${args[0]} failed: ${output.trim().split('\n').pop()}`);
}

module.exports = { cacheDir, cachedFolder, packed, run };
