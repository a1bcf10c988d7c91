import type { Attributes } from '../dicom/attributes';
import { isUnknownSet } from '../dicom/charset';
import type { Code } from '../dicom/code';
import type { Dataset } from '../dicom/dataset';
import { patientOrientation, turnOf } from '../dicom/patient-orientation';
import { clean, plain, refuse } from '../dicom/sanitise';
import { deriveUid, parseUid, type Uid } from '../dicom/uid';
import type { Warning } from '../events/closed-lists';
import type { Finding } from '../events/finding';
import { leadingIndex, priorityOf } from '../finding/finding';
import { findingStatement, notAnalysedStatement, RESEARCH_USE, WARNING_TEXTS } from '../finding/wording';
import {
  type AnalysisIdentity,
  checkIdentity,
  classifierOf,
  deviceUid,
  equipmentModule,
  isShare,
  localMoment,
  type ObjectUids,
  resultUids,
} from './analysis';
import { CODES, codingSchemes, MODALITY_CODES } from './codes';
import { closed } from './graphic';
import { type ResultObject, SOP_CLASSES } from './sop-classes';
import {
  codedItem,
  container,
  type ContentItem,
  imageItem,
  type ImageReference,
  numberItem,
  type Point,
  regionItem,
  textItem,
  uidItem,
} from './sr-content';
import { sourceReference, type SourceReference, studyModule } from './study-module';

/**
 * Beginning of the Series Description of every report in all versions, by which results of other versions are
 * recognised. Never change it.
 */
export const REPORT_NAME = 'Hilum report';

export const SR_CLASSES = {
  'comprehensive-3d': parseUid('1.2.840.10008.5.1.4.1.1.88.34'),
  comprehensive: parseUid('1.2.840.10008.5.1.4.1.1.88.33'),
} as const;

/** Prefixes in the Algorithm Parameters (TID 4019) that report-reader.ts reads back. */
export const REPORT_PARAMETERS = {
  operatingPoint: 'operating-point=',
  label: 'positive-class=',
  mode: 'mode=',
  priority: 'priority=',
} as const;

export type View = 'frontal' | 'lateral';

/** A finding, and the region where the network looked. */
interface ReportFinding {
  readonly finding: Finding;
  /** The hottest region, in source pixels. */
  readonly region: readonly Point[];
}

export type ReportContent =
  | {
      readonly outcome: 'analysed';
      readonly view: View;
      /** In the order of the analysis. */
      readonly findings: readonly ReportFinding[];
      /** Lung pixels / film pixels, 0..1. */
      readonly lungFraction: number;
      /** Objects written beside the report, in the order of storing. */
      readonly objects: readonly ResultObject[];
      /** Warnings for the reader. */
      readonly warnings?: readonly Warning[];
      /** Sentences about the film from other sources. */
      readonly remarks?: readonly string[];
    }
  | {
      readonly outcome: 'not-analysed';
      readonly reason: string;
      readonly reasonText: string;
      readonly view: View | null;
      readonly lungFraction: number | null;
      readonly remarks?: readonly string[];
    };

const SERIES_NUMBER = '9902';

/**
 * The result as a Structured Report by TID 1500, in a series of its own. A film that was not analysed gets a report
 * with the reason, so that nobody takes a missing result for a normal one. Each measurement group has a region: OHIF
 * shows a blank viewport without one, and DicomSRValidator requires it.
 * @throws HilumError ENCODE_FAILED when the content, the film's UIDs or the identity can't make a valid object
 */
export function buildStructuredReport(source: Attributes, content: ReportContent, identity: AnalysisIdentity): Dataset {
  checkIdentity(identity);
  checkContent(content);
  const film = sourceReference(source);
  const uids = resultUids(film.studyInstanceUid, film.sopInstanceUid, identity);
  const { date, time, offset } = localMoment(identity.startedAt, source);
  return {
    SOPClassUID: SR_CLASSES[identity.srClass],
    SOPInstanceUID: uids.report.instance,
    ...studyModule(source),
    ...equipmentModule(identity),
    ...offset,
    CodingSchemeIdentificationSequence: codingSchemes(),
    Modality: 'SR',
    SeriesInstanceUID: uids.report.series,
    SeriesNumber: SERIES_NUMBER,
    SeriesDate: date,
    SeriesTime: time,
    SeriesDescription: `${REPORT_NAME} - ${RESEARCH_USE.seriesDescription}`,
    ReferencedPerformedProcedureStepSequence: [],
    InstanceNumber: '1',
    CompletionFlag: 'COMPLETE',
    // No person has verified it (PS3.3 section C.17.2).
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    ContentQualification: 'RESEARCH',
    ContentDate: date,
    ContentTime: time,
    PerformedProcedureCodeSequence: [],
    ...predecessors(film, identity),
    CurrentRequestedProcedureEvidenceSequence: [evidence(film, references(film, content, identity))],
    ...documentRoot(source, film, content, identity),
  };
}

/**
 * Predecessor Documents (PS3.3 section C.17.2): the film's reports that this one replaces, because the content has
 * changed or the film was analysed again.
 */
function predecessors({ studyInstanceUid }: SourceReference, { film }: AnalysisIdentity): Dataset {
  if (film === undefined || film.predecessors.length === 0) return {};
  const series = film.predecessors.map((report) => seriesItem(report.seriesInstanceUid, report));
  return {
    PredecessorDocumentsSequence: [{ StudyInstanceUID: studyInstanceUid, ReferencedSeriesSequence: series }],
  };
}

/** One instance in the Hierarchical Series Reference macro (PS3.3 table C.17-3a). */
function seriesItem(series: Uid, image: ImageReference): Dataset {
  return {
    SeriesInstanceUID: series,
    ReferencedSOPSequence: [
      { ReferencedSOPClassUID: image.sopClassUid, ReferencedSOPInstanceUID: image.sopInstanceUid },
    ],
  };
}

interface ObjectReference extends ImageReference, ObjectUids {
  readonly object: ResultObject;
}

function references(film: SourceReference, content: ReportContent, identity: AnalysisIdentity): ObjectReference[] {
  if (content.outcome === 'not-analysed') return [];
  const uids = resultUids(film.studyInstanceUid, film.sopInstanceUid, identity);
  return content.objects.map((object) => ({
    object,
    ...uids[object],
    sopClassUid: SOP_CLASSES[object],
    sopInstanceUid: uids[object].instance,
  }));
}

/**
 * Evidence (PS3.3 section C.17.2): every instance that the content refers to, by study and series. {@link readReport}
 * takes all of it but the film for results.
 */
function evidence(film: SourceReference, objects: readonly ObjectReference[]): Dataset {
  return {
    StudyInstanceUID: film.studyInstanceUid,
    ReferencedSeriesSequence: [
      seriesItem(film.seriesInstanceUid, film),
      ...objects.map((object) => seriesItem(object.series, object)),
    ],
  };
}

function documentRoot(
  source: Attributes,
  film: SourceReference,
  content: ReportContent,
  identity: AnalysisIdentity,
): ContentItem {
  return container(null, CODES.imagingMeasurementReport, '1500', [
    codedItem('HAS CONCEPT MOD', CODES.language, CODES.americanEnglish),
    ...observer(identity),
    // The procedure that made the film, not the analysis (IHE AIR).
    codedItem('HAS CONCEPT MOD', CODES.procedureReported, CODES.imagingProcedure),
    imageLibrary(source, film, references(film, content, identity)),
    container('CONTAINS', CODES.imagingMeasurements, null, measurementGroups(source, film, content, identity)),
    container('CONTAINS', CODES.qualitativeEvaluations, null, [
      ...evaluations(content, identity),
      ...remarks(source, content),
    ]),
  ]);
}

/** TID 1004 */
function observer(identity: AnalysisIdentity): ContentItem[] {
  const { name, manufacturer, model } = identity.device;
  return [
    codedItem('HAS OBS CONTEXT', CODES.observerType, CODES.device),
    uidItem('HAS OBS CONTEXT', CODES.deviceObserverUid, deviceUid(identity)),
    textItem('HAS OBS CONTEXT', CODES.deviceObserverName, name),
    textItem('HAS OBS CONTEXT', CODES.deviceObserverManufacturer, manufacturer),
    textItem('HAS OBS CONTEXT', CODES.deviceObserverModel, model),
    textItem('HAS OBS CONTEXT', CODES.deviceObserverSerial, identity.softwareVersion),
  ];
}

/**
 * TID 1600: the film in the first group, which a reader looks for, and in a second one the images that programs read.
 * They can't be in the measurement group: a Referenced Segmentation Frame would replace the region (TID 1410), and OHIF
 * shows nothing without a region.
 */
function imageLibrary(source: Attributes, film: SourceReference, objects: readonly ObjectReference[]): ContentItem {
  const modality = MODALITY_CODES[clean('CS', source.Modality)];
  const films = [
    ...(modality ? [codedItem('HAS ACQ CONTEXT', CODES.modality, modality)] : []),
    imageItem('CONTAINS', null, film),
  ];
  const derived = objects
    .filter(({ object }) => object === 'segmentation' || object === 'parametricMap')
    .map((reference) => imageItem('CONTAINS', null, reference));
  const groups = [films, derived].filter((group) => group.length > 0);
  return container(
    'CONTAINS',
    CODES.imageLibrary,
    null,
    groups.map((group) => container('CONTAINS', CODES.imageLibraryGroup, null, group)),
  );
}

/** TID 1410: a group for each finding, or one saying that the film was not analysed. */
function measurementGroups(
  source: Attributes,
  film: SourceReference,
  content: ReportContent,
  identity: AnalysisIdentity,
): ContentItem[] {
  if (content.outcome === 'not-analysed') return [notAnalysedGroup(source, film, identity)];
  return content.findings.map((found, index) => findingGroup(found, index, film, content, identity));
}

function findingGroup(
  { finding, region }: ReportFinding,
  index: number,
  film: SourceReference,
  content: ReportContent,
  identity: AnalysisIdentity,
): ContentItem {
  const isShown =
    content.outcome === 'analysed' && index === leadingIndex(content.findings.map((found) => found.finding));
  const pictures = isShown ? references(film, content, identity).filter(({ object }) => object === 'heatMap') : [];
  return measurementGroup({
    label: 'Region of greatest class activation',
    trackingUid: trackingUid(film, identity, ['analysed', ...(index > 0 ? [String(index)] : [])]),
    finding: finding.code,
    region: regionItem('CONTAINS', CODES.imageRegion, closed(region), film),
    pictures: pictures.map((picture) => imageItem('CONTAINS', CODES.illustrationOfRoi, picture)),
    algorithm: algorithm(...classifierAlgorithm(finding, index, identity)),
    measured: [numberItem('CONTAINS', CODES.probability, percentOf(finding.probability), CODES.percent)],
  });
}

/** As DS. Exactly 0 or 100 only where the probability is: anything else would claim absence or certainty. */
function percentOf(probability: number): string {
  const percent = probability * 100;
  const text = percent.toFixed(6);
  if (Number(text) === 0 && probability > 0) return percent.toPrecision(6);
  return Number(text) === 100 && probability < 1 ? Math.min(percent, GREATEST_BELOW_100).toFixed(13) : text;
}

/** With the 16 characters of a DS. */
const GREATEST_BELOW_100 = 99.9999999999999;

function notAnalysedGroup(source: Attributes, film: SourceReference, identity: AnalysisIdentity): ContentItem {
  return measurementGroup({
    label: 'Whole film, not analysed',
    trackingUid: trackingUid(film, identity, ['not-analysed']),
    finding: CODES.presenceUndetermined,
    region: regionItem('CONTAINS', CODES.imageRegion, filmOutline(source), film),
    pictures: [],
    algorithm: algorithm(`${identity.device.name} film checks`, identity.softwareVersion, []),
    measured: [],
  });
}

function trackingUid(film: SourceReference, identity: AnalysisIdentity, parts: readonly string[]): Uid {
  return deriveUid([
    'tracking',
    resultUids(film.studyInstanceUid, film.sopInstanceUid, identity).report.instance,
    ...parts,
  ]);
}

interface MeasurementGroup {
  readonly label: string;
  readonly trackingUid: Uid;
  readonly finding: Code;
  readonly region: ContentItem;
  readonly pictures: readonly ContentItem[];
  readonly algorithm: readonly ContentItem[];
  readonly measured: readonly ContentItem[];
}

/** TID 1410, with its children in the order of the template. */
function measurementGroup(group: MeasurementGroup): ContentItem {
  return container('CONTAINS', CODES.measurementGroup, '1410', [
    textItem('HAS OBS CONTEXT', CODES.trackingIdentifier, group.label),
    uidItem('HAS OBS CONTEXT', CODES.trackingUniqueIdentifier, group.trackingUid),
    codedItem('CONTAINS', CODES.finding, group.finding),
    group.region,
    ...group.pictures,
    codedItem('HAS CONCEPT MOD', CODES.findingSite, CODES.lung),
    ...group.algorithm,
    ...group.measured,
  ]);
}

/**
 * The operating point is a parameter in words: (111071, DCM, "CAD Operating Point") is the index of a discrete point on
 * the curve, and a probability in it would be misread. report-reader.ts reads the parameters back.
 */
function classifierAlgorithm(
  { operatingPoint, label, mode }: Finding,
  index: number,
  identity: AnalysisIdentity,
): Parameters<typeof algorithm> {
  const rule = identity.findings[index] ?? refuse(`the analysis does not look for ${label}`);
  const model = classifierOf(identity, rule);
  const parameters = [
    `${REPORT_PARAMETERS.operatingPoint}${operatingPoint}`,
    `${REPORT_PARAMETERS.label}${label}`,
    `weights-sha256=${model.sha256}`,
    ...(model.input === undefined ? [] : [`input=${plain(model.input)}`]),
    ...(mode === 'live' ? [] : [`${REPORT_PARAMETERS.mode}${mode}`]),
    ...(rule.priority === 'routine' ? [`${REPORT_PARAMETERS.priority}${rule.priority}`] : []),
  ];
  return [model.title, model.version, parameters];
}

/** TID 4019 */
function algorithm(name: string, version: string, parameters: readonly string[]): ContentItem[] {
  return [
    textItem('HAS CONCEPT MOD', CODES.algorithmName, name),
    textItem('HAS CONCEPT MOD', CODES.algorithmVersion, version),
    ...parameters.map((parameter) => textItem('HAS CONCEPT MOD', CODES.algorithmParameters, parameter)),
    codedItem('HAS CONCEPT MOD', CODES.algorithmFamily, CODES.artificialIntelligence),
  ];
}

/**
 * TID 1500 rows 12-14: what concerns the whole film, in words for people and in exact values for programs
 * (report-reader.ts).
 */
function evaluations(content: ReportContent, identity: AnalysisIdentity): ContentItem[] {
  const say = (concept: Parameters<typeof textItem>[1], value: string) => textItem('CONTAINS', concept, value);
  const view = content.view === null ? [] : [codedItem('CONTAINS', CODES.imageView, CODES[content.view])];
  return [
    ...undetermined(content, identity),
    ...view,
    say(CODES.comment, RESEARCH_USE.statement),
    say(CODES.summary, summaryOf(content)),
    say(CODES.outcome, content.outcome),
    ...facts(content).map(([concept, value]) => say(concept, value)),
    ...(content.lungFraction === null ? [] : [say(CODES.lungFraction, String(content.lungFraction))]),
    ...identity.models.map(({ id, version, sha256 }) => say(CODES.model, `${id} ${version} ${sha256}`)),
    ...digests(identity).map(([concept, value]) => say(concept, value)),
  ];
}

/** Digests of the content, to notice when it changes under the film's UID. */
function digests({ film }: AnalysisIdentity): (readonly [Code, string])[] {
  if (!film?.digest) return [];
  const { encoded, decoded } = film.digest;
  return [...(decoded === null ? [] : [[CODES.decodedDigest, decoded] as const]), [CODES.encodedDigest, encoded]];
}

/** For a film that was not analysed, the report says of each finding that it is undetermined. */
function undetermined({ outcome }: ReportContent, { findings }: AnalysisIdentity): ContentItem[] {
  if (outcome === 'analysed') return [];
  return findings.map(({ code }) => codedItem('CONTAINS', code, CODES.presenceUndetermined));
}

/** Exact probabilities, in the order of the measurement groups. */
function facts(content: ReportContent): (readonly [Code, string])[] {
  if (content.outcome === 'not-analysed')
    return [
      [CODES.reason, plain(content.reason)],
      [CODES.reasonText, plain(content.reasonText)],
    ];
  const findings = content.findings.map(({ finding }) => finding);
  const priority = priorityOf(findings);
  return [
    ...findings.map(({ probability }) => [CODES.exactProbability, String(probability)] as const),
    ...(priority === null ? [] : [[CODES.priority, priority] as const]),
    ...warningsOf(content).map((warning) => [CODES.warning, warning] as const),
  ];
}

/** Remarks that help the reader to judge the result. */
function remarks(source: Attributes, content: ReportContent): ContentItem[] {
  const { outcome } = content;
  const burnedIn =
    clean('CS', source.BurnedInAnnotation) === 'YES'
      ? ['The film has text burned into its pixels, which the models may take for a finding.']
      : [];
  const turned =
    outcome === 'analysed' && Object.values(turnOf(source)).includes(true)
      ? [
          `The film was turned for the analysis, from ${patientOrientation(source)?.join('/')} to L/F (row ` +
            'direction/column direction). Coordinates are those of the stored pixels.',
        ]
      : [];
  const warned = warningsOf(content).map((warning) => plain(WARNING_TEXTS[warning]));
  const further = (content.remarks ?? []).map(plain);
  return [...warned, ...further, ...burnedIn, ...turned, ...unread(source)].map((remark) =>
    textItem('CONTAINS', CODES.remark, remark),
  );
}

function unread({ SpecificCharacterSet }: Attributes): string[] {
  const terms: unknown[] = [SpecificCharacterSet].flat();
  return isUnknownSet(terms.map((term) => (typeof term === 'string' ? term : '')))
    ? ['The film names a character set that is not known. Characters of its header that could not be read are U+FFFD.']
    : [];
}

function warningsOf(content: ReportContent): readonly Warning[] {
  return content.outcome === 'analysed' ? (content.warnings ?? []) : [];
}

/** The result, one sentence for each finding. */
export function summaryOf(content: ReportContent): string {
  if (content.outcome === 'not-analysed') return notAnalysedStatement(uncapitalised(plain(content.reasonText)));
  return content.findings.map(({ finding }) => findingStatement(finding)).join(' ');
}

function uncapitalised(sentence: string): string {
  return /^[A-Z][a-z ]/.test(sentence) ? sentence[0]!.toLowerCase() + sentence.slice(1) : sentence;
}

function checkContent(content: ReportContent): void {
  const { lungFraction } = content;
  if (lungFraction !== null && !isShare(lungFraction)) refuse(`the lung fraction ${lungFraction} is not within 0 to 1`);
  if (content.outcome === 'not-analysed') {
    if (plain(content.reason) === '' || plain(content.reasonText) === '')
      refuse('there is no reason why the film was not analysed');
    return;
  }
  if (content.findings.length === 0) refuse('the film was analysed without a finding');
  for (const { finding, region } of content.findings) {
    if (!isShare(finding.probability)) refuse(`the probability ${finding.probability} is not within 0 to 1`);
    if (region.length < 3 || !region.flat().every(Number.isFinite)) refuse('the region is no polygon');
  }
}

/** Outline of the whole film, or of its first pixel where the size is unknown (such as an unreadable file). */
function filmOutline(source: Attributes): Point[] {
  const size = (value: unknown) =>
    typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 0xffff ? value : 1;
  const [columns, rows] = [size(source.Columns), size(source.Rows)];
  return [
    [0, 0],
    [columns, 0],
    [columns, rows],
    [0, rows],
    [0, 0],
  ];
}
