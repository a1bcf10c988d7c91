import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPTS = resolve(__dirname, '../../scripts/build/package/deb');
const dir = mkdtempSync(join(tmpdir(), 'hilum-deb-'));
const calls = join(dir, 'calls');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A program in the place of systemd's. */
const program = (name: string, lines: string) =>
  writeFileSync(join(dir, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });

/** Runs a script of the package, with /run in a folder of its own. */
function runScript(name: string, argument: string): void {
  const text = readFileSync(join(SCRIPTS, name), 'utf8').replaceAll('/run/', `${dir}/run/`);
  const { status, stderr } = spawnSync('sh', ['-c', text, name, argument], {
    encoding: 'utf8',
    env: { PATH: `${dir}:${process.env.PATH!}` },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

beforeEach(() => {
  mkdirSync(join(dir, 'run/systemd/system'), { recursive: true });
  rmSync(calls, { force: true });
  program(
    'systemctl',
    `case "$1" in
      list-units) printf 'hilum.service loaded\\nhilum@worker.service loaded\\n' ;;
      start) echo "$@" >> ${calls} ;;
    esac`,
  );
  // As Debian's, it does not start what was not enabled.
  program('deb-systemd-invoke', `[ "$1" = start ] || echo "$@" >> ${calls}`);
});

test('an upgrade stops what runs and starts it again, also what was started by hand and is not enabled', () => {
  runScript('prerm', 'upgrade');
  runScript('postinst', 'abort-upgrade');
  expect(readFileSync(calls, 'utf8').trim().split('\n')).toEqual([
    'stop hilum.service',
    'stop hilum@worker.service',
    'start hilum.service',
    'start hilum@worker.service',
  ]);
  expect(existsSync(join(dir, 'run/hilum.was-running'))).toBe(false);
});

test('a removal stops what runs and starts nothing', () => {
  runScript('prerm', 'remove');
  runScript('postinst', 'abort-remove');
  expect(readFileSync(calls, 'utf8').trim().split('\n')).toEqual(['stop hilum.service', 'stop hilum@worker.service']);
});
