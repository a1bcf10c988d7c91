#!/usr/bin/env node
/**
 * `npm run verify:deb [-- --from COMMIT] [--deb FILE] [SUITE...]`: the Debian package, installed for real into a fresh
 * Debian 12 and 13: installation of an earlier commit's package (0.1.0 with its rooms, f955a33), upgrade, a film
 * through Orthanc, RabbitMQ and the service, remove, installation anew, purge. `--deb`, `--from-deb`: these
 * files instead of packages made of HEAD and of the commit `--from`.
 * Needs root. The last line is `N passed, N failed`.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGES } from '../../dev/setup.mjs';
import { minutesTable, timed } from '../../lib/parts.mjs';
import { inside, withRoot } from '../../lib/roots.mjs';
import { runMain, say } from '../../lib/shell.mjs';
import { buildDeb } from '../../build/package/deb.mjs';
import { countsOf } from './trial.mjs';

const { workFolder } = createRequire(import.meta.url)('../../lib/processes.cjs');

const SUITES = ['bookworm', 'trixie'];
/** The commit that closed the change to rooms, still version 0.1.0. */
const EARLIER = 'f955a33';

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: 'string', default: EARLIER },
      'from-deb': { type: 'string' },
      deb: { type: 'string' },
    },
  });
  const { dir } = workFolder('hilum-try-deb-');
  const rows = [];
  const build = async (file, commit) => ({ file: file ?? (await buildDeb({ commit, out: dir })).file });
  const earlier = await timed('earlier package', () => build(values['from-deb'], values.from));
  const current = await timed('package', () => build(values.deb, 'HEAD'));
  rows.push(...[earlier, current].map(({ name, minutes }) => ({ name, minutes })));
  for (const suite of positionals.length > 0 ? positionals : SUITES)
    rows.push(await timed(suite, () => tried(suite, earlier.file, current.file)));
  const total = (key) => rows.reduce((sum, row) => sum + (row[key] ?? 0), 0);
  say(`\n${minutesTable(rows, ['passed', 'failed'])}`);
  process.stdout.write(`${total('passed')} passed, ${total('failed')} failed\n`);
  return total('failed') > 0 || total('passed') === 0 ? 1 : 0;
}

function tried(suite, earlier, current) {
  return withRoot({ suite, packages: PACKAGES.servers }, async (root) => {
    const names = [earlier, current].map((file) => {
      const name = path.join('/var/tmp', path.basename(file));
      fs.copyFileSync(file, path.join(root, name));
      return name;
    });
    say(`\n== ${suite}`);
    return countsOf(await inside(root, ['scripts/qa/package/deb-in-root.mjs', ...names]));
  });
}

await runMain(main);
