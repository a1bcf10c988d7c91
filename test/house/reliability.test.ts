import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { missingTests, namedTests, titlesOf } from '../support/named-tests';

const ROOT = resolve(__dirname, '../..');
const failures = () => namedTests('docs/reliability.md', '## What fails');

test('each test that the failure table of docs/reliability.md names is there', () => {
  const named = failures();
  expect(named.length).toBeGreaterThan(30);
  expect(missingTests(named)).toEqual([]);
});

test('each test that docs/threat-model.md names is there, and no threat is without one', () => {
  const named = namedTests('docs/threat-model.md', '\n## Threats');
  expect(named.length).toBeGreaterThan(30);
  expect(missingTests(named)).toEqual([]);
});

test('each test that docs/hazards.md names is there, and no cause is without one', () => {
  const page = 'docs/hazards.md';
  const headings = readFileSync(join(ROOT, page), 'utf8').match(/^### H\d+ .*$/gm) ?? [];
  expect(headings.length).toBeGreaterThan(8);
  for (const heading of headings) {
    const named = namedTests(page, `${heading}\n`);
    expect(named.length).toBeGreaterThan(0);
    expect(missingTests(named)).toEqual([]);
  }
});

test('each test of a fault is in the failure table of docs/reliability.md', () => {
  const named = new Set(failures().map(({ file, title }) => `${file}: ${title}`));
  const files = readdirSync(join(ROOT, 'test/servers'))
    .filter((name) => name.startsWith('faults-'))
    .map((name) => `test/servers/${name}`);
  const written = files.flatMap((file) => [...titlesOf(file)].map((title) => `${file}: ${title}`));
  expect(written.length).toBeGreaterThan(20);
  expect(written.filter((test) => !named.has(test))).toEqual([]);
});
