import { areAllInShadow, findingOf, leadingFinding, priorityOf, studyPriority } from '../../src/finding/finding';
import { isAtOrAbove } from '../../src/finding/operating-point';
import { findingStatement, percentagesOf, relationOf } from '../../src/finding/wording';
import { COVID, covid } from '../support/records/finding';

const OPACITY = { value: '112001', scheme: 'DCM', meaning: 'Opacity' };
const opacity = (probability: number, mode: 'live' | 'shadow') =>
  findingOf({ label: 'Lung opacity', code: OPACITY, operatingPoint: 0.6, mode }, probability);

test.each([
  [0.5, 0.5, true],
  [0.5 - Number.EPSILON, 0.5, false],
  [1, 1, true],
  [0, 0, true],
  [NaN, 0, false],
])('%d against the operating point %d: %s', (probability, point, reached) => {
  expect(isAtOrAbove(probability, point)).toBe(reached);
});

test('a finding says what it is of, what it was held against and what follows', () => {
  expect(covid(0.9)).toEqual({
    label: 'COVID-19',
    code: COVID.code,
    probability: 0.9,
    operatingPoint: 0.4213,
    atOrAbove: true,
    priority: 'urgent',
    mode: 'live',
  });
  expect(covid(0.4)).toMatchObject({ atOrAbove: false, priority: 'routine' });
});

test.each([
  ['nothing was analysed', [], null],
  ['one below', [covid(0.1)], 'routine'],
  ['the second one reaches its own operating point', [covid(0.1), opacity(0.7, 'live')], 'urgent'],
  ['one in shadow mode reaches it: nothing follows', [covid(0.1), opacity(0.9, 'shadow')], 'routine'],
  ['only in shadow mode: that says nothing', [opacity(0.9, 'shadow')], null],
])('priority of a film where %s', (_case, findings, priority) => {
  expect(priorityOf(findings)).toBe(priority);
  expect(studyPriority([{ findings: [] }, { findings }])).toBe(priority);
});

test('a film without findings has none that leads, nor has one whose findings are all in shadow', () => {
  expect(leadingFinding({ findings: [] })).toBeUndefined();
  expect(leadingFinding({ findings: [opacity(0.9, 'shadow')] })).toBeUndefined();
  expect(leadingFinding({ findings: [opacity(0.9, 'shadow'), covid(0.1)] })).toEqual(covid(0.1));
});

test('all findings in shadow: only where there is one, and none is live', () => {
  expect(areAllInShadow([])).toBe(false);
  expect(areAllInShadow([opacity(0.9, 'shadow')])).toBe(true);
  expect(areAllInShadow([opacity(0.9, 'shadow'), covid(0.1)])).toBe(false);
});

test('words: at, below, and where the operating point is not known; never that something is absent', () => {
  expect(findingStatement(covid(0.97))).toBe(
    'Probability of COVID-19 97.0 %, at or above the operating point (42.1 %).',
  );
  expect(findingStatement(covid(0.02))).toBe(
    'Probability of COVID-19 2.0 %, below the operating point (42.1 %): no statement about absence.',
  );
  expect(relationOf({ probability: 0.5, operatingPoint: null, atOrAbove: false })).toBe(
    'operating point not known: no statement about presence or absence',
  );
});

test('as many digits as it takes to tell probability and operating point apart', () => {
  expect(percentagesOf({ probability: 0.42131, operatingPoint: 0.4213 })).toEqual({
    probability: '42.131',
    operatingPoint: '42.130',
  });
});

test.each([
  ['the first, where none reaches its operating point', [covid(0.1), opacity(0.2, 'live')], 0],
  ['the one that makes the film urgent', [covid(0.1), opacity(0.7, 'live')], 1],
  ['never one in shadow', [opacity(0.9, 'shadow'), covid(0.1)], 1],
  [
    'an urgent one before one that only reaches its point',
    [covid(0.9, { priority: 'routine' }), opacity(0.7, 'live')],
    1,
  ],
  [
    'one that reaches its point before one that does not',
    [opacity(0.1, 'live'), covid(0.9, { priority: 'routine' })],
    1,
  ],
])('what stands for a film: %s', (_case, findings, at) => {
  expect(leadingFinding({ findings })).toBe(findings[at]);
});

test('a rule can have a finding that never makes a film urgent', () => {
  expect(covid(0.9, { priority: 'routine' })).toMatchObject({ atOrAbove: true, priority: 'routine' });
  expect(priorityOf([covid(0.9, { priority: 'routine' })])).toBe('routine');
});
