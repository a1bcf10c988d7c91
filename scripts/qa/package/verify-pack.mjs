#!/usr/bin/env node
/**
 * npm run verify:pack [-- --tgz FILE]: the npm package (made of HEAD, or FILE), installed in an empty folder as
 * README.md says, with nothing to be reached but the npm registry: what is in it, that the versions of the bill of
 * materials come, the commands, a drawn film analysed, and npx from the file itself. The last line is `N passed, N
 * failed`.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chosenByNpm, packNpm } from '../../build/package/npm.mjs';
import { installed } from '../../build/sbom.mjs';
import { ROOT, runMain, say } from '../../lib/shell.mjs';
import { check, endOfChecks } from './trial.mjs';

const require = createRequire(import.meta.url);
const { workFolder } = require('../../lib/processes.cjs');

const GUARD = path.join(ROOT, 'scripts/lib/only-registry.cjs');
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Of the packed file; models are most of it. */
const MAX_BYTES = 45_000_000;
const FOLDERS = ['bin', 'config', 'dist', 'docs', 'models', 'plugin'];

async function main() {
  const { values } = parseArgs({ options: { tgz: { type: 'string' } } });
  const { dir } = workFolder('hilum-try-pack-');
  const { tarball } = values.tgz === undefined ? await packNpm({ out: dir }) : { tarball: path.resolve(values.tgz) };
  const connections = path.join(dir, 'connections');
  const env = {
    ...process.env,
    NODE_OPTIONS: `--require ${GUARD}`,
    HILUM_CONNECTIONS: connections,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    npm_config_cache: path.join(dir, 'cache'),
  };
  const site = path.join(dir, 'site');
  fs.mkdirSync(site);
  const run = (file, ...args) =>
    spawnSync(file, args, { cwd: site, env, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES });

  checkContents(tarball, run('tar', '-tzf', tarball).stdout.trim().split('\n'));

  const elsewhere = run(process.execPath, '-e', "require('node:https').get('https://example.org')");
  check('nothing but the registry can be reached', noted(connections).includes('example.org'), elsewhere.stderr);
  fs.rmSync(connections, { force: true });

  say('npm install in an empty folder');
  const started = performance.now();
  const install = run('npm', 'install', '--no-audit', '--no-fund', tarball);
  say(`${((performance.now() - started) / 1000).toFixed(0)} s`);
  check('npm install works', install.status === 0, install.stdout + install.stderr);
  check('nothing else was asked for', noted(connections).length === 0, noted(connections).join());
  const home = path.join(site, 'node_modules/hilum');
  checkVersions(home, site);
  checkCommands(run, home, site);

  say('npx from the file');
  const { status, stdout, stderr } = run('npx', '--yes', '--package', tarball, 'hilum', 'models');
  check('npx starts it from the file itself', status === 0 && stdout.includes('matches the manifest'), stderr);
  return endOfChecks();
}

const noted = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : []);

function checkContents(tarball, entries) {
  const names = entries.map((entry) => entry.replace(/^package\//, ''));
  const size = fs.statSync(tarball).size;
  say(`${path.basename(tarball)}: ${(size / 1e6).toFixed(1)} MB, ${names.length} files`);
  const folders = [...new Set(names.filter((name) => name.includes('/')).map((name) => name.split('/')[0]))].sort();
  check('only what the program needs is in it', folders.join() === FOLDERS.join(), folders.join());
  const odd = names.filter((name) => /\.(map|ts|pyc|png|svg|node)$|\.test\.|^docs\/images/.test(name));
  const page = odd.filter((name) => !name.startsWith('dist/web/pages/'));
  check('no tests, no sources, no pictures of documents', page.length === 0, page.join());
  const wanted = ['LICENSE', 'models/LICENSE.md', 'dist/sbom.cdx.json', 'docs/operations.md', ...readFiles()];
  const missing = wanted.filter((name) => !names.includes(name));
  check(
    'licences, bill of materials, documents, pages and style sheets are in it',
    missing.length === 0,
    missing.join(),
  );
  check(`it is not larger than ${MAX_BYTES / 1e6} MB`, size <= MAX_BYTES);
}

/** What is no script and read at run time: what the build copies of src. */
const readFiles = () =>
  fs
    .readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(css|html)$/.test(name))
    .map((name) => `dist/${name}`);

/** Each package that is installed is of the bill of materials, in its version, but for those that npm chooses. */
function checkVersions(home, site) {
  const { components } = JSON.parse(fs.readFileSync(path.join(home, 'dist/sbom.cdx.json'), 'utf8'));
  const billed = new Set(components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name} ${version}`));
  const { packages } = JSON.parse(fs.readFileSync(path.join(site, 'package-lock.json'), 'utf8'));
  const found = Object.entries(packages).flatMap(([place, { version }]) => {
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return place === '' || name === 'hilum' ? [] : [`${name} ${version}`];
  });
  const chosen = chosenByNpm(installed());
  const isChosen = (one) => chosen.some((name) => one.startsWith(`${name} `));
  const others = found.filter((one) => !billed.has(one));
  for (const one of others.filter(isChosen)) say(`chosen by npm: ${one}`);
  check(
    `the ${found.length} packages that come are those of the bill of materials, but for ${chosen.join(', ')}`,
    found.length > 0 && others.every(isChosen),
    others.join(),
  );
}

function checkCommands(run, home, site) {
  const help = run('npx', 'hilum', '--help');
  check('npx hilum --help', help.status === 0 && help.stdout.includes('analyze'), help.stderr);
  const models = run('npx', 'hilum', 'models');
  const shipped = fs.readdirSync(path.join(home, 'models'), { withFileTypes: true }).filter((one) => one.isDirectory());
  const matching = models.stdout.match(/matches the manifest/g)?.length ?? 0;
  check(`npx hilum models: all ${shipped.length}`, shipped.length > 0 && matching === shipped.length, models.stderr);
  const film = path.join(site, 'film.dcm');
  const { syntheticDicom } = require(path.join(home, 'dist/objects/synthetic-film.js'));
  fs.writeFileSync(film, syntheticDicom({ seed: 1, view: 'PA', modality: 'DX', rows: 1280, columns: 1100 }));
  const analyze = run('npx', 'hilum', 'analyze', film, '--out', path.join(site, 'results'), '--json');
  const { outputs = [] } = analyze.status === 0 ? JSON.parse(analyze.stdout) : {};
  const names = outputs.filter((file) => fs.existsSync(file)).map((file) => path.basename(file).split('-2.25')[0]);
  check(
    'npx hilum analyze: a drawn film gets heat map and report',
    names.join() === 'heat-map,report',
    `${analyze.stdout}${analyze.stderr}`,
  );
}

await runMain(main);
