#!/usr/bin/env node
/**
 * `npm run verify:helm`: the chart of deploy/helm/hilum. helm lint and helm template with its own values and with those
 * of a site, every object against the schemas of Kubernetes, and the configurations that come out read by Hilum itself.
 * Takes the `helm` in the path, else builds one with Go into the cache folder (HILUM_CACHE_DIR); the schemas come with
 * the Python package kubernetes-validate, in a virtual environment there. The last line is `N passed, N failed`.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ensure } from '../../dev/setup.mjs';
import { Explained, ROOT, runMain, runQuietly, say, succeeds } from '../../lib/shell.mjs';
import { check, run, endOfChecks } from './trial.mjs';

const require = createRequire(import.meta.url);
const { cacheDir, cachedFolder } = require('../../lib/cache.cjs');
const { workFolder } = require('../../lib/processes.cjs');

const CHART = path.join(ROOT, 'deploy/helm/hilum');
const HELM = 'v3.18.6';
const VALIDATOR = 'kubernetes-validate==1.37.0';
/** The oldest of Chart.yaml, one between, and the newest that the validator has. */
const KUBERNETES = ['1.25', '1.31', '1.37'];

/** What a site may set beside image and addresses. */
const SITE = {
  image: { repository: 'registry.hospital.example/hilum', tag: '0.2.1' },
  imagePullSecrets: [{ name: 'registry' }],
  config: { access: { kind: 'oidc', oidc: { issuer: 'https://login.example', clientId: 'hilum' } } },
  worker: { replicas: 5, nodeSelector: { pool: 'cpu' }, tolerations: [{ key: 'pool', operator: 'Exists' }] },
  list: { publicUrl: 'https://hilum.hospital.example', persistence: { size: '10Gi', storageClassName: 'ssd' } },
  podDisruptionBudget: { minAvailable: '50%' },
  networkPolicy: { from: [{ namespaceSelector: { matchLabels: { name: 'ingress' } } }], egressPorts: [] },
};
/** Each must be refused, with these words. */
const WRONG = {
  'roles of its own': { values: { config: { roles: ['worker'] } }, because: '/config/roles' },
  'a database in a file': {
    values: { config: { list: { database: 'file:list.db' } } },
    because: '/config/list/database',
  },
  'a misspelt value': { values: { netwrokPolicy: {} }, because: 'netwrokPolicy' },
};

async function main() {
  await ensure();
  const [helm, validator] = [await findHelm(), await findValidator()];
  const { dir } = workFolder('hilum-helm-');
  const { parseConfig } = require(path.join(ROOT, 'dist/config/config.js'));
  for (const [name, values] of Object.entries({ 'own values': {}, 'values of a site': SITE })) {
    const file = path.join(dir, `${name.replaceAll(' ', '-')}.json`);
    fs.writeFileSync(file, JSON.stringify(values));
    const linted = run(helm, ['lint', '--strict', CHART, '--values', file]);
    check(`${name}: helm lint`, linted.status === 0, linted.stdout + linted.stderr);
    const objects = `${file}.yaml`;
    for (const version of KUBERNETES) {
      const made = templated(helm, file, version);
      fs.writeFileSync(objects, made.stdout);
      const said = made.status === 0 ? run(validator, ['--strict', '--version', version, objects]) : made;
      check(`${name}: Kubernetes ${version}`, said.status === 0, said.stdout + said.stderr);
    }
    for (const [process, text] of Object.entries(configurations(fs.readFileSync(objects, 'utf8'))))
      check(`${name}: Hilum reads the configuration of ${process}`, isRead(parseConfig, text));
  }
  for (const [name, { values, because }] of Object.entries(WRONG)) {
    const file = path.join(dir, 'wrong.json');
    fs.writeFileSync(file, JSON.stringify(values));
    const { status, stderr } = templated(helm, file, KUBERNETES.at(-1));
    check(`refuses ${name}`, status !== 0 && stderr.includes(because), stderr);
  }
  return endOfChecks();
}

/** For a cluster of that version: a helm that is built here takes Kubernetes 1.20 for granted. */
const templated = (helm, values, version) =>
  run(helm, ['template', 'trial', CHART, '--kube-version', version, '--values', values]);

/** The texts of the ConfigMap, by process. */
function configurations(objects) {
  const found = parseAllDocuments(objects)
    .map((document) => document.toJS())
    .find((object) => object?.kind === 'ConfigMap');
  return found?.data ?? { 'no ConfigMap': '' };
}

/** With something for every variable of the Secret. */
function isRead(parseConfig, text) {
  for (const [, name] of text.matchAll(/\$\{env:(\w+)\}/g)) process.env[name] = 'secret';
  try {
    parseConfig(parseAllDocuments(text)[0]?.toJS());
    return true;
  } catch (error) {
    say(error.message);
    return false;
  }
}

async function findHelm() {
  if (succeeds('helm', ['version'])) return 'helm';
  const folder = await cachedFolder(`helm-${HELM}`, 'helm', async (dir) => {
    if (!succeeds('go', ['version'])) throw new Explained('install helm 3, or Go to build it with');
    await runQuietly(`helm ${HELM}`, 'go', ['install', `helm.sh/helm/v3/cmd/helm@${HELM}`], {
      env: { ...process.env, GOBIN: dir, GOFLAGS: '-mod=mod' },
    });
  });
  return path.join(folder, 'helm');
}

/** Made in its place: a virtual environment can't be moved. */
async function findValidator() {
  const target = path.join(cacheDir(), VALIDATOR.replace('==', '-'));
  const validator = path.join(target, 'bin/kubernetes-validate');
  if (fs.existsSync(validator)) return validator;
  await runQuietly('python3 -m venv', 'python3', ['-m', 'venv', target]);
  await runQuietly(VALIDATOR, path.join(target, 'bin/pip'), ['install', '--quiet', VALIDATOR]);
  return validator;
}

await runMain(main);
