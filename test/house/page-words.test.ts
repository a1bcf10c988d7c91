import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RESEARCH_USE } from '../../src/finding/wording';

const WEB = resolve(__dirname, '../../src/web');
const MODELS = resolve(__dirname, '../../models');

/**
 * All that can come onto a page beside the message catalogues (test/language): the pages themselves, what the service
 * says in words, and the models' cards.
 */
const sources = [
  ...readdirSync(join(WEB, 'pages'))
    .filter((name) => !name.endsWith('.css'))
    .map((name) => join(WEB, 'pages', name)),
  ...[WEB, join(WEB, 'api')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  ),
  ...readdirSync(MODELS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(MODELS, name, 'card.md')),
];

/** A finding's own name says that something is there. */
const FINDING = /\babnormal chest film\b/gi;

/** Words that would say that something is absent, or that a reader could take for it. */
const FORBIDDEN =
  /\b(normal|abnormal|negative|healthy|unremarkable|all[- ]clear|no (finding|evidence|disease)s?|ruled? out)\b/i;

test('no page says that a film is free of anything', () => {
  expect(sources.length).toBeGreaterThan(20);
  const found = sources.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) => (FORBIDDEN.test(line.replace(FINDING, '')) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

test('the words that are looked for are found where they are', () => {
  for (const sentence of [
    'The film is normal.',
    'COVID-19: negative',
    'No finding',
    'no evidence of disease',
    'ruled out',
  ])
    expect(sentence).toMatch(FORBIDDEN);
  expect('batch normalisation; no statement about absence').not.toMatch(FORBIDDEN);
});

test('wherever a result is drawn, the page says what it is for', () => {
  const page = (name: string) => readFileSync(join(WEB, 'pages', name), 'utf8');
  expect(RESEARCH_USE.statement).toBe('Research use only - not for diagnosis. Unverified.');
  expect(page('index.html')).toContain('{{research.statement}}');
  for (const name of ['detail.ts', 'overlay.ts']) expect(page(name)).toContain("t('research.statement')");
  expect(page('rows.ts')).toContain("t('research.unverified')");
});

test('the wording of research use stands in one place', () => {
  const SRC = resolve(WEB, '..');
  const elsewhere = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'finding/wording.ts')
    .filter((name) =>
      /research use(?! only so)/i.test(readFileSync(join(SRC, name), 'utf8').replace(/\/\*[^]*?\*\//g, '')),
    );
  expect(elsewhere).toEqual([]);
});
