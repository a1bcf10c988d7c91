import { describeError, HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import type { Code } from '../dicom/code';
import type { ContentDigest } from '../dicom/content-digest';
import { readPart10 } from '../dicom/read';
import { parseUid, tryParseUid, type Uid } from '../dicom/uid';
import { type Finding, FINDING_MODES } from '../events/finding';
import { PRIORITIES, type Priority } from '../events/priority';
import { findingOf, priorityAt } from '../finding/finding';
import type { ReportReference } from './analysis';
import { CODES } from './codes';
import { REPORT_NAME, REPORT_PARAMETERS, type View } from './structured-report';

/** References in a report of any version of Hilum, which give its place among the film's reports. */
export interface ReportLinks {
  /** SOP Instance UID of the film. */
  readonly film: Uid;
  /** The study that the report was written for, by its evidence. Null where there is none. */
  readonly study: Uid | null;
  readonly report: ReportReference;
  /** Reports that it supersedes. */
  readonly predecessors: readonly ReportReference[];
  /** Digest of the film's content; null in a report of version 0.1. */
  readonly digest: ContentDigest | null;
  /** As {@link ReportReading.contentAt}. */
  readonly contentAt: number;
}

/** Content of a report of Hilum, exactly as written. */
export interface ReportReading {
  readonly sopInstanceUid: Uid;
  readonly outcome: 'analysed' | 'not-analysed';
  readonly reason: string | null;
  readonly reasonText: string | null;
  readonly view: View | null;
  /** In the order of the analysis; empty where the film was not analysed. */
  readonly findings: readonly Finding[];
  /** 0..1 */
  readonly lungFraction: number | null;
  readonly priority: Priority | null;
  /** Codes; their texts are among the remarks. */
  readonly warnings: readonly string[];
  /** Sentences for a radiologist. */
  readonly remarks: readonly string[];
  /** Series and SOP Class of the film; null where the report does not list it as evidence. */
  readonly film: { readonly sopClassUid: Uid; readonly seriesInstanceUid: Uid } | null;
  /**
   * Time of the report (milliseconds since 1970), to the second; 0 where it has none. Without a time zone, that of this
   * machine is used.
   */
  readonly contentAt: number;
  /** Version of the service that wrote it; '' where it is not stated. */
  readonly softwareVersion: string;
  readonly models: readonly { readonly id: string; readonly version: string; readonly sha256: string }[];
  /** Objects written beside the report, in the order of storing, and the report itself. */
  readonly outputs: readonly ReportReference[];
  readonly links: ReportLinks;
}

/**
 * Reads a report of Hilum, so that a repeated study event is answered from stored results. `sopInstanceUid` is the
 * film's.
 * @throws HilumError DICOM_UNREADABLE when it is no DICOM file or no report of Hilum
 */
export function readReport(report: Uint8Array | Attributes): ReportReading {
  const root = report instanceof Uint8Array ? readPart10(report).attributes : report;
  try {
    return read(root);
  } catch (cause) {
    throw new HilumError('DICOM_UNREADABLE', 'permanent', `not a report of this service: ${describeError(cause)}`, {
      cause,
    });
  }
}

function read(root: Attributes): ReportReading {
  const evaluations = children(child(root, CODES.qualitativeEvaluations));
  const text = (concept: Code) => textOf(evaluations.find((item) => isNamed(item, concept)));
  const share = (concept: Code) => shareOf(text(concept));
  const view = evaluations.find((item) => isNamed(item, CODES.imageView));
  const outcome = oneOf(text(CODES.outcome), ['analysed', 'not-analysed'] as const);
  const priority = text(CODES.priority) === null ? null : oneOf(text(CODES.priority), PRIORITIES);
  return {
    sopInstanceUid: filmOf(root),
    outcome,
    reason: text(CODES.reason),
    reasonText: text(CODES.reasonText),
    view: view === undefined ? null : viewOf(view),
    lungFraction: share(CODES.lungFraction),
    priority,
    warnings: evaluations.filter((item) => isNamed(item, CODES.warning)).map((item) => textOf(item) ?? ''),
    findings: outcome === 'analysed' ? findingsOf(root, evaluations, priority) : [],
    remarks: evaluations.filter((item) => isNamed(item, CODES.remark)).flatMap((item) => textOf(item) ?? []),
    film: evidenceOf(root).find(({ sopInstanceUid }) => sopInstanceUid === filmOf(root)) ?? null,
    contentAt: contentTime(root),
    softwareVersion: textOf(children(root).find((item) => isNamed(item, CODES.deviceObserverSerial))) ?? '',
    models: evaluations.filter((item) => isNamed(item, CODES.model)).map((item) => modelOf(textOf(item) ?? '')),
    outputs: outputsOf(root),
    links: linksOf(root),
  };
}

/**
 * References of a report of any version of Hilum, even where this version can't read all of it; null for anything else.
 */
export function reportLinks(report: Uint8Array): ReportLinks | null {
  try {
    const { attributes } = readPart10(report);
    return String(attributes.SeriesDescription).startsWith(REPORT_NAME) ? linksOf(attributes) : null;
  } catch {
    return null;
  }
}

function linksOf(root: Attributes): ReportLinks {
  const studies = sequence(root, 'CurrentRequestedProcedureEvidenceSequence');
  return {
    film: filmOf(root),
    study: tryParseUid(studies[0]?.StudyInstanceUID) ?? null,
    report: output(root.SOPClassUID, root.SeriesInstanceUID, root.SOPInstanceUID),
    predecessors: instancesIn(root, 'PredecessorDocumentsSequence'),
    digest: digestOf(root),
    contentAt: contentTime(root),
  };
}

function digestOf(root: Attributes): ContentDigest | null {
  const evaluations = children(named(root, CODES.qualitativeEvaluations) ?? {});
  const text = (concept: Code) => textOf(evaluations.find((item) => isNamed(item, concept)));
  const encoded = text(CODES.encodedDigest);
  return encoded === null ? null : { encoded, decoded: text(CODES.decodedDigest) };
}

function filmOf(root: Attributes): Uid {
  const group = child(child(root, CODES.imageLibrary), CODES.imageLibraryGroup);
  const image = children(group).find((item) => item.ValueType === 'IMAGE');
  return parseUid(sequence(image, 'ReferencedSOPSequence')[0]?.ReferencedSOPInstanceUID);
}

function outputsOf(root: Attributes): ReportReading['outputs'] {
  const film = filmOf(root);
  return [
    ...evidenceOf(root).filter(({ sopInstanceUid }) => sopInstanceUid !== film),
    output(root.SOPClassUID, root.SeriesInstanceUID, root.SOPInstanceUID),
  ];
}

/** References to the film and to the objects written of it. */
function evidenceOf(root: Attributes): ReportReading['outputs'] {
  return instancesIn(root, 'CurrentRequestedProcedureEvidenceSequence');
}

/** Hierarchical SOP Instance Reference macro (PS3.3 table C.17-3). */
function instancesIn(root: Attributes, keyword: string): ReportReading['outputs'] {
  const series = sequence(root, keyword).flatMap((study) => sequence(study, 'ReferencedSeriesSequence'));
  return series.flatMap((entry) =>
    sequence(entry, 'ReferencedSOPSequence').map((instance) =>
      output(instance.ReferencedSOPClassUID, entry.SeriesInstanceUID, instance.ReferencedSOPInstanceUID),
    ),
  );
}

/** The inverse of localMoment. */
function contentTime({ ContentDate, ContentTime, TimezoneOffsetFromUTC }: Attributes): number {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(String(ContentDate)) ?? [];
  const [, hour, minute, second] = /^(\d\d)(\d\d)(\d\d)/.exec(String(ContentTime)) ?? [];
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(String(TimezoneOffsetFromUTC)) ?? [];
  const at = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}${sign === undefined ? '' : `${sign}${hours}:${minutes}`}`,
  );
  return Number.isNaN(at) ? 0 : at;
}

/**
 * Each finding has a measurement group (TID 1410) with its algorithm (TID 4019); the exact probabilities follow in the
 * same order. A report of an older version may lack group and algorithm, but not the probability.
 */
function findingsOf(root: Attributes, evaluations: readonly Attributes[], priority: Priority | null): Finding[] {
  const groups = measurementGroupsOf(root);
  const exact = evaluations
    .filter((item) => isNamed(item, CODES.exactProbability))
    .map((item) => shareOf(textOf(item)));
  return exact.flatMap((probability, index) =>
    probability === null ? [] : [readFinding(probability, groups[index] ?? {}, priority)],
  );
}

function readFinding(probability: number, group: Attributes, priority: Priority | null): Finding {
  const code = codeOf(sequence(named(group, CODES.finding), 'ConceptCodeSequence')[0] ?? {});
  const label = parameterOf(group, REPORT_PARAMETERS.label) ?? code.meaning;
  const operatingPoint = shareOf(parameterOf(group, REPORT_PARAMETERS.operatingPoint));
  const mode = FINDING_MODES.find((known) => known === parameterOf(group, REPORT_PARAMETERS.mode)) ?? 'live';
  const own = PRIORITIES.find((known) => known === parameterOf(group, REPORT_PARAMETERS.priority));
  if (operatingPoint !== null) return findingOf({ label, code, operatingPoint, mode, priority: own }, probability);
  // Without an operating point, the priority in the report decides.
  const atOrAbove = priority === 'urgent';
  return { label, code, probability, operatingPoint, atOrAbove, priority: priorityAt(atOrAbove), mode };
}

function measurementGroupsOf(root: Attributes): Attributes[] {
  const measurements = named(root, CODES.imagingMeasurements) ?? {};
  return children(measurements).filter((item) => isNamed(item, CODES.measurementGroup));
}

/** Value after `name` in the Algorithm Parameters; null where none begins with it. */
function parameterOf(group: Attributes, name: string): string | null {
  const parameters = children(group)
    .filter((item) => isNamed(item, CODES.algorithmParameters))
    .map(textOf);
  return parameters.find((parameter) => parameter?.startsWith(name))?.slice(name.length) ?? null;
}

/** The inverse of codeItem. */
export function codeOf(item: Attributes): Code {
  return {
    value: asText(item.CodeValue ?? item.LongCodeValue),
    scheme: asText(item.CodingSchemeDesignator),
    meaning: asText(item.CodeMeaning),
  };
}

const asText = (value: unknown) => String((value as string | number | null | undefined) ?? '');

function output(sopClass: unknown, series: unknown, instance: unknown): ReportReading['outputs'][number] {
  return { sopClassUid: parseUid(sopClass), seriesInstanceUid: parseUid(series), sopInstanceUid: parseUid(instance) };
}

function viewOf(item: Attributes): View {
  const value = sequence(item, 'ConceptCodeSequence')[0]?.CodeValue;
  if (value === CODES.frontal.value) return 'frontal';
  if (value === CODES.lateral.value) return 'lateral';
  throw new RangeError('unknown view');
}

function modelOf(text: string): ReportReading['models'][number] {
  const [id, version, sha256] = text.split(' ');
  if (!id || !version || !sha256) throw new RangeError('a model without id, version or digest');
  return { id, version, sha256 };
}

function shareOf(text: string | null): number | null {
  if (text === null) return null;
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new RangeError('a share beyond 0 to 1');
  return value;
}

function oneOf<T extends string>(text: string | null, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new RangeError(`none of ${words.join(', ')}`);
  return found;
}

function child(item: Attributes, concept: Code): Attributes {
  const found = named(item, concept);
  if (found === undefined) throw new RangeError(`no ${concept.meaning}`);
  return found;
}

function named(item: Attributes, concept: Code): Attributes | undefined {
  return children(item).find((candidate) => isNamed(candidate, concept));
}

function children(item: Attributes): Attributes[] {
  return sequence(item, 'ContentSequence');
}

function isNamed(item: Attributes, concept: Code): boolean {
  const name = sequence(item, 'ConceptNameCodeSequence')[0];
  return name?.CodeValue === concept.value && name.CodingSchemeDesignator === concept.scheme;
}

function textOf(item: Attributes | undefined): string | null {
  return typeof item?.TextValue === 'string' ? item.TextValue : null;
}

function sequence(item: Attributes | undefined, keyword: string): Attributes[] {
  return [item?.[keyword] ?? []].flat() as Attributes[];
}
