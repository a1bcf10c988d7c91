import { resultUids, type AnalysisIdentity, type ResultUids } from '../dicom/analysis';
import type { Attributes } from '../dicom/attributes';
import type { EncodedObject } from '../dicom/part10';
import { readReport } from '../dicom/report-reader';
import { buildSecondaryCapture } from '../dicom/secondary-capture';
import { buildStructuredReport, type ReportContent } from '../dicom/structured-report';
import type { Dataset } from '../dicom/study-module';
import { parseUid } from '../dicom/uid';
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
  return {
    sopClassUid: parseUid(dataset.SOPClassUID),
    seriesInstanceUid: parseUid(dataset.SeriesInstanceUID),
    sopInstanceUid: parseUid(dataset.SOPInstanceUID),
    bytes: writePart10(dataset),
  };
}
