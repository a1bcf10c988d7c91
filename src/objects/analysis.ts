import type { Attributes } from '../dicom/attributes';
import type { ContentDigest } from '../dicom/content-digest';
import type { Dataset } from '../dicom/dataset';
import { clean, cut, plain, refuse } from '../dicom/sanitise';
import { deriveUid, type Uid } from '../dicom/uid';
import type { FindingRule } from '../finding/finding';
import { RESEARCH_USE } from '../finding/wording';
import { codeItem, CODES } from './codes';
import { RESULT_OBJECTS, type ResultObject } from './sop-classes';

/** A network with its version and digest. */
export interface AnalysisModel {
  readonly id: string;
  readonly version: string;
  /** Name for people, at most 64 characters. */
  readonly title: string;
  /** SHA-256 of the network file, hexadecimal. */
  readonly sha256: string;
  readonly task: 'view' | 'gate' | 'lungs' | 'classification' | 'audit';
  /** Description of the input in words, for the report's Algorithm Parameters. */
  readonly input?: string;
}

export interface AnalysisFinding extends FindingRule {
  /** Id of the network, one of {@link AnalysisIdentity.models}. */
  readonly model: string;
}

type SrClass = 'comprehensive-3d' | 'comprehensive';

/** Software, device, models and settings of an analysis: the part of a result that does not come from the film. */
export interface AnalysisIdentity {
  readonly softwareVersion: string;
  readonly device: { readonly name: string; readonly manufacturer: string; readonly model: string };
  /** Start of the analysis: Content Date and Time (IHE AIR). */
  readonly startedAt: Date;
  readonly models: readonly AnalysisModel[];
  /** Findings that are looked for, with the network of each. */
  readonly findings: readonly AnalysisFinding[];
  /**
   * SOP Class of the report: Comprehensive 3D SR is what IHE AIR asks for; Comprehensive SR is displayed by more
   * viewers.
   */
  readonly srClass: SrClass;
  /** Objects that are written beside the report of an analysed film. */
  readonly objects: Readonly<Record<ResultObject, boolean>>;
  /** Youngest patient whose films are analysed (years), where it is not the default. */
  readonly minimumAge?: number;
  /** Resolution at which JPEG 2000 is decoded, where it is not the full one. */
  readonly jpeg2000Resolution?: 'half';
  /** State of the film in work; absent where there is none. */
  readonly film?: FilmState;
}

/** Reference to an existing report. */
export interface ReportReference {
  readonly sopClassUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** Content of a film, and its earlier results. */
export interface FilmState {
  /** Null where it is unknown: only version 0.1 has read the film, and it was not fetched since. */
  readonly digest: ContentDigest | null;
  /** Reports that the new one supersedes. */
  readonly predecessors: readonly ReportReference[];
  /**
   * Digest and predecessors enter the UIDs, because the film was read with another content before, or an earlier result
   * has these UIDs. With the predecessors, a film that gets its first content back has a third result.
   */
  readonly isDistinct: boolean;
}

/** Objects that are written by default. */
const USUAL_OBJECTS: readonly ResultObject[] = ['heatMap'];

/** Raise it when the same analysis is to be written differently: all results get new UIDs and are stored again. */
const FORMAT_VERSION = 3;

export interface ObjectUids {
  readonly series: Uid;
  readonly instance: Uid;
}

/** Of every possible object, whether it is written or not. */
export type ResultUids = Readonly<Record<ResultObject | 'report', ObjectUids>>;

/**
 * UIDs of a film's results. They are known before the analysis, so that a query tells whether it was done. They depend
 * on the film, its study (a film copied to another patient's study gets a result of its own) and all that shapes the
 * content; neither on a clock nor on the outcome; and on the film's content only where that has changed under its UID
 * ({@link FilmState}). Each object has a series of its own, as some viewers (OHIF) show only the last report of a
 * series. The choice of objects enters the report's UIDs alone, as the report refers to them; the default choice is
 * left out, so that older UIDs stay.
 */
export function resultUids(study: Uid, film: Uid, identity: AnalysisIdentity): ResultUids {
  const shape = [
    FORMAT_VERSION,
    study,
    ...identity.findings.flatMap(findingParts),
    ...modelParts(identity),
    ...contentParts(identity.film),
    ...(identity.minimumAge === undefined ? [] : ['minimum-age', identity.minimumAge]),
    ...(identity.jpeg2000Resolution === undefined ? [] : ['jpeg2000-resolution', identity.jpeg2000Resolution]),
  ];
  const uidsOf = (...kind: string[]): ObjectUids => ({
    series: deriveUid([film, 'series', ...kind, ...shape]),
    instance: deriveUid([film, 'instance', ...kind, ...shape]),
  });
  const objects = wantedObjects(identity);
  const choice = objects.join() === USUAL_OBJECTS.join() ? [] : ['objects', ...objects];
  return {
    heatMap: uidsOf('heat-map'),
    segmentation: uidsOf('segmentation'),
    parametricMap: uidsOf('parametric-map'),
    presentationState: uidsOf('presentation-state'),
    report: uidsOf('report', identity.srClass, ...choice),
  };
}

/** Objects to write beside the report of an analysed film, in the order of storing. */
export function wantedObjects({ objects }: AnalysisIdentity): ResultObject[] {
  return RESULT_OBJECTS.filter((object) => objects[object]);
}

/**
 * UID of this combination of software and networks: a retrained network makes another device (IHE AIR section 6.5.3.1).
 */
export function deviceUid(identity: AnalysisIdentity): Uid {
  const { name, manufacturer, model } = identity.device;
  return deriveUid(['device', name, manufacturer, model, identity.softwareVersion, ...modelParts(identity)]);
}

/** The first finding. @throws HilumError ENCODE_FAILED when there is none */
export function firstOf({ findings }: AnalysisIdentity): AnalysisFinding {
  return findings[0] ?? refuse('the analysis looks for no finding');
}

/** The finding with this label. @throws HilumError ENCODE_FAILED when there is none */
export function findingNamed({ findings }: AnalysisIdentity, label: string): AnalysisFinding {
  return findings.find((finding) => finding.label === label) ?? refuse(`the analysis does not look for ${label}`);
}

/** The network of a finding. @throws HilumError ENCODE_FAILED when it is not part of the analysis */
export function classifierOf({ models }: AnalysisIdentity, { model, label }: AnalysisFinding): AnalysisModel {
  const found = models.find(({ id, task }) => id === model && task === 'classification');
  return found ?? refuse(`the analysis names no network for ${label}`);
}

/** @throws HilumError ENCODE_FAILED unless exactly one network has this task */
export function modelOf({ models }: AnalysisIdentity, task: AnalysisModel['task']): AnalysisModel {
  const found = models.filter((model) => model.task === task);
  return found.length === 1 ? found[0]! : refuse(`the analysis names ${found.length} ${task} models instead of one`);
}

/** @throws HilumError ENCODE_FAILED when the identity can't make a valid object */
export function checkIdentity(identity: AnalysisIdentity): void {
  firstOf(identity);
  const { findings, device, startedAt, softwareVersion } = identity;
  if (!findings.every(({ operatingPoint }) => isShare(operatingPoint)))
    refuse('the operating point is not within 0 to 1');
  if (Number.isNaN(startedAt.getTime())) refuse('the start of the analysis is no date');
  const named = findings.flatMap((finding) => {
    classifierOf(identity, finding);
    return [finding.label, finding.code.value, finding.code.scheme, finding.code.meaning];
  });
  const texts = [softwareVersion, device.name, device.manufacturer, device.model, ...named];
  const unfit = texts.find((text) => text === '' || text !== cut(plain(text), 64));
  if (unfit !== undefined)
    refuse(`the analysis is described by an empty, too long or unprintable text (${JSON.stringify(unfit)})`);
}

export function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

/** General Equipment (PS3.3 section C.7.5.1) and Contributing Equipment (section C.12.1) of Hilum. */
export function equipmentModule(identity: AnalysisIdentity): Dataset {
  const maker = {
    Manufacturer: identity.device.manufacturer,
    ManufacturerModelName: identity.device.model,
    SoftwareVersions: [identity.softwareVersion],
  };
  const networks = identity.models.map(({ id, version }) => `${id} ${version}`).join(', ');
  return {
    ...maker,
    DeviceSerialNumber: identity.softwareVersion,
    ContributingEquipmentSequence: [
      {
        ...maker,
        DeviceUID: deviceUid(identity),
        ContributionDescription: cut(plain(`Automatic analysis, ${RESEARCH_USE.short}; models: ${networks}`), 1024),
        PurposeOfReferenceCodeSequence: [codeItem(CODES.processingEquipment)],
      },
    ],
  };
}

export interface LocalMoment {
  /** DA */
  readonly date: string;
  /** TM, to the millisecond */
  readonly time: string;
  /**
   * Timezone Offset From UTC (0008,0201), where the film has it: it applies to all dates and times of an object (PS3.3
   * section C.12.1.1.8), also the copied ones.
   */
  readonly offset: Dataset;
}

/** A time in the film's time zone; where the film names none, in that of this machine, as modalities do. */
export function localMoment(moment: Date, source: Attributes): LocalMoment {
  const zone = /^([+-])(0\d|1[0-4])([0-5]\d)$/.exec(clean('SH', source.TimezoneOffsetFromUTC));
  const minutes = zone
    ? (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]))
    : -moment.getTimezoneOffset();
  const digits = new Date(moment.getTime() + minutes * 60_000).toISOString().replace(/[-:T]/g, '');
  return {
    date: digits.slice(0, 8),
    time: digits.slice(8, 18),
    offset: zone ? { TimezoneOffsetFromUTC: zone[0] } : {},
  };
}

function modelParts({ models }: AnalysisIdentity): string[] {
  return models.flatMap(({ id, version, sha256 }) => [id, version, sha256]);
}

function contentParts(film: FilmState | undefined): string[] {
  if (film?.isDistinct !== true) return [];
  const { digest, predecessors } = film;
  return [
    'content',
    digest?.decoded ?? digest?.encoded ?? '',
    ...predecessors.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
  ];
}

/** A live finding adds no part for its mode, as in version 0.1, so that UIDs stay the same. */
function findingParts({ operatingPoint, label, code, mode, priority }: FindingRule): (string | number)[] {
  return [
    operatingPoint,
    label,
    code.scheme,
    code.value,
    ...(mode === 'live' ? [] : [mode]),
    ...(priority === 'routine' ? [priority] : []),
  ];
}
