import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const CLI = resolve(__dirname, '../../dist/cli.js');
const dir = mkdtempSync(join(tmpdir(), 'hilum-users-'));
const config = join(dir, 'hilum.yaml');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const write = (more: string) =>
  writeFileSync(
    config,
    `archive: {url: "http://127.0.0.1:1/dicom-web"}\nbroker: {url: "amqp://127.0.0.1:1"}\n${more}\n`,
  );
const hilum = (args: readonly string[], input = '') => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args, '--config', config], {
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

beforeAll(() => write('access: {kind: local}'));

test('accounts: made with a password from standard input, listed, changed, removed, all in the audit trail', () => {
  expect(
    hilum(['users', 'add', 'chief', '--roles', 'admin', '--name', 'The Chief'], 'a long enough secret\n'),
  ).toMatchObject({ status: 0, stdout: 'account chief made with the roles admin\n' });
  expect(hilum(['users', 'add', 'chief', '--roles', 'admin'], 'a long enough secret\n')).toMatchObject({
    status: 1,
    stderr: 'hilum: There is an account of this name.\n',
  });
  expect(hilum(['users', 'add', 'short', '--roles', 'operator'], 'short\n')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('at least 12 characters') as string,
  });
  expect(hilum(['users', 'add', 'king', '--roles', 'king'], 'a long enough secret\n').status).toBe(1);
  expect(hilum(['users', 'add', 'reader', '--roles', 'radiologist,operator'], 'a long enough secret\n').status).toBe(0);
  expect(hilum(['users', 'role', 'reader', '--roles', 'radiologist']).status).toBe(0);
  expect(
    hilum(['users', 'list', '--json'])
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { username: 'chief', displayName: 'The Chief', roles: ['admin'] },
    { username: 'reader', displayName: 'reader', roles: ['radiologist'] },
  ]);
  expect(hilum(['users', 'remove', 'chief'])).toMatchObject({
    status: 1,
    stderr: 'hilum: This is the last admin: make another one first.\n',
  });
  expect(hilum(['users', 'remove', 'reader']).status).toBe(0);
  const trail = readFileSync(join(dir, 'state/audit/audit.log'), 'utf8').trim().split('\n');
  expect(trail).toHaveLength(4);
  expect(trail[0]).toContain('UserID="command-line:');
}, 120_000);

test('API tokens: shown once, listed without their secret, revoked', () => {
  const { stdout } = hilum(['tokens', 'add', 'Prometheus', '--roles', 'metrics']);
  expect(stdout).toMatch(/^hilum_[0-9a-f]{12}_[\w-]{43}\n$/);
  const prefix = stdout.split('_')[1]!;
  const listed = hilum(['tokens', 'list']).stdout;
  expect([listed.includes(prefix), listed.includes(stdout.trim().slice(19))]).toEqual([true, false]);
  expect(hilum(['tokens', 'revoke', prefix]).status).toBe(0);
  expect(hilum(['tokens', 'revoke', prefix]).status).toBe(1);
  expect(hilum(['tokens', 'list']).stdout).toBe('');
}, 120_000);

test('where the audit trail can not be written, accounts and tokens stay as they are', () => {
  hilum(['users', 'add', 'stays', '--roles', 'admin'], 'a long enough secret\n');
  hilum(['tokens', 'add', 'Stays', '--roles', 'metrics', '--days', '3']);
  const both = () => [hilum(['users', 'list', '--json']).stdout, hilum(['tokens', 'list', '--json']).stdout];
  const before = both();
  const { prefix, createdAt, expiresAt } = JSON.parse(before[1]!) as Record<string, number>;
  expect(expiresAt! - createdAt!).toBe(3 * 86_400_000);
  writeFileSync(join(dir, 'in-the-way'), '');
  write('access: {kind: local}\naudit: {dir: in-the-way}');
  for (const args of [
    ['users', 'add', 'new', '--roles', 'operator'],
    ['users', 'passwd', 'stays'],
    ['users', 'role', 'stays', '--roles', 'admin,operator'],
    ['tokens', 'add', 'New', '--roles', 'metrics'],
    ['tokens', 'revoke', String(prefix)],
  ]) {
    const { status, stdout, stderr } = hilum(args, 'a long enough secret\n');
    expect([args, status, stdout, stderr.includes('AUDIT_FAILED')]).toEqual([args, 1, '', true]);
  }
  expect(both()).toEqual(before);
  write('access: {kind: local}');
}, 120_000);

test('the service does not start outside loopback without sign-in and TLS, and says why', () => {
  write('http: {host: 0.0.0.0, port: 0}');
  const { status, stderr } = hilum(['serve']);
  expect(status).toBe(1);
  for (const part of [
    'CONFIG_INVALID',
    'access.kind: nobody has to sign in',
    'http.tls: without TLS the service is allowed on loopback only',
  ])
    expect(stderr).toContain(part);
}, 60_000);
