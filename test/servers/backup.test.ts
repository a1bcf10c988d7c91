import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { freePort } from '../../scripts/lib/servers.cjs';
import { createLog } from '../../src/base/log';
import { deriveUid } from '../../src/dicom/uid';
import { openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { studyRecord } from '../support/records/study-record';
import { Servers, until } from '../support/servers/servers';

/** `hilum backup` and `hilum restore` beside the service itself, as they are installed. */
const CLI = resolve(__dirname, '../../dist/cli.js');
const LOG = createLog('silent');
const servers = new Servers();
const uid = (name: string) => deriveUid(['study', name]);

let dir: string;
let service: ChildProcess | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-backup-'));
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});
afterAll(() => servers.stop());

async function stop(): Promise<void> {
  if (service === undefined || service.exitCode !== null) return;
  const gone = once(service, 'exit');
  service.kill('SIGTERM');
  await gone;
}

const configFile = () => join(dir, 'hilum.yaml');
function configure(port: number, more = ''): void {
  writeFileSync(
    configFile(),
    `roles: [list]
archive: {url: "http://127.0.0.1:1/dicom-web"}
broker: {url: "amqp://127.0.0.1:1"}
http: {port: ${port}}
state: {dir: state}
list: {enabled: true${more}}
`,
  );
}
const hilum = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args, '--config', configFile()], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};
const trail = () =>
  [
    ...readFileSync(join(dir, 'state/audit/audit.log'), 'utf8').matchAll(/type="Alert Description" value="([^"]+)"/g),
  ].map(([, value]) => Buffer.from(value!, 'base64').toString('utf8'));

async function withList<T>(url: string, work: (list: Worklist) => Promise<T>): Promise<T> {
  const database = openDatabase(url, LOG);
  try {
    return await work(new Worklist(database));
  } finally {
    await database.close();
  }
}

test('beside the running service a backup is written, and nothing is restored; once it is stopped, it is', async () => {
  const port = await freePort();
  configure(port);
  const [url, file] = [`file:${join(dir, 'state/list.db')}`, join(dir, 'hilum.backup')];
  service = spawn(process.execPath, [CLI, 'serve', '--config', configFile()], { stdio: 'ignore' });
  await until('the service has its database', async () => existsSync(join(dir, 'state/list.db-wal')), 60_000);
  await withList(url, (list) => list.record(studyRecord('a')));

  expect(hilum('backup', file)).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(/hilum.backup: 1 studies, 0 verdicts and 0 accounts as of .*, checked\n$/) as string,
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(hilum('backup', file)).toMatchObject({
    status: 1,
    stderr: `hilum: BACKUP_REFUSED: ${file} is there already: another name, or --force\n`,
  });
  expect(hilum('backup', file, '--force').status).toBe(0);
  expect(hilum('backup', '-').status).toBe(2);
  await withList(url, (list) => list.record(studyRecord('b')));

  const refused = hilum('restore', file);
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toBe(
    `hilum: DATABASE_IN_USE: the database is in use by process ${service.pid}: stop every process of the service, ` +
      'then restore\n',
  );
  // It goes on with the database that it has.
  expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  expect(await withList(url, (list) => list.hasResult(uid('b')))).toBe(true);

  await stop();
  const restored = hilum('restore', file);
  expect(restored).toMatchObject({ status: 0, stderr: '' });
  expect(restored.stdout).toMatch(/is now that of .*: 1 studies.* The one before is beside it: list\.db\.replaced-/);
  expect(await withList(url, (list) => list.hasResult(uid('a')))).toBe(true);
  expect(await withList(url, (list) => list.hasResult(uid('b')))).toBe(false);
  expect(readdirSync(join(dir, 'state')).filter((name) => name.includes('replaced'))).toHaveLength(1);
  expect(trail().filter((what) => /backup/.test(what))).toEqual([
    `backup of the reading list and its accounts to ${file}`,
    `backup of the reading list and its accounts to ${file}`,
    expect.stringMatching(/^the reading list and its accounts restored from a backup of /),
  ]);
  writeFileSync(file, 'no backup');
  expect(hilum('restore', file)).toMatchObject({
    status: 1,
    stderr: 'hilum: BACKUP_INVALID: the backup can not be used: it is no backup of Hilum, or is cut off\n',
  });
}, 180_000);

test('of a list in PostgreSQL the commands say what does it, without the password, and that works', async () => {
  const postgres = await servers.postgres();
  const url = await postgres.database('hospital');
  const { hostname, port } = new URL(url);
  const secret = url.replace('hilum@', 'hilum:s3cret@');
  configure(0, `, database: "${secret}"`);
  await withList(url, (list) => list.record(studyRecord('a')));

  const shell = (line: string) => {
    const env = { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: 'hilum', PATH: pathWithPostgres() };
    const { status, stderr } = spawnSync('sh', ['-c', line], { env, encoding: 'utf8' });
    expect([line, status, stderr]).toEqual([line, 0, '']);
  };
  const file = join(dir, "Ana's list.dump");
  const words = hilum('backup', file);
  expect(words).toMatchObject({ status: 1, stdout: '' });
  expect(words.stderr).not.toContain('s3cret');
  const lines = (text: string) => text.split('\n').filter((line) => line.startsWith('  '));
  expect(lines(words.stderr)).toHaveLength(1);
  lines(words.stderr).forEach(shell);
  await withList(url, (list) => list.record(studyRecord('b')));

  const back = hilum('restore', file);
  expect(back).toMatchObject({ status: 1, stdout: '' });
  expect(back.stderr).not.toContain('s3cret');
  expect(lines(back.stderr)).toHaveLength(4);
  lines(back.stderr).forEach(shell);
  expect(await withList(url, (list) => list.hasResult(uid('a')))).toBe(true);
  expect(await withList(url, (list) => list.hasResult(uid('b')))).toBe(false);
  // Searches and counts came with it.
  const found = await withList(url, (list) =>
    list.page({ searchPatient: true, order: 'oldest', limit: 5, search: 'A-a' }),
  );
  expect(found.rows).toHaveLength(1);
  const kept = url.replace(/hospital$/, 'hospital_replaced');
  expect(await withList(kept, (list) => list.hasResult(uid('b')))).toBe(true);
}, 180_000);

/** As a shell finds the programs of Debian's package, without its wrappers. */
function pathWithPostgres(): string {
  const root = '/usr/lib/postgresql';
  const [newest] = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return [join(root, newest!, 'bin'), process.env.PATH ?? ''].join(delimiter);
}
