import dcmjs from 'dcmjs';
import { type PriorityRule, RULE_ATTRIBUTES, RULE_KEYWORDS } from '../../src/triage/config';
import { isMatch, ruleFor } from '../../src/triage/rules';

test('keywords and tags are those of PS3.6', () => {
  const names = dcmjs.data.DicomMetaDictionary.nameMap;
  const tags = RULE_KEYWORDS.map((keyword) => [
    keyword,
    (names[keyword] ?? names[`RETIRED_${keyword}`])?.tag.replace(/[(),]/g, ''),
  ]);
  expect(Object.fromEntries(tags)).toEqual(RULE_ATTRIBUTES);
});

test('no rule looks at who the patient, the referrer or the operator is', () => {
  expect(RULE_KEYWORDS.filter((keyword) => /Name$/.test(keyword))).toEqual([
    'InstitutionName',
    'StationName',
    'InstitutionalDepartmentName',
  ]);
  expect(RULE_KEYWORDS.filter((keyword) => /^Patient|Birth|Sex|Physician|Operator|Comments/.test(keyword))).toEqual([
    'PatientTransportArrangements',
  ]);
});

test.each([
  ['STAT', 'STAT', true],
  [' stat ', 'Stat', true],
  ['STATION', 'STAT', false],
  ['Thorax portable AP', '*portable*', true],
  ['portable', '*portable*', true],
  ['Thorax Bett', '*portable*', false],
  ['ICU-3', 'ICU*', true],
  ['MICU', 'ICU*', false],
  ['Mobile 2', '*2', true],
  ['aba', 'ab*ba', false],
  ['abba', 'ab*ba', true],
  ['a-x-b-y-c', 'a*b*c', true],
  ['a-c-b', 'a*b*c', false],
  ['anything', '*', true],
  ['', '*', true],
  ['a.c', 'a.c', true],
  ['abc', 'a.c', false],
  ['Röntgen Süd', 'röntgen s\u0075\u0308d', true],
])('%j against %j: %s', (value, pattern, expected) => expect(isMatch(value, pattern)).toBe(expected));

test('many stars on a long text take no time', () => {
  const started = Date.now();
  expect(isMatch('a'.repeat(5_000), `${'a*'.repeat(200)}b`)).toBe(false);
  expect(Date.now() - started).toBeLessThan(1_000);
});

describe('a rule', () => {
  const portable: PriorityRule = { Modality: ['DX'], ViewPosition: ['AP'] };
  const icu: PriorityRule = { InstitutionalDepartmentName: ['ICU*', 'Intensivstation'] };

  test.each([
    ['all conditions hold', { Modality: ['DX'], ViewPosition: ['AP'] }, 0],
    ['one does not hold', { Modality: ['DX'], ViewPosition: ['PA'] }, undefined],
    ['one is not told', { Modality: ['DX'] }, undefined],
    ['nothing is told', {}, undefined],
    ['the second rule is met', { Modality: ['CR'], InstitutionalDepartmentName: ['icu 2'] }, 1],
    ['the second value is met', { InstitutionalDepartmentName: ['INTENSIVSTATION'] }, 1],
    ['one of several values is met', { InstitutionalDepartmentName: ['Radiology', 'ICU'] }, 1],
    [
      'both are met: the first counts',
      { Modality: ['DX'], ViewPosition: ['AP'], InstitutionalDepartmentName: ['ICU'] },
      0,
    ],
  ])('%s', (_name, film, expected) => expect(ruleFor(film, [portable, icu])).toBe(expected));

  test('no rules, nothing is met', () => expect(ruleFor({ Modality: ['DX'] }, [])).toBeUndefined());
});
