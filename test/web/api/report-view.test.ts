import { readPart10 } from '../../../src/dicom/read';
import { buildStructuredReport } from '../../../src/objects/structured-report';
import { writePart10 } from '../../../src/objects/write';
import { reportView } from '../../../src/web/api/report-view';
import { BARE_FILM, IDENTITY } from '../../support/broker/outcomes';
import { withProbability } from '../../support/records/report-content';

test.each([
  [0.0003, '< 0.1 %'],
  [0.9999, '> 99.9 %'],
  [0.25, '25.0 %'],
])('a measured probability of %d is shown as %s, never as certainty or absence', (probability, shown) => {
  const object = writePart10(buildStructuredReport(BARE_FILM, withProbability(probability), IDENTITY));
  const { statements } = reportView(readPart10(object).attributes, null, { segmentation: null, heatMap: null });
  expect(statements.map(({ value }) => value)).toContain(shown);
});
