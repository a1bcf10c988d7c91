import { HilumError } from '../base/errors';
import type { Uid } from '../dicom/uid';
import { codeAt, countAt, textAt, uidAt, valuesAt } from './json-values';
import { modalitiesAt } from './modalities';

/** One instance as QIDO-RS lists it; fits the pipeline's InstanceReference by shape. */
export interface FoundInstance {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
  readonly sopClassUid: Uid;
  /** Modality (0008,0060); '' where the archive returned none. */
  readonly modality: string;
}

/** One study as QIDO-RS lists it. */
export interface FoundStudy {
  readonly studyInstanceUid: Uid;
  /** Modalities in Study (0008,0061); null where the archive returned none, or none that can be understood. */
  readonly modalities: readonly string[] | null;
  /** Number of Study Related Instances (0020,1208); null where the archive returned none. */
  readonly instances: number | null;
  /** Study Date and Time, for sorting; '' without a Study Date, so that no search by days finds it. */
  readonly dateTime: string;
}

/** One series as QIDO-RS lists it. */
export interface FoundSeries {
  /** Series Instance UID; null where the archive returned none that is valid. */
  readonly seriesInstanceUid: Uid | null;
  readonly modality: string;
  readonly description: string;
  /** Number of Series Related Instances (0020,1209); null where the archive returned none. */
  readonly instances: number | null;
}

/** Tags of PS3.6 as the DICOM JSON model writes them (PS3.18 annex F). */
const SOP_CLASS_UID = '00080016';
const SOP_INSTANCE_UID = '00080018';
const STUDY_DATE = '00080020';
const STUDY_TIME = '00080030';
const MODALITY = '00080060';
const SERIES_DESCRIPTION = '0008103E';
export const STUDY_INSTANCE_UID = '0020000D';
const SERIES_INSTANCE_UID = '0020000E';
const STUDY_SERIES = '00201206';
const STUDY_INSTANCES = '00201208';
const SERIES_INSTANCES = '00201209';
export const REQUEST_ATTRIBUTES_SEQUENCE = '00400275';
const REFERENCED_SOP_INSTANCE_UID = '00081155';
const FAILURE_REASON = '00081197';
const FAILED_SOP_SEQUENCE = '00081198';
const REFERENCED_SOP_SEQUENCE = '00081199';

/** Tags that are read of a QIDO-RS row, beside those that `film-header` reads. */
export const ROW_TAGS: readonly string[] = [
  SOP_CLASS_UID,
  SOP_INSTANCE_UID,
  STUDY_DATE,
  STUDY_TIME,
  MODALITY,
  '00080061',
  SERIES_DESCRIPTION,
  STUDY_INSTANCE_UID,
  SERIES_INSTANCE_UID,
  STUDY_SERIES,
  STUDY_INSTANCES,
  SERIES_INSTANCES,
];

/**
 * Failure Reason "Duplicate SOP Instance" (PS3.7 annex C.5.11): the object is stored already, which counts as success.
 */
const DUPLICATE = 0x0111;

/**
 * Rows with valid UIDs, and the number of rows without. `study` is used where the server leaves out the Study Instance
 * UID that the URL named.
 */
export function readInstanceRows(
  rows: readonly unknown[],
  study?: Uid,
): { instances: FoundInstance[]; unusable: number } {
  const instances = rows.flatMap((row) => readInstanceRow(row, study) ?? []);
  return { instances, unusable: rows.length - instances.length };
}

function readInstanceRow(row: unknown, study: Uid | undefined): FoundInstance | undefined {
  const studyInstanceUid = uidAt(row, STUDY_INSTANCE_UID) ?? study;
  const seriesInstanceUid = uidAt(row, SERIES_INSTANCE_UID);
  const sopInstanceUid = uidAt(row, SOP_INSTANCE_UID);
  const sopClassUid = uidAt(row, SOP_CLASS_UID);
  if (
    studyInstanceUid === undefined ||
    seriesInstanceUid === undefined ||
    sopInstanceUid === undefined ||
    sopClassUid === undefined
  )
    return undefined;
  return { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sopClassUid, modality: codeAt(row, MODALITY) };
}

/** Rows with a valid Study Instance UID. */
export function readStudyRows(rows: readonly unknown[]): FoundStudy[] {
  return rows.flatMap((row) => {
    const studyInstanceUid = uidAt(row, STUDY_INSTANCE_UID);
    if (studyInstanceUid === undefined) return [];
    return [
      {
        studyInstanceUid,
        modalities: modalitiesAt(row),
        instances: numberAt(row, STUDY_INSTANCES),
        dateTime: textAt(row, STUDY_DATE) === '' ? '' : `${textAt(row, STUDY_DATE)}${textAt(row, STUDY_TIME)}`,
      },
    ];
  });
}

/** Numbers of series and instances that a server reports for a study; null where it does not report one. */
export interface StudyCounts {
  /** Number of Study Related Series (0020,1206). */
  readonly series: number | null;
  /** Number of Study Related Instances (0020,1208). */
  readonly instances: number | null;
}

export function readStudyCounts(rows: readonly unknown[], study: Uid): StudyCounts {
  const row = rows.find((found) => uidAt(found, STUDY_INSTANCE_UID) === study);
  return { series: numberAt(row, STUDY_SERIES), instances: numberAt(row, STUDY_INSTANCES) };
}

export function readSeriesRows(rows: readonly unknown[]): FoundSeries[] {
  return rows.map((row) => ({
    seriesInstanceUid: uidAt(row, SERIES_INSTANCE_UID) ?? null,
    modality: codeAt(row, MODALITY),
    description: textAt(row, SERIES_DESCRIPTION),
    instances: numberAt(row, SERIES_INSTANCES),
  }));
}

/**
 * Texts under some tags of a dataset, at its top level or in its Request Attributes Sequence (PS3.3 table 10-9);
 * missing ones are left out.
 */
export function readTexts<K extends string>(
  dataset: unknown,
  tags: Readonly<Record<K, string>>,
): { [key in K]?: string[] } {
  const places = [dataset, ...valuesAt(dataset, REQUEST_ATTRIBUTES_SEQUENCE)];
  const entries = Object.entries<string>(tags).map(
    ([key, tag]) =>
      [
        key,
        places
          .flatMap((place) => valuesAt(place, tag))
          .filter((value): value is string => typeof value === 'string' && value !== ''),
      ] as const,
  );
  return Object.fromEntries(entries.filter(([, texts]) => texts.length > 0)) as { [key in K]?: string[] };
}

/**
 * Reads the STOW-RS response (PS3.18 section 10.5.3, table 10.5.3-2) for each of `wanted`, whatever the HTTP status:
 * some servers answer 200 after storing a part. The body is parsed whatever its Content-Type: Orthanc sends a 409
 * without one.
 * @throws HilumError STORE_FAILED naming the refused instances; STORE_AMBIGUOUS when some are not mentioned or the body
 * is no DICOM JSON
 */
export function readStoreAnswer(text: string, wanted: readonly Uid[]): void {
  const answer = parseAnswer(text);
  const stored = new Set(
    valuesAt(answer, REFERENCED_SOP_SEQUENCE).map((item) => textAt(item, REFERENCED_SOP_INSTANCE_UID)),
  );
  const reasons = new Map(
    valuesAt(answer, FAILED_SOP_SEQUENCE).map((item) => [textAt(item, REFERENCED_SOP_INSTANCE_UID), reasonAt(item)]),
  );
  const failed = wanted.filter((uid) => !stored.has(uid) && reasons.has(uid) && reasons.get(uid) !== DUPLICATE);
  if (failed.length > 0) throw storeFailed(failed.map((uid) => ({ uid, reason: reasons.get(uid) ?? 0 })));
  const unmentioned = wanted.filter((uid) => !stored.has(uid) && !reasons.has(uid));
  if (unmentioned.length > 0) throw ambiguous(`does not mention ${unmentioned.length} of ${wanted.length} objects`);
}

/** Whether a STOW-RS response names single objects; a refusal of the whole request does not. */
export function namesObjects(text: string): boolean {
  try {
    const answer: unknown = JSON.parse(text);
    return [REFERENCED_SOP_SEQUENCE, FAILED_SOP_SEQUENCE].some((tag) => valuesAt(answer, tag).length > 0);
  } catch {
    return false;
  }
}

function parseAnswer(text: string): unknown {
  if (text.trimStart().startsWith('<')) throw ambiguous('is XML although application/dicom+json was asked for');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw ambiguous('is not DICOM JSON');
  }
}

function ambiguous(what: string): HilumError {
  return new HilumError('STORE_AMBIGUOUS', 'ambiguous', `the archive's answer to a store request ${what}`);
}

function storeFailed(failed: readonly { uid: Uid; reason: number }[]): HilumError {
  const lasting = failed.some(({ reason }) => mayPass(reason)) ? 'transient' : 'permanent';
  const list = failed.map(({ uid, reason }) => `${uid} (0x${reason.toString(16).toUpperCase().padStart(4, '0')})`);
  return new HilumError('STORE_FAILED', lasting, `the archive refused ${failed.length} object(s): ${list.join(', ')}`);
}

/**
 * Whether a Failure Reason (PS3.4 table B.2-1, PS3.7 annex C) may go away by itself: none given, processing failure,
 * resource limitation, out of resources. "SOP class not supported", "data set does not match SOP class" and "cannot
 * understand" stay.
 */
function mayPass(reason: number): boolean {
  return reason === 0 || reason === 0x0110 || reason === 0x0213 || (reason >= 0xa700 && reason <= 0xa7ff);
}

/** Failure Reason; 0 where there is none. */
const reasonAt = (item: unknown): number => countAt(item, FAILURE_REASON) ?? 0;

/** A number of objects; null for 0, which can't be right for a study or series that is listed. */
const numberAt = (row: unknown, tag: string): number | null => countAt(row, tag) || null;
