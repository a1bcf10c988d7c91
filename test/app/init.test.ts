import childProcess from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDirectory } from '../../src/app/access';
import { configurationOf } from '../../src/app/init/configuration';
import { initialise } from '../../src/app/init/initialise';
import {
  ARCHIVE_PROTOCOLS,
  BROKER_PROTOCOLS,
  dicomNodeOf,
  endpointOf,
  orthancUrlOf,
  type Site,
} from '../../src/app/init/site';
import { readConfig } from '../../src/config/config';

let dir: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-init-'));
  out = join(dir, 'hilum.yaml');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const site = (changes: Partial<Site> = {}): Site => ({
  archive: { url: 'http://pacs.example:8042/dicom-web', username: 'hilum', password: 'p: "#{}' },
  broker: { url: 'amqp://mq.example:5672', username: 'hi/lum', password: 'a@b:c/d' },
  list: false,
  stateDir: join(dir, 'state'),
  ...changes,
});

test('what is written is read back, whatever the passwords hold; they stand in files of their own', async () => {
  await initialise(site(), out);
  const { archive, broker, state, access } = readConfig(out);
  expect(archive.auth).toEqual({ kind: 'basic', username: 'hilum', password: 'p: "#{}' });
  const url = new URL(broker.url);
  expect([url.username, url.password, url.hostname].map(decodeURIComponent)).toEqual([
    'hi/lum',
    'a@b:c/d',
    'mq.example',
  ]);
  expect(state.dir).toBe(join(dir, 'state'));
  expect(access.kind).toBe('none');
  const text = readFileSync(out, 'utf8');
  expect(text).not.toContain('p: "#');
  expect(text).not.toContain('a@b');
  for (const name of ['hilum.yaml', 'archive-password', 'broker-password'])
    expect(statSync(join(dir, name)).mode & 0o007).toBe(0);
});

test('without accounts of archive and broker there is no password to keep', () => {
  const { text, secrets } = configurationOf(site({ archive: { url: 'http://a/b' }, broker: { url: 'amqp://c' } }));
  expect(secrets).toEqual([]);
  expect(text).toContain('auth: { kind: none }');
  expect(text).toContain('url: "amqp://c"');
});

test('a list gets a first account with all roles, once, and a password that was made is told', async () => {
  const { done } = await initialise(site({ list: true }), out);
  expect(done.join('\n')).toMatch(/made the account admin, with the password [\w-]{43} /);
  const opened = openDirectory(readConfig(out));
  expect(await opened.directory.list()).toMatchObject([
    { username: 'admin', roles: ['admin', 'operator', 'radiologist'] },
  ]);
  await opened.close();
  const again = await initialise(site({ list: true }), out, { username: 'chief', password: 'five-Wonderful-Films' });
  expect(again.done).toContain('accounts are there already, none was made');
});

// Only root can give a file to somebody else.
(process.geteuid?.() === 0 ? test : test.skip)(
  'run by root: a link in the state folder gives nothing away',
  async () => {
    const id = jest.spyOn(childProcess, 'execFileSync').mockReturnValue('12345\n');
    writeFileSync(join(dir, 'of-root'), '');
    mkdirSync(join(dir, 'state'));
    symlinkSync(join(dir, 'of-root'), join(dir, 'state', 'link'));
    try {
      await initialise(site(), out);
    } finally {
      id.mockRestore();
    }
    expect(statSync(join(dir, 'state')).uid).toBe(12_345);
    expect(statSync(join(dir, 'of-root')).uid).toBe(0);
  },
);

test('a PACS: the sink that sends to it, through the Orthanc that is the archive; Orthanc away is told', async () => {
  const archive = { url: 'http://127.0.0.1:9/dicom-web', username: 'hilum', password: 'secret' };
  const pacs = dicomNodeOf('PACS@pacs.example:104');
  const { done } = await initialise(site({ archive, pacs }), out);
  const { dicom } = readConfig(out).deliveries;
  expect(dicom).toMatchObject({
    enabled: true,
    url: 'http://127.0.0.1:9',
    modality: 'pacs',
    auth: { password: 'secret' },
  });
  expect(done.join('\n')).toContain('could not tell Orthanc of the PACS; for good: "DicomModalities": {"pacs":');
});

test.each(['PACS', 'PACS@host', 'PACS@host:0', 'PACS@host:70000', 'A-NAME-TOO-LONG-FOR-IT@host:104', '@host:104'])(
  '%s is no application entity',
  (text) => expect(() => dicomNodeOf(text)).toThrow(/is no AET@HOST:PORT/),
);

test('a PACS needs an archive that is an Orthanc', () => {
  expect(() => orthancUrlOf('https://pacs.example/dcm4chee-arc/aets/A/rs')).toThrow(/does not end with \/dicom-web/);
});

test('a password that would be refused is refused before anything is written', async () => {
  await expect(initialise(site({ list: true }), out, { password: 'short' })).rejects.toThrow(/at least 12/);
  expect(existsSync(out)).toBe(false);
});

test('an existing configuration is kept beside the new one, each time under another name', async () => {
  await initialise(site(), out);
  const first = readFileSync(out, 'utf8');
  await initialise(site({ broker: { url: 'amqp://other' } }), out);
  const { done } = await initialise(site({ broker: { url: 'amqp://third' } }), out);
  expect(readFileSync(`${out}.old`, 'utf8')).toBe(first);
  expect(readFileSync(`${out}.old-2`, 'utf8')).toContain('amqp://other');
  expect(done[0]).toContain(`${out}.old-2`);
});

test('existing passwords are kept too', async () => {
  const withPassword = (password: string) => site({ broker: { url: 'amqp://mq', username: 'hilum', password } });
  await initialise(withPassword('first'), out);
  const named = readdirSync(dir).filter((name) => name.includes('password'));
  await initialise(withPassword('second'), out);
  expect(named.map((name) => readFileSync(join(dir, `${name}.old`), 'utf8'))).toContain('first\n');
  expect(named.map((name) => readFileSync(join(dir, name), 'utf8'))).toContain('second\n');
});

test.each([
  [
    'http://hilum:a%40b@pacs:8042/dicom-web/',
    { url: 'http://pacs:8042/dicom-web', username: 'hilum', password: 'a@b' },
  ],
  ['https://pacs/dicom-web', { url: 'https://pacs/dicom-web' }],
  ['http://hilum:50%off@pacs', { url: 'http://pacs', username: 'hilum', password: '50%off' }],
])('endpoint of %s', (text, expected) => expect(endpointOf(text, ARCHIVE_PROTOCOLS)).toEqual(expected));

test.each(['pacs:8042', 'amqp://mq', 'http://', ''])('%p is no URL of an archive', (text) => {
  expect(() => endpointOf(text, ARCHIVE_PROTOCOLS)).toThrow(/is no URL that begins with http:\/\/ or https:\/\//);
});

test('a password does not stand in the error', () => {
  expect(() => endpointOf('http://user:secret@mq', BROKER_PROTOCOLS)).toThrow(/http:\/\/user:\.\.\.@mq is no URL/);
});
