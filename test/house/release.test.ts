import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { CHANGELOG, isLater, PLACES, versionsIn, withDate, withVersion } from '../../scripts/build/versions.cjs';

const ROOT = resolve(__dirname, '../..');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

describe('where the version stands', () => {
  test.each(PLACES.map((place) => [place.file, place] as const))('%s', (file, place) => {
    const [version, ...others] = versionsIn(place, text(file));
    expect(others.filter((other) => other !== version)).toEqual([]);
    const released = withVersion(place, text(file), '9.8.7');
    expect(versionsIn(place, released)).toEqual([version, ...others].map(() => '9.8.7'));
    // Nothing else is touched: back again it is the same.
    expect(withVersion(place, released, version!)).toBe(text(file));
  });

  test('is the same in package and lock, and in chart and its page', () => {
    const [manifest, lock, chart, page] = PLACES.map((place) => versionsIn(place, text(place.file))[0]);
    expect(lock).toBe(manifest);
    expect(page).toBe(chart);
  });

  test('a file without it is refused', () => {
    expect(() => withVersion(PLACES[2]!, 'version: 0.2.0\n', '0.3.0')).toThrow(/Chart\.yaml: .* \(1 of 2 places\)/);
  });
});

test.each([
  ['0.2.0', '0.1.0', true],
  ['0.10.0', '0.9.9', true],
  ['1.0.0', '1.0.0-rc.1', true],
  ['1.0.0-rc.1', '1.0.0', false],
  ['1.0.0-rc.2', '1.0.0-rc.1', true],
  ['0.1.0', '0.1.0', false],
  ['0.0.9', '0.1.0', false],
])('%s after %s: %s', (version, than, expected) => {
  expect(isLater(version, than)).toBe(expected);
});

describe('the changelog', () => {
  const section = (title: string, body = '- a line\n') =>
    `# Changelog\n\n${title}\n\n${body}\n## [0.1.0] - 2026-11-23\n`;
  const open = section('## [0.2.0] - not released');

  test('gets its date, once', () => {
    const dated = withDate(open, '0.2.0', '2026-12-01');
    expect(dated).toBe(section('## [0.2.0] - 2026-12-01'));
    expect(withDate(dated, '0.2.0', '2026-12-01')).toBe(dated);
  });

  test.each([
    ['no section', section('## [0.3.0] - not released'), /no section "## \[0\.2\.0\] - not released"/],
    ['another date', section('## [0.2.0] - 2026-11-30'), /0\.2\.0 is dated 2026-11-30/],
    ['nothing in it', section('## [0.2.0] - not released', ''), /0\.2\.0 says nothing/],
  ])('%s is refused', (_what, given, message) => {
    expect(() => withDate(given, '0.2.0', '2026-12-01')).toThrow(message);
  });
});

describe('npm run release', () => {
  const clone = mkdtempSync(join(tmpdir(), 'hilum-release-'));
  afterAll(() => rmSync(clone, { recursive: true, force: true }));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const git = (...args: string[]) =>
    spawnSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], { cwd: clone, env });
  const release = (...args: string[]) => {
    const script = join(ROOT, 'scripts/build/release.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, ...args, '--clone', clone, '--dry-run'], {
      env,
      encoding: 'utf8',
    });
    return { status, stderr };
  };
  const refused = (message: string) => ({ status: 1, stderr: `${message}\n` });

  beforeAll(() => {
    for (const file of [CHANGELOG, ...PLACES.map((place) => place.file)]) {
      mkdirSync(dirname(join(clone, file)), { recursive: true });
      cpSync(join(ROOT, file), join(clone, file));
    }
    const { version } = JSON.parse(text('package.json')) as { version: string };
    const next = '## [9.0.0] - not released\n\n- a line\n\n## [';
    writeFileSync(join(clone, CHANGELOG), text(CHANGELOG).replace('## [', next));
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'all');
    git('tag', 'v9.1.0');
    expect(version).toMatch(/^0\./);
  });

  test('says what it would change, and changes nothing', () => {
    const { status, stderr } = release('9.0.0');
    const files = [CHANGELOG, ...PLACES.map((place) => place.file)];
    expect({ status, stderr }).toEqual({ status: 0, stderr: files.map((file) => `would change ${file}\n`).join('') });
    expect(git('status', '--porcelain').stdout.toString()).toBe('');
  });

  test('refuses what is no later version, a tag that is there, a changelog without it, and a clone with changes', () => {
    expect(release('9.0')).toEqual(refused('9.0 is no version: MAJOR.MINOR.PATCH'));
    expect(release('0.0.1').stderr).toMatch(/^0\.0\.1 does not come after \S+, the present one\n$/);
    expect(release('9.1.0')).toEqual(refused('the tag v9.1.0 is there already'));
    expect(release('9.2.0')).toEqual(refused(`${CHANGELOG} has no section "## [9.2.0] - not released"`));
    writeFileSync(join(clone, 'left-over'), '');
    expect(release('9.0.0')).toEqual(refused('there are changes that are not committed'));
  });
});
