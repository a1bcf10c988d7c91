import type { Finding } from '../../../src/events/finding';
import { findingOf, type FindingRule } from '../../../src/finding/finding';

/** What the shipped classifier looks for. */
export const COVID: FindingRule = {
  label: 'COVID-19',
  code: { value: '840544004', scheme: 'SCT', meaning: 'Suspected disease caused by SARS-CoV-2' },
  operatingPoint: 0.4213,
  mode: 'live',
};

export const covid = (probability: number, change: Partial<FindingRule> = {}): Finding =>
  findingOf({ ...COVID, ...change }, probability);
