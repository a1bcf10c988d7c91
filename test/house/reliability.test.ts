import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/**
 * Titles of the tests in a file: the first argument of test(...), and of the call after test.each(...); in Python,
 * names of functions.
 */
function titlesOf(file: string): Set<string> {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (file.endsWith('.py')) return new Set([...source.matchAll(/def (test_\w+)\(/g)].map(([, name]) => name!));
  return new Set(
    [...source.matchAll(/(?:\b(?:test|\w+Test)|[\]\w]\))\(\s*(['"`])((?:\\.|(?!\1).)+)\1/g)].map((match) =>
      match[2]!.replace(/\\(.)/g, '$1'),
    ),
  );
}

/** The last column of the failure table: `file`: "title"; "title" ... */
function namedTests(): { file: string; title: string }[] {
  const table = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8')
    .split('## What fails')[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  return table.flatMap((row) => {
    const cell = row.split(' | ').at(-1)!;
    const named = [...cell.matchAll(/`(test\/[^`]+)`:((?: "[^"]+"[;,]?)+)/g)].flatMap(([, file, titles]) =>
      [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => ({ file: file!, title: title! })),
    );
    if (named.length === 0) throw new Error(`a row of the failure table names no test as \`file\`: "title": ${row}`);
    return named;
  });
}

test('each test that the failure table of docs/reliability.md names is there', () => {
  const named = namedTests();
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(({ file, title }) => !existsSync(join(ROOT, file)) || !titlesOf(file).has(title))).toEqual([]);
});

test('each test of a fault is in the failure table of docs/reliability.md', () => {
  const named = new Set(namedTests().map(({ file, title }) => `${file}: ${title}`));
  const files = readdirSync(join(ROOT, 'test/servers'))
    .filter((name) => name.startsWith('faults-'))
    .map((name) => `test/servers/${name}`);
  const written = files.flatMap((file) => [...titlesOf(file)].map((title) => `${file}: ${title}`));
  expect(written.length).toBeGreaterThan(20);
  expect(written.filter((test) => !named.has(test))).toEqual([]);
});
