#!/usr/bin/env node
/**
 * npm run setup [-- [--check] [PART... | all]]: says what a clone lacks and brings it: npm packages, the build, the
 * commit hook, and for each PART that is named its Debian packages (as root): servers, judges, bench, browser, package,
 * root, training. --check brings nothing and ends with status 1 where something of it is missing. Node built-ins only,
 * as it runs before `npm ci`; what is there already is left alone.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Explained, ROOT, isMain, runMain, runQuietly, say, succeeds } from '../lib/shell.mjs';

/** Debian packages by need. */
export const PACKAGES = {
  /** What the service talks to. */
  servers: [
    'orthanc',
    'orthanc-dicomweb',
    'orthanc-python',
    'rabbitmq-server',
    'python3-pika',
    'postgresql',
    'python3-hl7',
  ],
  /** Independent tools that read back what Hilum writes. */
  judges: [
    'dcmtk',
    'dicom3tools',
    'libpixelmed-java',
    'libslf4j-java',
    'libbsh-java',
    'default-jre-headless',
    'python3-pydicom',
    'python3-gdcm',
    'python3-aiosmtpd',
    'python3-numpy',
    'python3-pil',
    'libxml2-utils',
    'prometheus',
    'poppler-utils',
  ],
  /** What the limit of `npm run bench` is measured with. */
  bench: [
    'dcmtk',
    'libopenjp2-tools',
    'libcharls2',
    'python3-gdcm',
    'python3-numpy',
    'python3-opencv',
    'python3-pika',
    'python3-pydicom',
  ],
  browser: ['chromium'],
  /** Makes the Debian package. */
  package: ['dpkg-dev'],
  /** A Debian of another release beside this one. */
  root: ['mmdebstrap', 'debian-archive-keyring'],
  /** Large; nothing but the training and its own tests needs it. */
  training: [
    'python3-torch',
    'python3-onnx',
    'python3-scipy',
    'python3-numpy',
    'python3-pil',
    'python3-pydicom',
    'python3-venv',
  ],
};

/**
 * Installs what is missing: npm packages and the build always, Debian packages by need.
 * @param {{[need in keyof typeof PACKAGES]?: boolean} & {build?: boolean}} needs
 */
export async function ensure(needs = {}) {
  checkNode();
  await ensureDebianPackages(
    Object.keys(PACKAGES)
      .filter((need) => needs[need])
      .flatMap((need) => PACKAGES[need]),
  );
  await ensureNodeModules();
  if (needs.build !== false) await ensureBuild();
  if (needs.training) await ensureTrainingTools();
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Explained(`Hilum needs Node 20 or newer; this is ${process.version}.`);
}

// --- Debian packages
// ---------------------------------------------------------------------------------------------------------------

async function ensureDebianPackages(wanted) {
  const missing = missingPackages(wanted);
  if (missing.length === 0) return;
  if (!succeeds('apt-get', ['--version'])) throw new Explained(adviceWithoutApt(missing));
  if (process.getuid?.() !== 0) throw new Explained(adviceWithoutRoot(missing));
  await withoutServiceStart(async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const wait = ['-o', 'DPkg::Lock::Timeout=300'];
    await runQuietly('apt-get update', 'apt-get', ['update', ...wait], { env });
    await runQuietly(
      `apt-get install ${missing.join(' ')}`,
      'apt-get',
      ['install', '-y', '--no-install-recommends', ...wait, ...missing],
      { env },
    );
  });
}

/** Those of these Debian packages that are not installed. */
export function missingPackages(wanted) {
  if (wanted.length === 0) return [];
  const answer = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\\n', ...wanted], {
    encoding: 'utf8',
  });
  const installed = new Set(
    (answer.stdout ?? '')
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return [...new Set(wanted)].filter((name) => !installed.has(name) && !isProvided(name));
}

/** Any Java will do, whatever package it came with. */
function isProvided(name) {
  return name === 'default-jre-headless' && fs.existsSync('/usr/bin/java');
}

const adviceWithoutRoot = (missing) =>
  'These Debian packages are missing, and only root can install them. Run\n\n' +
  `    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}\n\n` +
  'and try again. (Stop the services they start: sudo systemctl disable --now orthanc rabbitmq-server postgresql ' +
  'prometheus.) ' +
  'Or use containers: docker/README.md and docker/compose.yaml.';

const adviceWithoutApt = (missing) =>
  'This is no Debian or Ubuntu, so nothing can be installed automatically. ' +
  `Needed are what these Debian packages hold: ${missing.join(', ')}. ` +
  'Without them, use containers: docker/README.md and docker/compose.yaml.';

/**
 * Packages of servers start them when installed; policy-rc.d is Debian's way to say no. One that is there already is
 * left alone.
 */
async function withoutServiceStart(work) {
  const file = '/usr/sbin/policy-rc.d';
  const ours = !fs.existsSync(file);
  if (ours) fs.writeFileSync(file, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const remove = () => ours && fs.rmSync(file, { force: true });
  const interrupted = () => process.exit(130);
  process.once('exit', remove);
  ['SIGINT', 'SIGTERM'].forEach((signal) => process.on(signal, interrupted));
  try {
    await work();
  } finally {
    ['SIGINT', 'SIGTERM'].forEach((signal) => process.removeListener(signal, interrupted));
    process.removeListener('exit', remove);
    remove();
  }
}

// --- npm packages and the build
// -----------------------------------------------------------------------------------------------------

async function ensureNodeModules() {
  if (nodeModulesFit()) return;
  await runQuietly('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
}

/** npm keeps a lock file of what it has installed: compared by versions, as times mean nothing after a checkout. */
function nodeModulesFit() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  const names = Object.keys(wanted).filter((name) => name !== '');
  const differs = (name) =>
    installed[name] === undefined ? !wanted[name].optional : installed[name].version !== wanted[name].version;
  return !names.some(differs);
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Written by link-bin.mjs, the last step of `npm run build`. */
export const BUILD_STAMP = path.join(ROOT, 'dist/.built');

async function ensureBuild() {
  if (isBuilt()) return;
  await runQuietly('npm run build', 'npm', ['run', '--silent', 'build']);
}

/** Later than all it is made of. */
function isBuilt() {
  const inputs = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'].map((name) => path.join(ROOT, name));
  return fs.existsSync(BUILD_STAMP) && Math.max(...inputs.map(newest)) <= fs.statSync(BUILD_STAMP).mtimeMs;
}

function newest(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...fs.readdirSync(file).map((name) => newest(path.join(file, name))));
}

// --- The linters of training/
// ---------------------------------------------------------------------------------------------------------------------

/** ruff and mypy in the versions of training/requirements-lint.lock, from PyPI. */
export const TRAINING_TOOLS = path.join(ROOT, 'node_modules/.cache/training-tools');
const TOOLS_LOCK = path.join(ROOT, 'training/requirements-lint.lock');
const TOOLS_STAMP = path.join(TRAINING_TOOLS, 'installed.lock');

function trainingToolsFit() {
  return fs.existsSync(TOOLS_STAMP) && fs.readFileSync(TOOLS_STAMP).equals(fs.readFileSync(TOOLS_LOCK));
}

async function ensureTrainingTools() {
  if (trainingToolsFit()) return;
  const python = path.join(TRAINING_TOOLS, 'bin/python');
  await runQuietly('python3 -m venv', '/usr/bin/python3', ['-m', 'venv', '--clear', TRAINING_TOOLS]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes'];
  await runQuietly('pip install of ruff and mypy', python, [...install, '-r', TOOLS_LOCK]);
  fs.copyFileSync(TOOLS_LOCK, TOOLS_STAMP);
}

// --- The commit hook
// ---------------------------------------------------------------------------------------------------------------------

const HOOKS = '.githooks';
const HOOKS_KEY = 'core.hooksPath';

const git = (...args) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });

/** Where git looks for hooks: ours, another folder, or undefined where nobody has said so; null outside a clone. */
function hooksFolder() {
  if (!fs.existsSync(path.join(ROOT, '.git')) || git('rev-parse').status !== 0) return null;
  return git('config', '--get', HOOKS_KEY).stdout.trim() || undefined;
}

// --- The command
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What a clone needs, and the Debian packages by part.
 * @returns {{name: string, state: string, isMissing: boolean}[]}
 */
function inventory() {
  const hooks = hooksFolder();
  const row = (name, isMissing, state) => ({ name, isMissing, state: state ?? (isMissing ? 'missing' : 'there') });
  return [
    row('npm packages', !nodeModulesFit()),
    row('build', !isBuilt(), isBuilt() ? 'there' : 'missing, or older than src'),
    ...(hooks === null
      ? []
      : [
          row(
            'commit hook',
            hooks === undefined,
            hooks === HOOKS ? 'there' : hooks && `left alone: ${hooks} has hooks`,
          ),
        ]),
    ...Object.entries(PACKAGES).map(([part, names]) => {
      const missing = missingPackages(names);
      const lacks = [...missing, ...(part === 'training' && !trainingToolsFit() ? ['ruff and mypy (PyPI)'] : [])];
      return row(part, lacks.length > 0, lacks.length > 0 ? `missing: ${lacks.join(', ')}` : 'there');
    }),
  ];
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
  const known = Object.keys(PACKAGES);
  const unknown = positionals.filter((part) => part !== 'all' && !known.includes(part));
  if (unknown.length > 0) throw new Explained(`unknown: ${unknown.join(', ')}; known are ${known.join(', ')}, all`);
  const parts = positionals.includes('all') ? known : positionals;
  checkNode();
  const isAsked = ({ name }) => !known.includes(name) || parts.includes(name);
  const rows = inventory();
  for (const { name, state } of rows) say(`${name.padEnd(14)}${state}`);
  if (values.check) return rows.some((row) => row.isMissing && isAsked(row)) ? 1 : 0;
  await ensure(Object.fromEntries(parts.map((part) => [part, true])));
  if (hooksFolder() === undefined) git('config', HOOKS_KEY, HOOKS);
  const left = rows.filter((row) => row.isMissing && !isAsked(row)).map(({ name }) => name);
  say('ready: npx hilum help, npm run demo, npm test');
  if (left.length > 0) say(`not brought, as it was not asked for: npm run setup -- ${left.join(' ')}`);
  return 0;
}

if (isMain(import.meta.url)) await runMain(main);
