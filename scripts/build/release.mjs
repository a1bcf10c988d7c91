#!/usr/bin/env node
/**
 * npm run release -- VERSION [--dry-run] [--out DIR] [--clone DIR]: makes a release of what is committed: dates the
 * section of CHANGELOG.md ("## [VERSION] - not released"), sets the version where it stands, commits that, makes the
 * npm package with its bill of materials and SHA256SUMS in DIR (artefacts/release-VERSION), and tags vVERSION. Pushes
 * nothing. Refuses a clone with changes and a version that is there already; when anything fails the clone is as it
 * was.
 * --dry-run says what would be changed and stops. --clone: another clone than this one.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Explained, ROOT, outputOf, runMain, say } from '../lib/shell.mjs';
import { packNpm } from './package/npm.mjs';
import { CHANGELOG, isLater, numbersOf, PLACES, withDate, withVersion } from './versions.cjs';

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      out: { type: 'string' },
      clone: { type: 'string', default: ROOT },
    },
  });
  const [version, ...more] = positionals;
  if (version === undefined || more.length > 0) throw new Explained('usage: npm run release -- VERSION [--dry-run]');
  const clone = path.resolve(values.clone);
  const git = (...args) => outputOf('git', args, clone);
  const changed = changesFor(version, clone, git);
  for (const { file } of changed) say(`${values['dry-run'] ? 'would change' : 'changes'} ${file}`);
  if (values['dry-run']) return 0;
  const out = path.resolve(values.out ?? path.join(clone, `artefacts/release-${version}`));
  const before = git('rev-parse', 'HEAD');
  const tag = `v${version}`;
  try {
    for (const { file, text } of changed) fs.writeFileSync(path.join(clone, file), text);
    git('commit', '--quiet', '--all', '--message', `Release ${version}`);
    const { tarball, bill } = await packNpm({ clone, out });
    writeSums(out, [tarball, bill]);
    git('tag', '--annotate', tag, '--message', `Hilum ${version}`);
  } catch (error) {
    git('reset', '--quiet', '--hard', before);
    throw error;
  }
  process.stdout.write(`${out}\n`);
  say(`tagged ${tag}; next: git push --follow-tags, npm run package:deb, npm run verify`);
  return 0;
}

/** @returns {{file: string, text: string}[]} files with what stands in them afterwards, those that change */
function changesFor(version, clone, git) {
  const read = (file) => fs.readFileSync(path.join(clone, file), 'utf8');
  return explained(() => {
    numbersOf(version);
    if (git('status', '--porcelain') !== '') throw new Error('there are changes that are not committed');
    if (git('tag', '--list', `v${version}`) !== '') throw new Error(`the tag v${version} is there already`);
    const current = JSON.parse(read('package.json')).version;
    if (!isLater(version, current)) throw new Error(`${version} does not come after ${current}, the present one`);
    return [
      { file: CHANGELOG, text: withDate(read(CHANGELOG), version, today()) },
      ...PLACES.map((place) => ({ file: place.file, text: withVersion(place, read(place.file), version) })),
    ].filter(({ file, text }) => text !== read(file));
  });
}

function explained(work) {
  try {
    return work();
  } catch (error) {
    throw error instanceof Explained ? error : new Explained(error.message);
  }
}

/** By this machine's clock and time zone. */
function today() {
  const now = new Date();
  const [month, day] = [now.getMonth() + 1, now.getDate()].map((number) => String(number).padStart(2, '0'));
  return `${now.getFullYear()}-${month}-${day}`;
}

/** As sha256sum writes them, so that `sha256sum --check SHA256SUMS` reads them. */
function writeSums(out, files) {
  const line = (file) =>
    `${createHash('sha256').update(fs.readFileSync(file)).digest('hex')}  ${path.basename(file)}\n`;
  fs.writeFileSync(path.join(out, 'SHA256SUMS'), files.map(line).join(''));
}

await runMain(main);
