/**
 * node scripts/qa/package/deb-in-root.mjs EARLIER.deb CURRENT.deb: what scripts/qa/package/verify-deb.mjs does inside a
 * fresh Debian root. A line for each thing that is tried: `ok ...` or `FAILED ...`. Not for a machine that somebody
 * uses: it installs and purges the package.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { runMain, say } from '../../lib/shell.mjs';
import { answers, check, filmGetsReport, run, endOfChecks, withServers } from './trial.mjs';

const require = createRequire(import.meta.url);
const { startServer } = require('../../lib/servers.cjs');
const { freePort, startChild } = require('../../lib/processes.cjs');

const CONFIGURATION = '/etc/hilum/hilum.yaml';
const STATE = '/var/lib/hilum';
const HOME = '/usr/lib/hilum';
const [earlier, current] = process.argv.slice(2);

async function main() {
  installedAnew(earlier);
  fs.appendFileSync(CONFIGURATION, '# a line of the site\n');
  fs.writeFileSync(`${STATE}/note`, 'state of the site\n');
  upgraded();
  stopsAndStarts();
  await serves();
  removed();
  installedAnew(current);
  purged();
  return endOfChecks();
}

function installedAnew(deb) {
  check(`installs ${deb}`, apt('install', deb));
  check('knows its version', hilum('--version').status === 0);
  check('has the models', hilum('models').status === 0);
  check('has an account without a shell', /:\/usr\/sbin\/nologin$/m.test(passwd()));
  check('configuration is for root and the service alone', rights(CONFIGURATION) === 'root:hilum 640');
  check('state is for the service alone', rights(STATE) === 'hilum:hilum 700');
  check('is not switched on', !fs.existsSync('/etc/systemd/system/multi-user.target.wants/hilum.service'));
}

function upgraded() {
  check('upgrades', apt('install', current));
  const said = hilum('--version');
  check(`says ${said.stdout.trim()} after the upgrade`, said.status === 0);
  check('keeps the configuration', fs.readFileSync(CONFIGURATION, 'utf8').endsWith('# a line of the site\n'));
  check('keeps the state', fs.readFileSync(`${STATE}/note`, 'utf8') === 'state of the site\n');
  check('keeps the rights', rights(CONFIGURATION) === 'root:hilum 640' && rights(STATE) === 'hilum:hilum 700');
  check('has a unit for more processes', fs.existsSync('/usr/lib/systemd/system/hilum@.service'));
  const unit = '/etc/systemd/system/hilum.service';
  fs.writeFileSync(unit, '');
  const { stderr } = run('/var/lib/dpkg/info/hilum.postinst', ['configure', '0']);
  check('names a unit that would be used instead of its own', stderr.includes(unit), stderr);
  fs.rmSync(unit);
  check('has a manual page', run('gzip', ['-t', '/usr/share/man/man1/hilum.1.gz']).status === 0);
}

/** All processes that run, and no other, are stopped for an upgrade and started after it: seen by programs in the place
 * of systemd's, as systemd does not run here. */
function stopsAndStarts() {
  const calls = '/tmp/calls-of-systemd';
  const script = (name, lines) => fs.writeFileSync(`/usr/local/sbin/${name}`, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  fs.mkdirSync('/run/systemd/system', { recursive: true });
  script(
    'systemctl',
    `case "$1" in
      list-units) printf 'hilum.service loaded\\nhilum@worker.service loaded\\n' ;;
      start) echo "$@" >> ${calls} ;;
    esac`,
  );
  // As Debian's, it does not start what was not enabled.
  script('deb-systemd-invoke', `[ "$1" = start ] || echo "$@" >> ${calls}`);
  check('is installed anew while it runs', apt('reinstall', current));
  const expected = ['stop', 'start'].flatMap((verb) => [`${verb} hilum.service`, `${verb} hilum@worker.service`]);
  const found = fs.existsSync(calls) ? fs.readFileSync(calls, 'utf8').trim() : '';
  check('all its processes are stopped and started again', found === expected.join('\n'), found);
  check('no mark of that is left', !fs.existsSync('/run/hilum.was-running'));
  for (const name of ['systemctl', 'deb-systemd-invoke']) fs.rmSync(`/usr/local/sbin/${name}`);
  fs.rmSync('/run/systemd', { recursive: true });
}

/** A film through real servers, as the account of the service. */
const serves = () =>
  withServers(async ({ dir, orthanc, settings }) => {
    const port = await freePort();
    const configuration = { ...settings, http: { port }, list: { enabled: true }, state: { dir: STATE } };
    fs.writeFileSync(CONFIGURATION, JSON.stringify(configuration));
    const doctor = asService('doctor', '--config', CONFIGURATION);
    check('doctor finds nothing wrong', doctor.status === 0, doctor.stdout + doctor.stderr);
    const service = await startServer({
      name: 'the service',
      start: () =>
        startChild('runuser', ['-u', 'hilum', '--', 'hilum', 'serve', '--config', CONFIGURATION], {
          log: `${dir}/service.log`,
        }),
      probe: () => answers(`http://127.0.0.1:${port}/health/ready`),
      timeoutMs: 120_000,
    });
    check('a film gets its report', await filmGetsReport(orthanc), fs.readFileSync(service.log, 'utf8'));
    check('state is written where it may be', fs.existsSync(`${STATE}/list.db`));
    await service.stop();
  });

function removed() {
  check('removes', apt('remove', 'hilum'));
  check('program is gone', !fs.existsSync(HOME) && !fs.existsSync('/usr/bin/hilum'));
  check('configuration and state stay', fs.existsSync(CONFIGURATION) && fs.existsSync(`${STATE}/list.db`));
  check('purges what was left', apt('purge', 'hilum'));
  check('nothing is left but the account', isGone() && passwd() !== '');
}

function purged() {
  check('purges at once', apt('purge', 'hilum'));
  check('nothing is left but the account', isGone() && passwd() !== '');
}

const isGone = () => [HOME, '/etc/hilum', STATE, '/usr/share/doc/hilum'].every((name) => !fs.existsSync(name));

function apt(action, name) {
  // A configuration that the site changed is kept without a question.
  const settings = ['Dpkg::Options::=--force-confold', 'APT::Sandbox::User=root', `DPkg::Path=${process.env.PATH}`];
  const options = ['-y', '-q', ...settings.flatMap((setting) => ['-o', setting])];
  const { status, stdout, stderr } = run('apt-get', [action, ...options, name]);
  if (status !== 0) say(stdout + stderr);
  return status === 0;
}

const hilum = (...args) => run('hilum', args);

const asService = (...args) => run('runuser', ['-u', 'hilum', '--', 'hilum', ...args]);

const passwd = () => run('getent', ['passwd', 'hilum']).stdout;

const rights = (name) => run('stat', ['-c', '%U:%G %a', name]).stdout.trim();

await runMain(main);
// Connections to servers that have ended would keep it.
process.exit();
