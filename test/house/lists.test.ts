import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ERROR_CODES } from '../../src/base/errors';
import { DELIVERY_KINDS, NOT_ANALYSED_REASONS } from '../../src/events/closed-lists';

const doc = (name: string) => readFileSync(join(resolve(__dirname, '../../docs'), name), 'utf8');
const firstColumn = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);

test('docs/errors.md lists every error code and no other', () => {
  expect(firstColumn(doc('errors.md')).sort()).toEqual([...ERROR_CODES].sort());
});

test('docs/events.md names every reason for not analysing', () => {
  expect(NOT_ANALYSED_REASONS.filter((reason) => !doc('events.md').includes(`\`${reason}\``))).toEqual([]);
});

test('docs/deliveries.md lists every kind of delivery and no other', () => {
  const section = doc('deliveries.md')
    .split(/^## /m)
    .find((text) => text.startsWith('Kinds'))!;
  expect(firstColumn(section)).toEqual([...DELIVERY_KINDS]);
});
