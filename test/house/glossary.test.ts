import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(__dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8');

/** Rows of the table under a heading, cell by cell. */
function rows(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]!.split('\n## ')[0]!;
  return [...section.matchAll(/^\| (.+) \|$/gm)].slice(1).map(([, row]) => row!.split(' | '));
}

const KEPT = rows('Older words that stay outside of the code').map(([name, , where]) => ({
  name: name!.replaceAll('`', ''),
  where: where!.replaceAll('`', ''),
}));

/** Words of identifiers that the glossary has other names for. */
const FORBIDDEN = new Set(['teller', 'survey', 'surveyed', 'sighting', 'sight', 'gate', 'book', 'errand', 'unlike']);

/** Where a key of the configuration, or of stored counts, is read by the code. */
const ALLOWED = [
  'src/app/doctor/models.ts: gate',
  'src/app/models-of-folder.ts: gate',
  'src/app/pipeline.ts: gate',
  'src/pipeline/measure.ts: unlike',
];

/** Whether an identifier is a name that the glossary keeps in this file. */
const keptIn = (file: string, word: string) => KEPT.some(({ name, where }) => where === file && name === word);

/** `putBackAt` as put, back, at. */
const wordsOf = (identifier: string) =>
  identifier
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/);

function isForbidden(identifier: string): boolean {
  const words = wordsOf(identifier);
  return words.some((word, at) => FORBIDDEN.has(word) || (word === 'put' && words[at + 1] === 'back'));
}

test('each older name of the glossary is in the file that it names', () => {
  expect(KEPT.length).toBeGreaterThan(5);
  const missing = KEPT.filter(
    ({ name, where }) => !new RegExp(`\\b${name}\\b`).test(readFileSync(join(ROOT, where), 'utf8')),
  );
  expect(missing).toEqual([]);
});

test('terms are named once, in 35 to 60 rows', () => {
  const terms = rows('Terms').map(([term]) => term);
  expect(new Set(terms).size).toBe(terms.length);
  expect(terms.length).toBeGreaterThanOrEqual(35);
  expect(terms.length).toBeLessThanOrEqual(60);
});

test.each(['Teller', 'DriftBook', 'giveGate', 'SIGHT_FIELDS', 'putBack', 'findUnlike'])(
  '%s is a name of before',
  (name) => expect(isForbidden(name)).toBe(true),
);

test('older words are in no identifier and no file name of src, but where the glossary has them', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((name) => {
    const file = `src/${name}`;
    const names = isForbidden(name) ? [file] : [];
    const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest);
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) && isForbidden(node.text) && !keptIn(file, node.text))
        names.push(`${file}: ${node.text}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
    return names;
  });
  expect([...new Set(found)].sort()).toEqual(ALLOWED);
});
