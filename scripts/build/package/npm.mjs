#!/usr/bin/env node
/**
 * npm run package:npm [-- --commit COMMIT] [--out DIR]: hilum-VERSION.tgz, made of a commit (HEAD) in a folder of its
 * own, and beside it the bill of materials of what is installed with it, hilum-VERSION.cdx.json. Goes into DIR
 * (artefacts/packages); prints both paths. Needs the npm registry.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, isMain, outputOf, runMain, runQuietly, say } from '../../lib/shell.mjs';
import { installed } from '../sbom.mjs';
import { sourceOf } from './source.mjs';

const { workFolder } = createRequire(import.meta.url)('../../lib/processes.cjs');

/**
 * @param {{clone?: string, commit?: string, out: string}} options
 * @returns {Promise<{tarball: string, bill: string}>} its files
 */
export async function packNpm({ clone = ROOT, commit = 'HEAD', out }) {
  const { dir } = workFolder('hilum-pack-');
  try {
    const source = path.join(dir, 'source');
    await sourceOf(commit, source, clone);
    const run = (title, file, args) => runQuietly(title, file, args, { cwd: source });
    await run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
    await run('npm run build', 'npm', ['run', '--silent', 'build']);
    await run('bill of materials', process.execPath, ['scripts/build/sbom.mjs']);
    const stage = path.join(dir, 'stage');
    const { name, version } = fill(stage, source);
    fs.mkdirSync(out, { recursive: true });
    await runQuietly('npm pack', 'npm', ['pack', '--pack-destination', out], { cwd: stage });
    const file = (ending) => path.join(out, `${name}-${version}.${ending}`);
    fs.copyFileSync(path.join(source, 'dist/sbom.cdx.json'), file('cdx.json'));
    return { tarball: file('tgz'), bill: file('cdx.json') };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** What `files` of package.json names, as npm reads it. */
function fill(stage, source) {
  const [{ files }] = JSON.parse(outputOf('npm', ['pack', '--dry-run', '--json', '--silent'], source));
  for (const { path: name } of files) {
    fs.mkdirSync(path.dirname(path.join(stage, name)), { recursive: true });
    fs.copyFileSync(path.join(source, name), path.join(stage, name));
  }
  const { manifest: shipped, lock } = installed(source);
  // They name files of the clone.
  delete shipped.scripts;
  const text = JSON.stringify({ ...shipped, ...pinned(lock) }, null, 2);
  fs.writeFileSync(path.join(stage, 'package.json'), `${text}\n`);
  return shipped;
}

/**
 * Every package of the lock file as a dependency of its own, in its version. npm packs no package-lock.json, heeds an
 * npm-shrinkwrap.json of the registry alone, and `overrides` in a clone alone: what packages ask for by ranges would
 * else be whatever is the newest on the day. Left to npm is what stands twice in the lock file, in two versions.
 */
function pinned({ packages }) {
  const own = Object.entries(packages).filter(([place]) => place.lastIndexOf(FOLDER) === 0);
  const of = (isWanted) =>
    Object.fromEntries(
      own.filter(([, entry]) => isWanted(entry)).map(([place, { version }]) => [nameOf(place), version]),
    );
  return { dependencies: of(({ optional }) => !optional), optionalDependencies: of(({ optional }) => optional) };
}

const FOLDER = 'node_modules/';
const nameOf = (place) => place.slice(place.lastIndexOf(FOLDER) + FOLDER.length);

/** Names whose version npm chooses when the package is installed. */
export function chosenByNpm({ manifest, lock }) {
  const twice = Object.keys(lock.packages).filter((place) => place.lastIndexOf(FOLDER) > 0);
  const overridden = Object.values(manifest.overrides ?? {}).flatMap((names) => Object.keys(names));
  return [...new Set([...twice.map(nameOf), ...overridden])];
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const { values } = parseArgs({
      options: {
        commit: { type: 'string' },
        out: { type: 'string', default: path.join(ROOT, 'artefacts/packages') },
      },
    });
    const { tarball, bill } = await packNpm({ ...values, out: path.resolve(values.out) });
    say(`${(fs.statSync(tarball).size / 1e6).toFixed(0)} MB`);
    process.stdout.write(`${tarball}\n${bill}\n`);
    return 0;
  });
}
