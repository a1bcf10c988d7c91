import { HilumError } from '../base/errors';
import { tryParseUid, type Uid } from '../dicom/uid';

/** One instance as QIDO-RS lists it; fits the pipeline's InstanceReference by shape. */
export interface FoundInstance {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
  readonly sopClassUid: Uid;
  /** '' where the archive returned none. */
  readonly modality: string;
}

/** One study as QIDO-RS lists it. */
export interface FoundStudy {
  readonly studyInstanceUid: Uid;
  /** Modalities in Study (0008,0061); null where the archive returned none. */
  readonly modalities: readonly string[] | null;
  /** Number of Study Related Instances (0020,1208); null where the archive returned none. */
  readonly instances: number | null;
  /** Study Date and Time, for sorting; '' where there is none. */
  readonly dateTime: string;
}

/** One series as QIDO-RS lists it. */
export interface FoundSeries {
  /** Null where the archive returned none that can be. */
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
const MODALITIES_IN_STUDY = '00080061';
const SERIES_DESCRIPTION = '0008103E';
const STUDY_INSTANCE_UID = '0020000D';
const SERIES_INSTANCE_UID = '0020000E';
const STUDY_INSTANCES = '00201208';
const SERIES_INSTANCES = '00201209';
const REQUEST_ATTRIBUTES_SEQUENCE = '00400275';
const REFERENCED_SOP_INSTANCE_UID = '00081155';
const FAILURE_REASON = '00081197';
const FAILED_SOP_SEQUENCE = '00081198';
const REFERENCED_SOP_SEQUENCE = '00081199';

/** Failure Reason "Duplicate SOP Instance" (PS3.7 annex C.5.11): it is there already, which is what was wanted. */
const DUPLICATE = 0x0111;

/** Rows with usable UIDs, and how many had none. `study` stands in where the server leaves out what the URL said. */
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
  return { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sopClassUid, modality: textAt(row, MODALITY) };
}

/** Rows with a usable Study Instance UID. */
export function readStudyRows(rows: readonly unknown[]): FoundStudy[] {
  return rows.flatMap((row) => {
    const studyInstanceUid = uidAt(row, STUDY_INSTANCE_UID);
    if (studyInstanceUid === undefined) return [];
    const modalities = valuesAt(row, MODALITIES_IN_STUDY).filter((value): value is string => typeof value === 'string');
    return [
      {
        studyInstanceUid,
        modalities: modalities.length > 0 ? modalities : null,
        instances: countAt(row, STUDY_INSTANCES),
        dateTime: `${textAt(row, STUDY_DATE)}${textAt(row, STUDY_TIME)}`,
      },
    ];
  });
}

export function readSeriesRows(rows: readonly unknown[]): FoundSeries[] {
  return rows.map((row) => ({
    seriesInstanceUid: uidAt(row, SERIES_INSTANCE_UID) ?? null,
    modality: textAt(row, MODALITY),
    description: textAt(row, SERIES_DESCRIPTION),
    instances: countAt(row, SERIES_INSTANCES),
  }));
}

/**
 * The texts that a dataset holds under each of some tags, at its top or in its Request Attributes Sequence (PS3.3 table
 * 10-9); what it does not hold is left out.
 */
export function readTexts<K extends string>(
  dataset: unknown,
  tags: Readonly<Record<K, string>>,
): { [key in K]?: string[] } {
  const places = [dataset, ...itemsAt(dataset, REQUEST_ATTRIBUTES_SEQUENCE)];
  const entries = Object.entries<string>(tags).map(
    ([key, tag]) =>
      [
        key,
        places
          .flatMap((place) => valuesAt(place, tag))
          .flatMap((value) => (typeof value === 'string' && value.trim() !== '' ? [value.trim()] : [])),
      ] as const,
  );
  return Object.fromEntries(entries.filter(([, texts]) => texts.length > 0)) as { [key in K]?: string[] };
}

/** Modality by Series Instance UID. */
export function readSeriesModalities(rows: readonly unknown[]): Map<string, string> {
  return new Map(rows.flatMap((row) => [[textAt(row, SERIES_INSTANCE_UID), textAt(row, MODALITY)] as const]));
}

/**
 * Reads the answer to STOW-RS (PS3.18 section 10.5.3, table 10.5.3-2) for each of `wanted`, whatever the HTTP status
 * was: some servers say 200 after storing a part. The text decides, not its Content-Type: Orthanc sends a 409 without
 * one.
 * @throws HilumError STORE_FAILED naming the refused instances, STORE_AMBIGUOUS when some are not mentioned or it is no
 * DICOM JSON.
 */
export function readStoreAnswer(text: string, wanted: readonly Uid[]): void {
  const answer = parseAnswer(text);
  const stored = new Set(
    itemsAt(answer, REFERENCED_SOP_SEQUENCE).map((item) => textAt(item, REFERENCED_SOP_INSTANCE_UID)),
  );
  const reasons = new Map(
    itemsAt(answer, FAILED_SOP_SEQUENCE).map((item) => [
      textAt(item, REFERENCED_SOP_INSTANCE_UID),
      numberAt(item, FAILURE_REASON),
    ]),
  );
  const failed = wanted.filter((uid) => !stored.has(uid) && reasons.has(uid) && reasons.get(uid) !== DUPLICATE);
  if (failed.length > 0) throw storeFailed(failed.map((uid) => ({ uid, reason: reasons.get(uid) ?? 0 })));
  const unmentioned = wanted.filter((uid) => !stored.has(uid) && !reasons.has(uid));
  if (unmentioned.length > 0) throw ambiguous(`does not mention ${unmentioned.length} of ${wanted.length} objects`);
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
 * resource limitation, out of resources. Not so "SOP class not supported", "data set does not match SOP class", "cannot
 * understand".
 */
function mayPass(reason: number): boolean {
  return reason === 0 || reason === 0x0110 || reason === 0x0213 || (reason >= 0xa700 && reason <= 0xa7ff);
}

function valuesAt(dataset: unknown, tag: string): unknown[] {
  if (typeof dataset !== 'object' || dataset === null) return [];
  const element = (dataset as Record<string, unknown>)[tag];
  const values = typeof element === 'object' && element !== null ? (element as { Value?: unknown }).Value : undefined;
  return Array.isArray(values) ? values : [];
}

const itemsAt = valuesAt;

function textAt(dataset: unknown, tag: string): string {
  const value = valuesAt(dataset, tag)[0];
  return typeof value === 'string' ? value.trim() : '';
}

/** US is a number in DICOM JSON; some servers write it as a text. */
function numberAt(dataset: unknown, tag: string): number {
  const value = Number(valuesAt(dataset, tag)[0] ?? 0);
  return Number.isInteger(value) && value >= 0 ? value : 0;
}

/** A count of instances; null where there is none, or none that can be. */
function countAt(dataset: unknown, tag: string): number | null {
  return numberAt(dataset, tag) || null;
}

/** A UID with a backslash is none, and its first half another's. */
function uidAt(dataset: unknown, tag: string): Uid | undefined {
  const values = valuesAt(dataset, tag);
  return values.length > 1 ? undefined : tryParseUid(values[0]);
}
