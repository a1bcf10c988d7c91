/** What development brings from npm without installing it, kept between runs. Node built-ins only. */
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** `HILUM_CACHE_DIR`, else a folder under the home directory. */
function cacheDir() {
  return (
    process.env.HILUM_CACHE_DIR ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'hilum')
  );
}

/**
 * An npm package as it is published, without what it depends on.
 * @returns {string} its tarball in the folder
 * @throws Error when npm can't bring it
 */
function packed(name, folder) {
  run('npm', ['pack', name, '--silent', '--pack-destination', folder], folder);
  return path.join(folder, fs.readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '');
}

/** @throws Error with the last line of what it said */
function run(file, args, cwd) {
  const result = spawnSync(file, args, { cwd, encoding: 'utf8', timeout: 600_000 });
  if (result.status !== 0)
    throw new Error(
      `${file} ${args[0]} failed: ${(result.stderr || result.error?.message || '').trim().split('\n').pop()}`,
    );
}

module.exports = { cacheDir, packed, run };
