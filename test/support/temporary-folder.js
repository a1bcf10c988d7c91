const { chmodSync } = require('node:fs');
const { portsFolder, workFolder } = require('../../scripts/lib/processes.cjs');

/**
 * Before the first test file: `os.tmpdir()` of the tests, and of all programs that they start, is a folder of this run,
 * which goes with the run, also where that is killed.
 */
module.exports = function openTemporaryFolder() {
  const { TMPDIR, HILUM_PORTS_DIR } = process.env;
  const folder = workFolder('hilum-tests-');
  // As the folder in whose place it is: PostgreSQL runs under an account of its own.
  chmodSync(folder.dir, 0o1777);
  // Runs at the same time must not be given the same ports.
  Object.assign(process.env, { TMPDIR: folder.dir, HILUM_PORTS_DIR: portsFolder });
  globalThis.closeTemporaryFolder = () => {
    folder.remove();
    for (const [name, before] of Object.entries({ TMPDIR, HILUM_PORTS_DIR }))
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
  };
};
