#!/usr/bin/env node
/**
 * `npm run package:deb [-- --commit COMMIT] [--out DIR]`: a Debian package of Hilum for this kind of machine (amd64),
 * with the Node that it runs by, made of a commit (HEAD). Writes hilum_VERSION_amd64.deb into DIR (artefacts/packages) and
 * prints its path. Needs Debian, and the npm registry.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import { ensure } from '../../dev/setup.mjs';
import { makeInstallation } from '../installation.mjs';
import { Explained, ROOT, isMain, outputOf, runMain, runQuietly, say } from '../../lib/shell.mjs';
import { manualPage } from './man.mjs';
import { bringNode } from './node.mjs';
import { sourceOf } from './source.mjs';

const { workFolder } = createRequire(import.meta.url)('../../lib/processes.cjs');

const ARCHITECTURE = 'amd64';
const HERE = path.join(ROOT, 'scripts/build/package/deb');

/**
 * @param {{commit?: string, out: string}} options
 * @returns {Promise<{file: string, version: string}>} the package
 * @throws Explained elsewhere than on Debian, or on another kind of machine
 */
export async function buildDeb({ commit = 'HEAD', out }) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Explained(`the Debian package is made on Linux on x64; this is ${process.platform} on ${process.arch}`);
  await ensure({ package: true, build: false });
  const { dir } = workFolder('hilum-deb-');
  try {
    const source = path.join(dir, 'source');
    const stand = await sourceOf(commit, source);
    await makeInstallation(source);
    const root = path.join(dir, 'root');
    await fillRoot(root, source, stand, dir);
    writeControl(root, stand, dir);
    const file = path.join(out, `hilum_${stand.version}_${ARCHITECTURE}.deb`);
    fs.mkdirSync(out, { recursive: true });
    await runQuietly('dpkg-deb', 'dpkg-deb', ['--root-owner-group', '-Zzstd', '-z12', '--build', root, file]);
    return { file, version: stand.version };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Everything of the package but its control files. */
async function fillRoot(root, source, stand, dir) {
  const to = (name) => path.join(root, name);
  const home = to('usr/lib/hilum');
  fs.mkdirSync(home, { recursive: true });
  for (const name of ['dist', 'node_modules', 'models', 'plugin', 'docs', 'package.json'])
    fs.renameSync(path.join(source, name), path.join(home, name));
  await bringNode(path.join(home, 'node'), dir);
  const { program } = await import(path.join(home, 'dist/cli/commands.js'));
  const page = manualPage(program, stand);
  const changes = fs.readFileSync(path.join(source, 'CHANGELOG.md'));
  /** @type {[name: string, text: string | Buffer, mode?: number][]} */
  const texts = [
    ['usr/bin/hilum', fs.readFileSync(path.join(HERE, 'hilum')), 0o755],
    ['usr/lib/systemd/system/hilum.service', unit(source)],
    ['usr/lib/systemd/system/hilum@.service', unit(source).replaceAll('hilum.yaml', '%i.yaml')],
    ['etc/hilum/hilum.yaml', configuration(source), 0o640],
    ['usr/share/man/man1/hilum.1.gz', zipped(page)],
    ['usr/share/doc/hilum/copyright', fs.readFileSync(path.join(HERE, 'copyright'))],
    ['usr/share/doc/hilum/changelog.gz', zipped(changes)],
  ];
  for (const [name, text, mode = 0o644] of texts) {
    fs.mkdirSync(path.dirname(to(name)), { recursive: true });
    fs.writeFileSync(to(name), text, { mode });
  }
  // The operation page serves them, so they are the program's.
  fs.symlinkSync('../../../lib/hilum/docs', to('usr/share/doc/hilum/docs'));
  await runQuietly('rights', 'chmod', ['-R', 'u=rwX,go=rX', to('usr')]);
}

/** Always the same bytes. */
const zipped = (text) => gzipSync(text, { level: 9 });

/** config/hilum.service, with the package's places. */
function unit(source) {
  return fs
    .readFileSync(path.join(source, 'config/hilum.service'), 'utf8')
    .replace(/^# systemd unit.*\n/, '')
    .replace(/^# env finds node.*\n/m, '')
    .replace(/^ExecStart=.*$/m, 'ExecStart=/usr/bin/hilum serve --config /etc/hilum/hilum.yaml')
    .replaceAll('file:/opt/hilum/docs/', 'file:/usr/share/doc/hilum/docs/')
    .replaceAll('/opt/hilum', '/usr/lib/hilum');
}

/** config/hilum.yaml; what must outlive a restart lies where the unit lets the service write. */
function configuration(source) {
  const text = fs.readFileSync(path.join(source, 'config/hilum.yaml'), 'utf8');
  return /^state:/m.test(text) ? text : `${text.trimEnd()}\nstate:\n  dir: /var/lib/hilum\n`;
}

function writeControl(root, { version }, dir) {
  const control = path.join(root, 'DEBIAN');
  fs.mkdirSync(control);
  const size = outputOf('du', ['-sk', '--exclude=DEBIAN', root]);
  const text = fs
    .readFileSync(path.join(HERE, 'control'), 'utf8')
    .replace('{version}', version)
    .replace('{depends}', libraries(root, dir))
    .replace('{size}', size.replace(/\s.*/s, ''));
  fs.writeFileSync(path.join(control, 'control'), text);
  fs.writeFileSync(path.join(control, 'conffiles'), '/etc/hilum/hilum.yaml\n');
  for (const name of ['postinst', 'prerm', 'postrm']) {
    fs.copyFileSync(path.join(HERE, name), path.join(control, name));
    fs.chmodSync(path.join(control, name), 0o755);
  }
}

/** The packages whose libraries Node and the native modules need, as Debian's own tool finds them. */
function libraries(root, dir) {
  const natives = outputOf('find', [path.join(root, 'usr/lib/hilum'), '-name', '*.node', '-o', '-name', '*.so*']);
  const files = [path.join(root, 'usr/lib/hilum/node/bin/node'), ...natives.trim().split('\n').filter(isOfGlibc)];
  const work = path.join(dir, 'shlibdeps');
  fs.mkdirSync(path.join(work, 'debian'), { recursive: true });
  fs.writeFileSync(path.join(work, 'debian/control'), 'Source: hilum\n\nPackage: hilum\nArchitecture: any\n');
  const own = [...new Set(files.map((file) => `-l${path.dirname(file)}`))];
  const text = outputOf('dpkg-shlibdeps', ['-O', '--ignore-missing-info', ...own, ...files], work);
  return /^shlibs:Depends=(.*)$/m.exec(text)?.[1] ?? '';
}

const isOfGlibc = (file) => file !== '' && !file.includes('musl');

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const { values } = parseArgs({
      options: { commit: { type: 'string' }, out: { type: 'string', default: path.join(ROOT, 'artefacts/packages') } },
    });
    const { file } = await buildDeb({ ...values, out: path.resolve(values.out) });
    say(`${(fs.statSync(file).size / 1e6).toFixed(0)} MB`);
    process.stdout.write(`${file}\n`);
    return 0;
  });
}
