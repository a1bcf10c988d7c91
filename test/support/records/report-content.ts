import type { Attributes } from '../../../src/dicom/attributes';
import type { ReportContent } from '../../../src/objects/structured-report';
import { ellipse } from '../broker/outcomes';
import { covid } from './finding';

/**
 * What a report says of a film that was analysed, of one below the operating point, and of one that was not analysed.
 */
export const ANALYSED = {
  outcome: 'analysed',
  view: 'frontal',
  findings: [{ finding: covid(Math.fround(0.9731234)), region: ellipse(200, 150, 40, 30) }],
  lungFraction: 0.1 + 0.2,
  objects: ['heatMap'],
} satisfies ReportContent;
/** The analysed film with another probability of the finding. */
export const withProbability = (probability: number): ReportContent => ({
  ...ANALYSED,
  findings: [{ ...ANALYSED.findings[0]!, finding: covid(probability) }],
});
export const NOT_ANALYSED = {
  outcome: 'not-analysed',
  reason: 'lateral-view',
  reasonText: 'The film looks like a lateral view.',
  view: 'lateral',
  lungFraction: null,
} satisfies ReportContent;
export const BELOW = withProbability(0.02);
/** The first item, in depth, with that concept name. */
export function find(item: Attributes, codeValue: string): Attributes | undefined {
  const children = (item.ContentSequence ?? []) as Attributes[];
  const isIt = (candidate: Attributes) =>
    (candidate.ConceptNameCodeSequence as Attributes[] | undefined)?.[0]?.CodeValue === codeValue;
  return children.find(isIt) ?? children.map((child) => find(child, codeValue)).find((found) => found !== undefined);
}
