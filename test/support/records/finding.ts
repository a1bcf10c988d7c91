import type { Finding } from '../../../src/events/finding';
import { findingOf, type FindingRule } from '../../../src/finding/finding';

/** What the shipped classifier looks for. */
export const COVID: FindingRule = {
  label: 'COVID-19',
  code: { value: '840544004', scheme: 'SCT', meaning: 'Suspected disease caused by SARS-CoV-2' },
  operatingPoint: 0.4213,
  mode: 'live',
};

/** A finding in shadow, which nobody is told of. */
export const SHADOW: Finding = findingOf(
  {
    label: 'tuberculosis',
    code: { value: '56717001', scheme: 'SCT', meaning: 'Tuberculosis' },
    operatingPoint: 0.5,
    mode: 'shadow',
  },
  0.99,
);

export const covid = (probability: number, change: Partial<FindingRule> = {}): Finding =>
  findingOf({ ...COVID, ...change }, probability);
