import type { ModelManifest } from '../../src/model/manifest';
import { findingsSchema } from '../../src/finding/config';
import { findingRules } from '../../src/pipeline/finding-rules';
import { fakeModel, HEADS } from '../support/pipeline/fake-pipeline';

const covid: ModelManifest = fakeModel('classification', 0).manifest;
const several: ModelManifest = fakeModel('classification', 0, HEADS).manifest;
const recoded: ModelManifest = { ...several, heads: [{ ...several.heads![0]!, label: 'infiltrate' }] };
const rules = (given: readonly object[]) => findingsSchema.parse({ rules: given }).rules;

test('without rules each finding is as its model says', () => {
  expect(findingRules([several], { rules: [] })).toEqual([
    [
      expect.objectContaining({ label: 'lung opacity', operatingPoint: 0.3, mode: 'live' }),
      expect.objectContaining({ label: 'tuberculosis', operatingPoint: 0.5, mode: 'shadow' }),
    ],
  ]);
});

test("the site's operating points, priorities and modes go before the models'", () => {
  const site = rules([
    { finding: 'lung opacity', threshold: 0.45, priority: 'routine' },
    { finding: 'tuberculosis', mode: 'off' },
  ]);
  const [first, second] = findingRules([covid, several], { rules: site, first: 0.2 });
  expect(first).toEqual([expect.objectContaining({ label: 'COVID-19', operatingPoint: 0.2 })]);
  expect(first![0]).not.toHaveProperty('priority');
  expect(second).toEqual([expect.objectContaining({ operatingPoint: 0.45, priority: 'routine' }), null]);
});

test('classification.threshold is for the first finding, unless it has a rule of its own', () => {
  const pointOf = (given: readonly object[]) =>
    findingRules([covid, several], { rules: rules(given), first: 0.2 })
      .flat()
      .map((rule) => rule?.operatingPoint);
  expect(pointOf([])).toEqual([0.2, 0.3, 0.5]);
  expect(pointOf([{ finding: 'COVID-19', threshold: 0.7 }])).toEqual([0.7, 0.3, 0.5]);
});

test.each<[string, ModelManifest[], readonly object[], string, string]>([
  [
    'for no finding',
    [covid],
    [{ finding: 'gout' }],
    'CONFIG_INVALID',
    'no finding gout; the classifiers tell COVID-19',
  ],
  [
    'that makes live what was never validated',
    [several],
    [{ finding: 'tuberculosis', mode: 'live' }],
    'CONFIG_INVALID',
    "tuberculosis of other-classification can't be live: too few sources",
  ],
  ['that leaves nothing', [covid], [{ finding: 'COVID-19', mode: 'off' }], 'CONFIG_INVALID', 'no finding is left'],
  [
    'for a finding whose code another has',
    [several, recoded],
    [{ finding: 'infiltrate', threshold: 0.2 }],
    'CONFIG_INVALID',
    'lung opacity and infiltrate have the same code',
  ],
  ['beside a second classifier of the same', [covid, covid], [], 'MODEL_INVALID', 'two classifiers tell COVID-19'],
])('a rule %s is refused', (_name, classifiers, given, code, text) =>
  expect(() => findingRules(classifiers, { rules: rules(given) })).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(text) as string }),
  ),
);

test('of two findings with the same code one may be off', () =>
  expect(findingRules([several, recoded], { rules: rules([{ finding: 'infiltrate', mode: 'off' }]) })[1]).toEqual([
    null,
  ]));

test('two rules for one finding are refused', () =>
  expect(() => rules([{ finding: 'a' }, { finding: 'a' }])).toThrow('name a finding twice'));
