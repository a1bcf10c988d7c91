import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ERROR_CODES } from '../../src/base/errors';
import { NOT_ANALYSED_REASONS } from '../../src/events/closed-lists';

const doc = (name: string) => readFileSync(join(resolve(__dirname, '../../docs'), name), 'utf8');
const firstColumn = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);

test('docs/errors.md lists every error code and no other', () => {
  expect(firstColumn(doc('errors.md')).sort()).toEqual([...ERROR_CODES].sort());
});

test('docs/events.md names every reason for not analysing', () => {
  expect(NOT_ANALYSED_REASONS.filter((reason) => !doc('events.md').includes(`\`${reason}\``))).toEqual([]);
});
