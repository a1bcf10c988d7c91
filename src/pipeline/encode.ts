import { HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import type { EncodedObject } from '../dicom/part10';
import { parseUid } from '../dicom/uid';
import type { FilmResult } from '../events/result-event';
import { BODY_PART_UNCLEAR, pixelRemark } from '../finding/wording';
import {
  type AnalysisIdentity,
  type AnalysisModel,
  resultUids,
  type ResultUids,
  wantedObjects,
} from '../objects/analysis';
import { filmResultOf } from '../objects/film-result';
import { buildParametricMap } from '../objects/parametric-map';
import { buildPresentationState } from '../objects/presentation-state';
import { readReport } from '../objects/report-reader';
import { buildSecondaryCapture } from '../objects/secondary-capture';
import { buildSegmentation } from '../objects/segmentation';
import type { ResultObject } from '../objects/sop-classes';
import { buildStructuredReport, type ReportContent } from '../objects/structured-report';
import { validateObject } from '../objects/validate';
import { writePart10 } from '../objects/write';
import { isBodyPartUnclear } from './check';
import { drawHeatMap } from './draw';
import { leadingExplanation } from './explain';
import { type ExplainedFilm, type FilmOutcome } from './stage';

export { resultUids };
export type { AnalysisIdentity, AnalysisModel, ResultUids };

/**
 * Encodes an outcome as DICOM objects: those that are switched on and, last, the report. They are stored in this order,
 * so that a stored report means that all objects are stored. A rejected film has no objects.
 * @throws HilumError ENCODE_FAILED when the film or the outcome can't make a valid object
 */
export function encode(outcome: FilmOutcome, analysis: AnalysisIdentity): EncodedObject[] {
  const identity = withContent(outcome, analysis);
  switch (outcome.outcome) {
    case 'analysed': {
      const source = outcome.explained.inferred.preprocessed.decoded.attributes;
      const built = wantedObjects(identity).flatMap((object) => {
        const dataset = BUILDERS[object](source, outcome.explained, identity);
        return dataset === null ? [] : [{ object, file: encoded(dataset) }];
      });
      const content = analysedContent(
        outcome.explained,
        built.map(({ object }) => object),
      );
      return [...built.map(({ file }) => file), report(source, content, identity)];
    }
    case 'not-analysed': {
      const { refusal, view, lungFraction, attributes } = outcome;
      const remarks = (outcome.remarks ?? []).map(pixelRemark);
      const [reason, reasonText] = [refusal.reason, refusal.text];
      return [
        report(attributes, { outcome: 'not-analysed', reason, reasonText, view, lungFraction, remarks }, identity),
      ];
    }
    case 'rejected':
      return [];
  }
}

/** A film without a known earlier result has the state of a first one. */
function withContent(outcome: FilmOutcome, identity: AnalysisIdentity): AnalysisIdentity {
  if (identity.film !== undefined || outcome.outcome === 'rejected' || outcome.content === undefined) return identity;
  return { ...identity, film: { digest: outcome.content, predecessors: [], isDistinct: false } };
}

/**
 * The result of a film from its stored report, equal to the original one.
 * @throws HilumError DICOM_UNREADABLE when it is no report of Hilum, or has a reason that this version does not know
 */
export function readResult(report: Uint8Array): FilmResult {
  const reading = readReport(report);
  const result = filmResultOf(reading);
  if (reading.reason !== null && result.reason === null)
    throw new HilumError('DICOM_UNREADABLE', 'permanent', 'the report gives a reason that this version does not know');
  return result;
}

/** Null where a kind of object does not apply to this film. */
const BUILDERS: Readonly<
  Record<ResultObject, (source: Attributes, explained: ExplainedFilm, identity: AnalysisIdentity) => Dataset | null>
> = {
  heatMap: (source, explained, identity) =>
    buildSecondaryCapture(source, drawHeatMap(explained, identity), identity, shownIn(explained).label),
  segmentation(source, { inferred: { lungs, preprocessed } }, identity) {
    const { rows, columns } = preprocessed.decoded.image;
    return buildSegmentation(source, { rows, columns, mask: lungs.mask }, identity);
  },
  parametricMap(source, explained, identity) {
    const { label, heat } = shownIn(explained);
    return buildParametricMap(source, heat, identity, label);
  },
  presentationState(source, explained, identity) {
    const { label, hotRegions } = shownIn(explained);
    return buildPresentationState(source, { lungOutlines: explained.lungOutlines, hotRegions }, identity, label);
  },
};

/** The finding that picture and maps show. */
function shownIn(explained: ExplainedFilm) {
  const { finding, ...activation } = leadingExplanation(explained);
  return { label: finding.label, ...activation };
}

function analysedContent(
  { inferred: { preprocessed, view, lungs, warnings = [] }, findings }: ExplainedFilm,
  objects: readonly ResultObject[],
): ReportContent {
  return {
    outcome: 'analysed',
    view: view.view,
    lungFraction: lungs.lungFraction,
    findings: findings.map(({ finding, hotRegions }) => ({ finding, region: hotRegions[0] ?? [] })),
    objects,
    warnings,
    remarks: [
      ...(isBodyPartUnclear(preprocessed.decoded.attributes) ? [BODY_PART_UNCLEAR] : []),
      ...(preprocessed.decoded.image.remarks ?? []).map(pixelRemark),
    ],
  };
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

/** Number of problems that an error names; further ones mostly follow from the first. */
const NAMED_PROBLEMS = 3;

/** Invalid objects are never sent: an archive may refuse them late, or store and pass them on. */
function refuseInvalid(bytes: Uint8Array): void {
  const problems = validateObject(bytes);
  if (problems.length === 0) return;
  const more = problems.length > NAMED_PROBLEMS ? `; and ${problems.length - NAMED_PROBLEMS} more` : '';
  throw new HilumError(
    'ENCODE_FAILED',
    'permanent',
    `the object made is not valid: ${problems.slice(0, NAMED_PROBLEMS).join('; ')}${more}`,
  );
}
