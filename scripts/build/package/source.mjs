/** A package is made of a commit and not of a folder that somebody works in. */
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, outputOf, runQuietly, say } from '../../lib/shell.mjs';

/**
 * Writes the files of a commit into an empty folder.
 * @param {string} commit
 * @param {string} dir
 * @param {string} clone whose commit it is
 * @returns {Promise<{version: string, date: Date}>} version as a Debian version: `0.2.0` where the commit has the tag
 * `v0.2.0`, else with the commit's date and number, so that a later commit is a later version
 * @throws Explained where the commit is not there
 */
export async function sourceOf(commit, dir, clone = ROOT) {
  const git = (...args) => outputOf('git', args, clone);
  const [number, seconds] = git('show', '--no-patch', '--format=%h %ct', `${commit}^{commit}`).split(' ');
  if (commit === 'HEAD' && git('status', '--porcelain') !== '')
    say(`packaging commit ${number}; what is changed since is not in it`);
  fs.mkdirSync(dir, { recursive: true });
  const archive = `${dir}.tar`;
  await runQuietly(`files of ${number}`, 'git', ['archive', '--output', archive, number], { cwd: clone });
  await runQuietly('unpack', 'tar', ['-xf', archive, '-C', dir]);
  fs.rmSync(archive);
  const { version } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));
  const date = new Date(Number(seconds) * 1000);
  const isRelease = git('tag', '--points-at', number).split('\n').includes(`v${version}`);
  return { version: isRelease ? version : `${version}+git${stamp(date)}.${number}`, date };
}

const stamp = (date) => date.toISOString().replace(/\D/g, '').slice(0, 12);
