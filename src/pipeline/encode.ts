import { resultUids, type AnalysisIdentity, type ResultUids } from '../dicom/analysis';
import type { Attributes } from '../dicom/attributes';
import type { EncodedObject } from '../dicom/part10';
import { readReport } from '../dicom/report-reader';
import { buildSecondaryCapture } from '../dicom/secondary-capture';
import { buildStructuredReport, type ReportContent } from '../dicom/structured-report';
import type { Dataset } from '../dicom/study-module';
import { parseUid } from '../dicom/uid';
import { validateObject } from '../dicom/validate';
import { writePart10 } from '../dicom/write';
import { HilumError } from '../base/errors';
import { drawHeatMap } from './draw';
import { NOT_ANALYSED_REASONS, type ExplainedFilm, type FilmOutcome, type FilmResult } from './stage';

export { resultUids };
export type { AnalysisIdentity, ResultUids };

/**
 * What came of a film as DICOM objects, the heat map first and the report last: to be stored in this order, so that where a report is, all is.
 * A rejected film has no object.
 * @throws HilumError ENCODE_FAILED when the film or the outcome cannot make a valid object.
 */
export function encode(outcome: FilmOutcome, identity: AnalysisIdentity): EncodedObject[] {
  switch (outcome.outcome) {
    case 'analysed': {
      const source = outcome.explained.inferred.preprocessed.decoded.attributes;
      const picture = drawHeatMap(outcome.explained, identity);
      return [encoded(buildSecondaryCapture(source, picture, identity)), report(source, analysedContent(outcome.explained), identity)];
    }
    case 'not-analysed': {
      const { refusal, view, lungFraction, attributes } = outcome;
      return [report(attributes, { outcome: 'not-analysed', reason: refusal.reason, reasonText: refusal.text, view, lungFraction }, identity)];
    }
    case 'rejected':
      return [];
  }
}

/**
 * The result of a film as its stored report has it: the same as when it was made.
 * @throws HilumError DICOM_UNREADABLE when it is no report of ours.
 */
export function readResult(report: Uint8Array): FilmResult {
  const { sopInstanceUid, outcome, reason, reasonText, view, probability, lungFraction, outputs } = readReport(report);
  const known = NOT_ANALYSED_REASONS.find((candidate) => candidate === reason) ?? null;
  if (reason !== null && known === null) throw new HilumError('DICOM_UNREADABLE', 'permanent', 'the report gives a reason that this version does not know');
  return { sopInstanceUid, outcome, reason: known, reasonText, view, probability, lungFraction, outputs };
}

function analysedContent({ inferred, hotRegions }: ExplainedFilm): ReportContent {
  const { view, probability, lungs } = inferred;
  return { outcome: 'analysed', view: view.view, probability, lungFraction: lungs.lungFraction, region: hotRegions[0] ?? [] };
}

function report(source: Attributes, content: ReportContent, identity: AnalysisIdentity): EncodedObject {
  return encoded(buildStructuredReport(source, content, identity));
}

function encoded(dataset: Dataset): EncodedObject {
  const bytes = writePart10(dataset);
  refuseInvalid(bytes);
  return {
    sopClassUid: parseUid(dataset.SOPClassUID),
    seriesInstanceUid: parseUid(dataset.SeriesInstanceUID),
    sopInstanceUid: parseUid(dataset.SOPInstanceUID),
    bytes,
  };
}

/** How many problems an error names: the rest most often follows from the first. */
const NAMED_PROBLEMS = 3;

/** Nothing invalid is ever sent: an archive may refuse it at the worst time, or keep it and pass it on. */
function refuseInvalid(bytes: Uint8Array): void {
  const problems = validateObject(bytes);
  if (problems.length === 0) return;
  const more = problems.length > NAMED_PROBLEMS ? `; and ${problems.length - NAMED_PROBLEMS} more` : '';
  throw new HilumError('ENCODE_FAILED', 'permanent', `the object made is not valid: ${problems.slice(0, NAMED_PROBLEMS).join('; ')}${more}`);
}
