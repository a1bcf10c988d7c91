/** Debian of another release beside this one, with this checkout bound into it. Needs root. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensure } from '../dev/setup.mjs';
import { Explained, ROOT, runQuietly, runShown } from './shell.mjs';

/** Where the checkout and the Node that runs this are, inside. */
const CHECKOUT = '/opt/hilum-checkout';
const NODE = '/usr/local/bin/node';
/** Certificates; `ps` is what RabbitMQ's start script and tests look for processes with. */
const TOOLS = ['ca-certificates', 'openssl', 'procps'];
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Makes a root of `suite` with these packages, or takes the one that is in `kept` already; hands it to `work`, and
 * removes it unless it is `kept`.
 * @param {{suite: string, packages: readonly string[], kept?: string}} options
 * @param {(root: string) => Promise<T>} work
 * @returns {Promise<T>}
 * @template T
 */
export async function withRoot({ suite, packages, kept }, work) {
  if (process.getuid?.() !== 0) throw new Explained('only root can make a root of another Debian and change into it');
  await ensure({ root: true, build: true });
  const root = kept ?? fs.mkdtempSync(path.join(os.tmpdir(), `hilum-${suite}-`));
  try {
    await makeRoot(suite, [...TOOLS, ...packages], root);
    return await work(root);
  } finally {
    if (kept === undefined) fs.rmSync(root, { recursive: true, force: true });
  }
}

async function makeRoot(suite, packages, root) {
  if (!fs.existsSync(path.join(root, 'etc/debian_version'))) {
    const include = `--include=${[...new Set(packages)].join(',')}`;
    await runQuietly(`mmdebstrap ${suite}`, 'mmdebstrap', ['--variant=minbase', include, suite, root]);
  }
  fs.mkdirSync(path.join(root, CHECKOUT), { recursive: true });
  const node = path.join(root, NODE);
  if (!fs.existsSync(node)) fs.writeFileSync(node, '', { mode: 0o755 });
}

/**
 * Runs a script of the checkout in the root, by the Node that runs this, in namespaces of its own: when it ends, its
 * mounts and all that it started are gone.
 * @param {string} root
 * @param {readonly string[]} args script and arguments; the folder is the checkout
 * @returns its exit status and what it said
 */
export function inside(root, args) {
  const environment = [PATH, 'HOME=/root', 'LANG=C.UTF-8', 'CI=1', 'DEBIAN_FRONTEND=noninteractive'].join(' ');
  const script = [
    'set -eu',
    'mount --make-rprivate /',
    // Then its / is a mount, which programs that mount in it expect.
    `mount --bind "${root}" "${root}"`,
    `mount --bind "${ROOT}" "${root}${CHECKOUT}"`,
    `mount --bind "${process.execPath}" "${root}${NODE}"`,
    `mount -t proc proc "${root}/proc"`,
    `mount --rbind /dev "${root}/dev"`,
    `exec chroot "${root}" /usr/bin/env -i -C ${CHECKOUT} ${environment} "$@"`,
  ].join('\n');
  return runShown('unshare', [
    ...['--mount', '--pid', '--fork', '--kill-child'],
    ...['/bin/sh', '-c', script, 'sh', NODE, ...args],
  ]);
}
