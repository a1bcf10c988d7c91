import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Debian's package prometheus: what a site's Prometheus would say of the files. */
const FOLDER = resolve(__dirname, '../../deploy/prometheus');
const promtool = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', cwd: FOLDER });
  return { status, said: `${stdout}${stderr}` };
};

let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'hilum-rules-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('promtool check rules', () => {
  expect(promtool('check', 'rules', 'hilum.rules.yml')).toEqual({
    status: 0,
    said: expect.stringMatching(/SUCCESS: \d{2} rules found/) as string,
  });
});

test('promtool test rules: each alert fires when it should, and not a minute before', () => {
  expect(promtool('test', 'rules', 'hilum.rules.test.yml')).toEqual({
    status: 0,
    said: expect.stringContaining('SUCCESS') as string,
  });
});

test('a rule that says something else fails there', () => {
  const rules = readFileSync(join(FOLDER, 'hilum.rules.yml'), 'utf8');
  const changed = rules.replace('{queue="urgent"}) > 300', '{queue="urgent"}) > 299');
  expect(changed).not.toBe(rules);
  writeFileSync(join(dir, 'hilum.rules.yml'), changed);
  writeFileSync(join(dir, 'test.yml'), readFileSync(join(FOLDER, 'hilum.rules.test.yml')));
  const { status, said } = promtool('test', 'rules', join(dir, 'test.yml'));
  expect(status).toBe(1);
  expect(said).toContain('HilumUrgentStudiesWait');
});

test('every query of the dashboard can be read', () => {
  const { panels } = JSON.parse(readFileSync(join(FOLDER, '../grafana/hilum.json'), 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const rules = expressions.map((expr, at) => ({
    record: `panel:${at}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', 'hilum'),
  }));
  expect(rules.length).toBeGreaterThan(30);
  writeFileSync(join(dir, 'queries.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  expect(promtool('check', 'rules', join(dir, 'queries.yml'))).toEqual({
    status: 0,
    said: expect.stringContaining(`SUCCESS: ${rules.length} rules found`) as string,
  });
});
