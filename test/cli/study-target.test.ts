import { readTarget } from '../../src/cli/study-target';

const TODAY = new Date(2026, 2, 1, 13, 30);
const day = (year: number, month: number, date: number) => new Date(year, month - 1, date);

test.each([
  ['UIDs', ['1.2.3', '1.2.4'], undefined, undefined, { studies: ['1.2.3', '1.2.4'] }],
  ['a first day: up to tomorrow', [], '2026-02-27', undefined, { from: day(2026, 2, 27), to: day(2026, 3, 2) }],
  ['a first and a last day', [], '2024-02-29', '2024-02-29', { from: day(2024, 2, 29), to: day(2024, 2, 29) }],
] as const)('%s', (_name, uids, since, until, expected) =>
  expect(readTarget(uids, since, until, TODAY)).toEqual(expected),
);

test.each([
  ['nothing', [], undefined, undefined, 'needs Study Instance UIDs or --since YYYY-MM-DD'],
  ['a last day alone', [], undefined, '2026-01-01', 'needs Study Instance UIDs or --since YYYY-MM-DD'],
  ['both', ['1.2.3'], '2026-01-01', undefined, 'not both'],
  ['a UID that is none', ['1.2.3', '1.two.3'], undefined, undefined, '1.two.3 is no Study Instance UID'],
  ['a UID that leads elsewhere', ['1.2/../3'], undefined, undefined, '1.2/../3 is no Study Instance UID'],
  ['a day that is none', [], '2026-02-30', undefined, '--since 2026-02-30 is no date (YYYY-MM-DD)'],
  ['a month that is none', [], '2026-13-01', undefined, 'is no date'],
  ['a date as DICOM writes it', [], '20260201', undefined, 'is no date'],
  ['a word', [], 'yesterday', undefined, 'is no date'],
  ['a wrong last day', [], '2026-02-01', '2026-2-3', '--until 2026-2-3 is no date (YYYY-MM-DD)'],
  ['the wrong way round', [], '2026-02-02', '2026-02-01', 'no day from --since 2026-02-02 to 2026-02-01'],
  ['a day to come', [], '2026-03-03', undefined, 'no day from --since 2026-03-03 to today'],
] as const)('%s is told', (_name, uids, since, until, expected) =>
  expect(readTarget(uids, since, until, TODAY)).toContain(expected),
);

test('studies without a date, and nothing else beside', () => {
  expect(readTarget([], undefined, undefined, TODAY, true)).toEqual({ undated: true });
  expect(readTarget(['1.2.3'], undefined, undefined, TODAY, true)).toBe('give --undated alone');
  expect(readTarget([], '2026-01-01', undefined, TODAY, true)).toBe('give --undated alone');
});
