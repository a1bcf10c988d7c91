/**
 * node scripts/qa/package/image-in-root.mjs BASE AUTHORITIES: what scripts/qa/package/verify-image.mjs does inside a
 * Debian 13 root: builds the image by buildah and runs it as its own settings say. A line for each thing that is tried.
 * BASE: the base image as a folder; AUTHORITIES: a file of certificates of the site, or an empty one.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Explained, ROOT, runMain, runShown } from '../../lib/shell.mjs';
import { answers, check, filmGetsReport, run, endOfChecks, withServers } from './trial.mjs';

const require = createRequire(import.meta.url);
const { startServer } = require('../../lib/servers.cjs');
const { startChild } = require('../../lib/processes.cjs');

const [base = '', authorities = ''] = process.argv.slice(2);
/** No engine, no overlay file system. */
const STORAGE = ['--storage-driver', 'vfs'];
const BASE_IMAGE = 'localhost/hilum-base';
const IMAGE = 'localhost/hilum';
/** The port of docker/hilum.yaml, where the image's health check asks. */
const PORT = 8080;

async function main() {
  keepLimits();
  baseImage();
  await build();
  const container = buildah('from', IMAGE);
  const settings = JSON.parse(buildah('inspect', '--type', 'image', IMAGE)).OCIv1.config;
  check('runs without rights', settings.User === 'node');
  check('sends no statistics', settings.Env.includes('ORT_DISABLE_TELEMETRY=1'));
  const entry = (...args) => command(container, [...settings.Entrypoint, ...args]);
  const models = run('buildah', entry('models'));
  check('has the models', models.status === 0 && models.stdout !== '', models.stderr);
  check('has its bill of materials', mounted(container, 'opt/hilum/dist/sbom.cdx.json'));
  check('is without development and other platforms', !mounted(container, 'opt/hilum/node_modules/typescript'));
  await serves(container, settings, entry);
  return endOfChecks();
}

/** buildah would raise them, which not every machine allows. */
function keepLimits() {
  const text = fs.readFileSync('/proc/self/limits', 'utf8');
  const lines = Object.entries({ nofile: 'open files', nproc: 'processes' }).flatMap(([name, words]) => {
    const hard = new RegExp(`^Max ${words} +\\S+ +(\\d+)`, 'm').exec(text)?.[1];
    return hard === undefined ? [] : [`"${name}=${hard}:${hard}"`];
  });
  fs.mkdirSync('/etc/containers', { recursive: true });
  fs.writeFileSync('/etc/containers/containers.conf', `[containers]\ndefault_ulimits = [${lines.join(', ')}]\n`);
}

function baseImage() {
  const container = buildah('from', 'scratch');
  buildah('copy', '--quiet', container, base, '/');
  buildah('config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', container);
  buildah('commit', '--quiet', container, BASE_IMAGE);
  buildah('rm', container);
  // Without an overlay each step is a whole copy; what is not needed any more is not kept beside them.
  fs.rmSync(base, { recursive: true });
}

async function build() {
  const isSigned = fs.statSync(authorities).size > 0;
  const trust = isSigned
    ? ['--volume', `${authorities}:/etc/authorities.pem:ro`, '--env', 'NODE_EXTRA_CA_CERTS=/etc/authorities.pem']
    : [];
  const { code } = await runShown('buildah', [
    ...['build', ...STORAGE, '--isolation', 'chroot', '--pull=never', '--quiet', ...trust],
    ...['--build-arg', `NODE_IMAGE=${BASE_IMAGE}`, '--file', 'docker/Dockerfile', '--tag', IMAGE, ROOT],
  ]);
  if (code !== 0) throw new Explained(`the image could not be built; left on the disk: ${freeMiB()} MiB`);
  check('docker/Dockerfile builds', true);
}

function freeMiB() {
  const { bavail, bsize } = fs.statfsSync('/var/tmp');
  return Math.round((bavail * bsize) / 2 ** 20);
}

/** The service of the image by its own command, its doctor, and a film. */
const serves = (container, settings, entry) =>
  withServers(async ({ dir, orthanc, settings: servers }) => {
    const file = path.join(dir, 'hilum.yaml');
    fs.writeFileSync(file, JSON.stringify({ ...servers, http: { port: PORT } }), { mode: 0o644 });
    fs.chmodSync(dir, 0o755);
    const withFile = (args) => ['run', '--volume', `${file}:/etc/hilum/hilum.yaml:ro`, ...args.slice(1)];
    const doctor = run('buildah', withFile(entry('doctor', '--config', '/etc/hilum/hilum.yaml')));
    check('doctor finds nothing wrong', doctor.status === 0, doctor.stdout + doctor.stderr);
    const service = await startServer({
      name: 'the image',
      start: () => startChild('buildah', withFile(entry(...settings.Cmd)), { log: path.join(dir, 'service.log') }),
      probe: () => answers(`http://127.0.0.1:${PORT}/health/ready`),
      timeoutMs: 120_000,
    });
    check('a film gets its report', await filmGetsReport(orthanc), fs.readFileSync(service.log, 'utf8'));
    const health = run('buildah', command(container, settings.Healthcheck?.Test?.slice(1) ?? healthCheck()));
    check('its health check says yes', health.status === 0, health.stderr);
    await service.stop();
  });

/** OCI images have no health check; as the Dockerfile has it. */
function healthCheck() {
  const text = fs.readFileSync(path.join(ROOT, 'docker/Dockerfile'), 'utf8');
  const [, words = 'null'] = /^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(text) ?? [];
  return JSON.parse(words);
}

const command = (container, words) => ['run', ...STORAGE, '--isolation', 'chroot', container, '--', ...words];

function mounted(container, name) {
  return fs.existsSync(path.join(buildah('mount', container), name));
}

/** @returns {string} what it printed */
function buildah(...args) {
  const { status, stdout, stderr } = run('buildah', [args[0], ...STORAGE, ...args.slice(1)]);
  if (status !== 0) throw new Explained(`buildah ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

await runMain(main);
// Connections to servers that have ended would keep it.
process.exit();
