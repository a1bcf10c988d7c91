import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/**
 * Titles of the tests in a file: the first argument of test(...), and of the call after test.each(...); in Python,
 * names of functions.
 */
export function titlesOf(file: string): Set<string> {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (file.endsWith('.py')) return new Set([...source.matchAll(/def (test_\w+)\(/g)].map(([, name]) => name!));
  return new Set(
    [...source.matchAll(/(?:\b(?:test|\w+Test)|[\]\w]\))\(\s*(['"`])((?:\\.|(?!\1).)+)\1/g)].map((match) =>
      match[2]!.replace(/\\(.)/g, '$1'),
    ),
  );
}

/**
 * What the table of a section of a page names in its last column: `file`: "title"; "title" ...
 * @throws Error for a row that names none
 */
export function namedTests(page: string, heading: string): NamedTest[] {
  const table = readFileSync(join(ROOT, page), 'utf8')
    .split(heading)[1]!
    .split(/\n##+ /)[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  return table.flatMap((row) => {
    const cell = row.split(' | ').at(-1)!;
    const named = [...cell.matchAll(/`(test\/[^`]+)`:((?: "[^"]+"[;,]?)+)/g)].flatMap(([, file, titles]) =>
      [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => ({ file: file!, title: title! })),
    );
    if (named.length === 0) throw new Error(`a row of ${page} names no test as \`file\`: "title": ${row}`);
    return named;
  });
}

/** Those that are not there. */
export const missingTests = (named: readonly NamedTest[]) =>
  named.filter(({ file, title }) => !existsSync(join(ROOT, file)) || !titlesOf(file).has(title));
