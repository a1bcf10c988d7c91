import type { Attributes } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import { patientOrientation, turnOf } from '../dicom/patient-orientation';
import { clean, plain, refuse } from '../dicom/sanitise';
import { deriveUid, parseUid, type Uid } from '../dicom/uid';
import {
  type AnalysisIdentity,
  type AnalysisModel,
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
 * How the Series Description of every report of ours begins, in all versions: results of another version are known by
 * it. Never change it.
 */
export const REPORT_NAME = 'Hilum report';

export const SR_CLASSES = {
  'comprehensive-3d': parseUid('1.2.840.10008.5.1.4.1.1.88.34'),
  comprehensive: parseUid('1.2.840.10008.5.1.4.1.1.88.33'),
} as const;

export const RESEARCH_STATEMENT = 'Research use only - not for diagnosis. Unverified.';

export type View = 'frontal' | 'lateral';

export type ReportContent =
  | {
      readonly outcome: 'analysed';
      readonly view: View;
      /** Of the classifier's positive class, 0..1. */
      readonly probability: number;
      /** Lung pixels / film pixels, 0..1. */
      readonly lungFraction: number;
      /** The hottest region, in source pixels. */
      readonly region: readonly Point[];
      /** What is written beside the report, in the order of storing. */
      readonly objects: readonly ResultObject[];
      /** What a reader is warned of: a code for programs and a sentence for people. */
      readonly warnings?: readonly { readonly code: string; readonly text: string }[];
    }
  | {
      readonly outcome: 'not-analysed';
      readonly reason: string;
      readonly reasonText: string;
      readonly view: View | null;
      readonly lungFraction: number | null;
    };

const SERIES_NUMBER = '9902';

/**
 * The result as a Structured Report by TID 1500, in a series of its own. What was not analysed is said as well, with
 * its reason, so that nobody takes silence for an all-clear. One measurement group with one region: OHIF shows a blank
 * viewport without any, and DicomSRValidator wants one in each.
 * @throws HilumError ENCODE_FAILED when the content, the film's UIDs or the identity cannot make a valid object.
 */
export function buildStructuredReport(source: Attributes, content: ReportContent, identity: AnalysisIdentity): Dataset {
  checkIdentity(identity);
  checkContent(content);
  const film = sourceReference(source);
  const uids = resultUids(film.sopInstanceUid, identity);
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
    SeriesDescription: `${REPORT_NAME} - RESEARCH USE, NOT FOR DIAGNOSIS`,
    ReferencedPerformedProcedureStepSequence: [],
    InstanceNumber: '1',
    CompletionFlag: 'COMPLETE',
    // Nobody has read it: PS3.3 section C.17.2.
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    ContentQualification: 'RESEARCH',
    ContentDate: date,
    ContentTime: time,
    PerformedProcedureCodeSequence: [],
    CurrentRequestedProcedureEvidenceSequence: [evidence(film, references(film, content, identity))],
    ...documentRoot(source, film, content, identity),
  };
}

interface ObjectReference extends ImageReference, ObjectUids {
  readonly object: ResultObject;
}

function references(film: SourceReference, content: ReportContent, identity: AnalysisIdentity): ObjectReference[] {
  if (content.outcome === 'not-analysed') return [];
  const uids = resultUids(film.sopInstanceUid, identity);
  return content.objects.map((object) => ({
    object,
    ...uids[object],
    sopClassUid: SOP_CLASSES[object],
    sopInstanceUid: uids[object].instance,
  }));
}

/**
 * PS3.3 section C.17.2: every instance that the content refers to, by study and series; {@link readReport} takes what
 * is here but the film for the results.
 */
function evidence(film: SourceReference, objects: readonly ObjectReference[]): Dataset {
  const entry = (series: Uid, image: ImageReference) => ({
    SeriesInstanceUID: series,
    ReferencedSOPSequence: [
      { ReferencedSOPClassUID: image.sopClassUid, ReferencedSOPInstanceUID: image.sopInstanceUid },
    ],
  });
  return {
    StudyInstanceUID: film.studyInstanceUid,
    ReferencedSeriesSequence: [
      entry(film.seriesInstanceUid, film),
      ...objects.map((object) => entry(object.series, object)),
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
    // The procedure that was imaged, not our own analysis (IHE AIR).
    codedItem('HAS CONCEPT MOD', CODES.procedureReported, CODES.imagingProcedure),
    imageLibrary(source, film, references(film, content, identity)),
    container('CONTAINS', CODES.imagingMeasurements, null, [measurementGroup(source, film, content, identity)]),
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
 * TID 1600: the film in the first group, by which a reader knows it, and in a second the images that programs read.
 * They can't stand in the measurement group, where a Referenced Segmentation Frame would take the place of the region
 * (TID 1410), and OHIF shows nothing without a region.
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

/** TID 1410, with its children in the order of the template. */
function measurementGroup(
  source: Attributes,
  film: SourceReference,
  content: ReportContent,
  identity: AnalysisIdentity,
): ContentItem {
  const uids = resultUids(film.sopInstanceUid, identity);
  const analysed = content.outcome === 'analysed';
  const label = analysed ? 'Region of greatest class activation' : 'Whole film, not analysed';
  return container('CONTAINS', CODES.measurementGroup, '1410', [
    textItem('HAS OBS CONTEXT', CODES.trackingIdentifier, label),
    uidItem(
      'HAS OBS CONTEXT',
      CODES.trackingUniqueIdentifier,
      deriveUid(['tracking', uids.report.instance, content.outcome]),
    ),
    codedItem('CONTAINS', CODES.finding, analysed ? identity.classifier.positive.code : CODES.presenceUndetermined),
    regionItem('CONTAINS', CODES.imageRegion, analysed ? closed(content.region) : filmOutline(source), film),
    ...references(film, content, identity)
      .filter(({ object }) => object === 'heatMap')
      .map((picture) => imageItem('CONTAINS', CODES.illustrationOfRoi, picture)),
    codedItem('HAS CONCEPT MOD', CODES.findingSite, CODES.lung),
    ...algorithm(content, identity),
    ...(analysed
      ? [numberItem('CONTAINS', CODES.probability, (content.probability * 100).toFixed(6), CODES.percent)]
      : []),
  ]);
}

/**
 * TID 4019. The operating point is a parameter in words: (111071, DCM, "CAD Operating Point") would be the index of a
 * discrete point on the curve, and a probability put there would be misread.
 */
function algorithm(content: ReportContent, identity: AnalysisIdentity): ContentItem[] {
  const model = classifierOf(identity);
  const { threshold, positive } = identity.classifier;
  const [name, version, parameters] =
    content.outcome === 'analysed'
      ? [
          model.title,
          model.version,
          [
            `operating-point=${threshold}`,
            `positive-class=${positive.label}`,
            `weights-sha256=${model.sha256}`,
            ...input(model),
          ],
        ]
      : [`${identity.device.name} film checks`, identity.softwareVersion, []];
  return [
    textItem('HAS CONCEPT MOD', CODES.algorithmName, name),
    textItem('HAS CONCEPT MOD', CODES.algorithmVersion, version),
    ...parameters.map((parameter) => textItem('HAS CONCEPT MOD', CODES.algorithmParameters, parameter)),
    codedItem('HAS CONCEPT MOD', CODES.algorithmFamily, CODES.artificialIntelligence),
  ];
}

function input(model: AnalysisModel): string[] {
  return model.input === undefined ? [] : [`input=${plain(model.input)}`];
}

/**
 * TID 1500 rows 12-14: what concerns the film as a whole, in words for people and exactly for programs
 * (report-reader.ts).
 */
function evaluations(content: ReportContent, identity: AnalysisIdentity): ContentItem[] {
  const { positive, threshold } = identity.classifier;
  const say = (concept: Parameters<typeof textItem>[1], value: string) => textItem('CONTAINS', concept, value);
  const undetermined =
    content.outcome === 'not-analysed' ? [codedItem('CONTAINS', positive.code, CODES.presenceUndetermined)] : [];
  const view = content.view === null ? [] : [codedItem('CONTAINS', CODES.imageView, CODES[content.view])];
  const facts =
    content.outcome === 'analysed'
      ? [
          say(CODES.exactProbability, String(content.probability)),
          say(CODES.priority, content.probability >= threshold ? 'urgent' : 'routine'),
          ...warningsOf(content).map(({ code }) => say(CODES.warning, plain(code))),
        ]
      : [say(CODES.reason, plain(content.reason)), say(CODES.reasonText, plain(content.reasonText))];
  return [
    ...undetermined,
    ...view,
    say(CODES.comment, RESEARCH_STATEMENT),
    say(CODES.summary, summaryOf(content, identity)),
    say(CODES.outcome, content.outcome),
    ...facts,
    ...(content.lungFraction === null ? [] : [say(CODES.lungFraction, String(content.lungFraction))]),
    ...identity.models.map(({ id, version, sha256 }) => say(CODES.model, `${id} ${version} ${sha256}`)),
  ];
}

/** What a reader should know of the film to judge the result. */
function remarks(source: Attributes, content: ReportContent): ContentItem[] {
  const { outcome } = content;
  const burnedIn =
    clean('CS', source.BurnedInAnnotation) === 'YES'
      ? ['The film has text burned into its pixels, which the models may take for a finding.']
      : [];
  const turned =
    outcome === 'analysed' && Object.values(turnOf(source)).includes(true)
      ? [
          `The film was turned for the analysis, from ${patientOrientation(source)?.join('/')} to L/F (row direction/column direction). Coordinates are those of the stored pixels.`,
        ]
      : [];
  const warned = warningsOf(content).map(({ text }) => plain(text));
  return [...warned, ...burnedIn, ...turned].map((remark) => textItem('CONTAINS', CODES.remark, remark));
}

function warningsOf(content: ReportContent): readonly { readonly code: string; readonly text: string }[] {
  return content.outcome === 'analysed' ? (content.warnings ?? []) : [];
}

/** The result in one sentence. It never says that something is absent: below the operating point nothing is known. */
export function summaryOf(content: ReportContent, identity: AnalysisIdentity): string {
  if (content.outcome === 'not-analysed') return `Not analysed because ${uncapitalised(plain(content.reasonText))}`;
  const { positive, threshold } = identity.classifier;
  const [probability, point] = percentages(content.probability, threshold);
  const reached = content.probability >= threshold;
  const relation = reached
    ? `at or above the operating point (${point} %).`
    : `below the operating point (${point} %): no statement about absence.`;
  return `Probability of ${positive.label} ${probability} %, ${relation}`;
}

/** Two shares in per cent, with one decimal, or with as many more as it takes to tell them apart. */
export function percentages(a: number, b: number): [string, string] {
  const digits =
    [1, 2, 3, 4, 5, 6].find((count) => a === b || (a * 100).toFixed(count) !== (b * 100).toFixed(count)) ?? 6;
  return [percentage(a, digits), percentage(b, digits)];
}

/** Never 0 and never 100 by rounding: neither absence nor certainty is claimed. */
function percentage(share: number, digits: number): string {
  const least = (1 / 10 ** digits).toFixed(digits);
  const text = (share * 100).toFixed(digits);
  if (Number(text) === 0) return `< ${least}`;
  return Number(text) === 100 ? `> ${(100 - Number(least)).toFixed(digits)}` : text;
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
  if (!isShare(content.probability)) refuse(`the probability ${content.probability} is not within 0 to 1`);
  if (content.region.length < 3 || !content.region.flat().every(Number.isFinite)) refuse('the region is no polygon');
}

/** The whole film, or its first pixel where the film does not say how large it is (as when it could not be read). */
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
