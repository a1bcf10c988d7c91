import { randomUUID } from 'node:crypto';
import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { FILM_MEMORY } from '../base/shared-bytes';
import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import { type HttpAnswer, type HttpOptions, readBytes, readText, statusError, TransportError } from '../net/http';
import { archiveHttp, PageError } from './archive-http';
import {
  type FoundInstance,
  type FoundSeries,
  type FoundStudy,
  namesObjects,
  readInstanceRows,
  readStoreAnswer,
  readStudyRows,
  readTexts,
  REQUEST_ATTRIBUTES_SEQUENCE,
  ROW_TAGS,
  STUDY_INSTANCE_UID,
} from './dicom-json';
import {
  type FilmHeader,
  hasReadableTexts,
  HEADER_ROW_TAGS,
  headerOfFile,
  readHeader,
  SUMMARY_FIELDS,
} from './film-header';
import { JsonParser } from './json-thread';
import { uidAt } from './json-values';
import { listInstances, listSeries } from './listing';
import { seriesOfStudies } from './many-studies';
import { modalitiesAt } from './modalities';
import { readMultipart, writeMultipart } from './multipart';
import { probe, type ProbeResult } from './probe';
import { JSON_HEADERS, query, search, searchPage, type Wire } from './wire';

/** Options of the DICOMweb client (PS3.18 chapters 8 and 10). All times in milliseconds. */
export interface DicomWebOptions extends HttpOptions {
  /** DICOMweb root, e.g. http://orthanc:8042/dicom-web */
  readonly url: string;
  /** Longest wait for the response to a STOW-RS request. */
  readonly storeTimeoutMs?: number;
  /** Largest object that is retrieved (bytes). */
  readonly maxObjectBytes?: number;
  /** Rows asked for in one QIDO-RS request. */
  readonly pageSize?: number;
  /** Largest number of instances of a study that are listed. */
  readonly maxInstances?: number;
  /** File of the thread that parses large responses; by default the shipped one. */
  readonly parserFile?: string;
}

interface InstancePath {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** One page of a search for studies. */
interface StudySearch {
  /** First and last Study Date (YYYYMMDD), both included; '' for all studies, including those without a date. */
  readonly from: string;
  readonly to: string;
  /** First and last Study Time (HHMM), both included. */
  readonly times?: { readonly from: string; readonly to: string };
  readonly offset: number;
  readonly limit: number;
}

export interface SampleOptions {
  readonly timeoutMs?: number;
  /** Number of instances of the series, where known. */
  readonly instances?: number | null;
}

export interface DicomWebArchive {
  /**
   * Instances of a study.
   * @param wanted if given, the list may end once all of these are found, and modalities may be missing
   */
  findInstances(study: Uid, wanted?: readonly Uid[]): Promise<FoundInstance[]>;
  /**
   * One page of a search for studies, sorted newest first within the page (QIDO-RS itself has no order), and the number
   * of rows that the archive sent: fewer than asked for where it refuses larger pages.
   */
  findStudies(search: StudySearch): Promise<{ studies: FoundStudy[]; rows: number }>;
  /** As `findStudies`, with the patient and study attributes that the search returns. */
  findStudySummaries(search: StudySearch): Promise<{ studies: (FilmHeader & FoundStudy)[]; rows: number }>;
  /** The series of many studies by few searches; may be incomplete, see `many-studies.ts`. */
  findSeriesOf(studies: readonly Uid[]): Promise<ReadonlyMap<Uid, FoundSeries[]>>;
  /** Series of a study; empty for a study that the archive does not know. */
  findSeries(study: Uid, timeoutMs?: number): Promise<FoundSeries[]>;
  /**
   * Texts of some attributes (tags by name) of one instance of a series, read from its metadata because QIDO-RS need
   * not return them. Empty for a series without instances. If `instances`, the size of the series, is given, one
   * request may be enough.
   */
  sampleAttributes<K extends string>(
    study: Uid,
    series: Uid,
    attributes: Readonly<Record<K, string>>,
    options?: SampleOptions,
  ): Promise<{ [key in K]?: string[] }>;
  /** Metadata of one instance of a series, for {@link sampleAttributes}; may hold more than `tags`. */
  sampleMetadata(study: Uid, series: Uid, tags: readonly string[], options?: SampleOptions): Promise<unknown>;
  /** Header of one instance, from its metadata; null where the archive does not have it. */
  describe(path: InstancePath): Promise<FilmHeader | null>;
  /**
   * Patient and study attributes that a search returns of one study, and its modalities where the server reports them;
   * null where the archive does not have the study.
   */
  findStudySummary(
    study: Uid,
    timeoutMs?: number,
  ): Promise<(FilmHeader & { readonly modalities: readonly string[] | null }) | null>;
  retrieve(path: InstancePath): Promise<Uint8Array>;
  store(study: Uid, objects: readonly EncodedObject[]): Promise<void>;
  /**
   * For `hilum doctor`: tries the requests of the pipeline. It queries, retrieves one object, and sends an empty store
   * request, unless `stores` is false. Never throws.
   */
  probe(options?: { readonly stores?: boolean }): Promise<ProbeResult[]>;
  /** The archive's clock, to the second; null when it does not report one. @throws HilumError of the query */
  clock(): Promise<Date | null>;
  close(): Promise<void>;
}

/** The simplest Accept header that keeps the stored transfer syntax: older servers fail on longer ones. */
const RETRIEVE_HEADERS = {
  accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
  'accept-encoding': 'identity',
};
/** Largest STOW-RS response (bytes): it names each of a few objects. */
const MAX_STORE_ANSWER_BYTES = 8 * 1024 * 1024;
/** Largest metadata of one instance (bytes): servers include small binary values, but not the pixels. */
const MAX_METADATA_BYTES = 4 * 1024 * 1024;

/**
 * A DICOMweb server as the archive of the pipeline. Every method throws HilumError with a code; no message quotes a
 * response.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files
 */
export function dicomWebArchive(options: DicomWebOptions, log?: Log): DicomWebArchive {
  const {
    url,
    storeTimeoutMs = 120_000,
    maxObjectBytes = 512 * 1024 * 1024,
    pageSize = 500,
    maxInstances = 20_000,
  } = options;
  const wire: Wire = {
    http: archiveHttp(options),
    root: url.replace(/\/+$/, ''),
    storeTimeoutMs,
    maxObjectBytes,
    maxInstances,
    parser: new JsonParser(options.parserFile),
    pages: { size: pageSize },
    log,
  };
  const archive: Omit<DicomWebArchive, 'probe' | 'close'> = {
    findInstances: (study, wanted) => findInstances(wire, study, wanted),
    findStudies: (search) => findStudies(wire, search),
    findStudySummaries: (search) => findStudySummaries(wire, search),
    findSeriesOf: (studies) => seriesOfStudies(wire, studies),
    findSeries: (study, timeoutMs) => listSeries(wire, study, timeoutMs),
    sampleAttributes: async (study, series, attributes, options) =>
      readTexts(await sampleMetadata(wire, study, series, Object.values(attributes), options), attributes),
    sampleMetadata: (study, series, tags, options) => sampleMetadata(wire, study, series, tags, options),
    describe: (path) => describe(wire, path),
    findStudySummary: (study, timeoutMs) => findStudySummary(wire, study, timeoutMs),
    retrieve: (path) => retrieve(wire, path),
    store: (study, objects) => store(wire, study, objects),
    clock: () => clock(wire),
  };
  return {
    ...archive,
    probe: ({ stores = true } = {}) => probe(wire, archive, stores),
    close: () => wire.http.close(),
  };
}

/** QIDO-RS (PS3.18 section 10.6). A study that the archive does not know has no instances. */
async function findInstances(wire: Wire, study: Uid, wanted: readonly Uid[] = []): Promise<FoundInstance[]> {
  const rows = await listInstances(wire, study, wanted);
  const { instances, unusable } = readInstanceRows(rows, study);
  if (unusable > 0)
    wire.log?.warn(
      { event: 'archive.rows-unusable', study, rows: unusable },
      'the archive listed instances without valid UIDs; they are left alone',
    );
  if (instances.length === 0 && unusable > 0)
    throw new HilumError(
      'ARCHIVE_RESPONSE_INVALID',
      'permanent',
      `the archive lists ${unusable} instances of the study, none with valid UIDs`,
    );
  return wanted.length > 0 ? instances : fillModalities(wire, study, instances);
}

/**
 * Modality is a series attribute, and PS3.18 does not require servers to return it with instances: where it is missing,
 * the series are asked for it.
 */
async function fillModalities(wire: Wire, study: Uid, instances: FoundInstance[]): Promise<FoundInstance[]> {
  if (instances.every(({ modality }) => modality !== '')) return instances;
  const modalities = new Map(
    (await listSeries(wire, study)).map(({ seriesInstanceUid, modality }) => [seriesInstanceUid, modality]),
  );
  return instances.map((instance) =>
    instance.modality === '' ? { ...instance, modality: modalities.get(instance.seriesInstanceUid) ?? '' } : instance,
  );
}

/**
 * Range matching on Study Date and Study Time (PS3.4 section C.2.2.2.5). Modalities and counts are optional for the
 * server (PS3.18 table 10.6.3-3).
 */
async function findStudies(wire: Wire, search: StudySearch): Promise<{ studies: FoundStudy[]; rows: number }> {
  const rows = await searchStudies(wire, search, STUDY_FIELDS);
  return { studies: newestFirst(readStudyRows(rows)), rows: rows.length };
}

async function findStudySummaries(
  wire: Wire,
  search: StudySearch,
): Promise<{ studies: (FilmHeader & FoundStudy)[]; rows: number }> {
  const rows = await searchStudies(wire, search, [...new Set([...STUDY_FIELDS, ...SUMMARY_FIELDS])]);
  const studies = rows.flatMap((row) => readStudyRows([row]).map((found) => ({ ...readHeader(row), ...found })));
  return { studies: newestFirst(studies), rows: rows.length };
}

const STUDY_FIELDS = ['00080061', '00201208'];

function searchStudies(
  wire: Wire,
  { from, to, times, offset, limit }: StudySearch,
  fields: readonly string[],
): Promise<unknown[]> {
  const keys = [
    ...(from === '' && to === '' ? [] : [`StudyDate=${from}-${to}`]),
    ...(times === undefined ? [] : [`StudyTime=${times.from}-${times.to}`]),
    ...fields.map((tag) => `includefield=${tag}`),
  ];
  return searchPage(wire, `/studies?${keys.join('&')}`, { limit, offset });
}

function newestFirst<S extends Pick<FoundStudy, 'dateTime'>>(studies: S[]): S[] {
  return studies.sort((a, b) => (a.dateTime < b.dateTime ? 1 : -1));
}

/**
 * WADO-RS metadata (PS3.18 section 10.4.1.1.5): of the whole series where it has one instance, else of one instance, as
 * a server may read each file for it.
 */
async function sampleMetadata(
  wire: Wire,
  study: Uid,
  series: Uid,
  wanted: readonly string[],
  { timeoutMs, instances = null }: SampleOptions = {},
): Promise<unknown> {
  const path = `/studies/${study}/series/${series}`;
  const tags = [...new Set([...wanted, REQUEST_ATTRIBUTES_SEQUENCE, ...HEADER_ROW_TAGS, ...ROW_TAGS])];
  // Where the server ignores the number, the series is asked without it; where it is away, the error repeats.
  const only = instances === 1 ? await metadata(wire, path, tags, timeoutMs).catch(() => undefined) : undefined;
  return only ?? sampleInstance(wire, study, path, tags, timeoutMs);
}

/** Undefined for a series without instances. */
async function sampleInstance(
  wire: Wire,
  study: Uid,
  path: string,
  tags: readonly string[],
  timeoutMs?: number,
): Promise<unknown> {
  const rows = await search(wire, `${path}/instances?includefield=00080016&limit=1`, { timeoutMs });
  const [instance] = readInstanceRows(rows, study).instances;
  return instance && metadata(wire, `${path}/instances/${instance.sopInstanceUid}`, tags, timeoutMs);
}

/** WADO-RS metadata of the first instance; undefined where the archive has none (an empty list or 404). */
async function metadata(wire: Wire, path: string, tags: readonly string[], timeoutMs?: number): Promise<unknown> {
  return (await query(wire, `${path}/metadata`, { timeoutMs, maxBytes: MAX_METADATA_BYTES, tags }))?.[0];
}

/** Reads the film itself where the archive can't have decoded its texts. */
async function describe(wire: Wire, path: InstancePath): Promise<FilmHeader | null> {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = path;
  const resource = `/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`;
  const dataset = await metadata(wire, resource, HEADER_ROW_TAGS);
  if (dataset === undefined) return null;
  return (hasReadableTexts(dataset) ? null : headerOfFile(await retrieve(wire, path))) ?? readHeader(dataset);
}

async function findStudySummary(
  wire: Wire,
  study: Uid,
  timeoutMs?: number,
): Promise<(FilmHeader & { modalities: readonly string[] | null }) | null> {
  const rows = await search(
    wire,
    `/studies?StudyInstanceUID=${study}${SUMMARY_FIELDS.map((tag) => `&includefield=${tag}`).join('')}&limit=1`,
    { timeoutMs },
  );
  // Some servers also return other studies, in any order.
  const row = rows.find((one) => uidAt(one, STUDY_INSTANCE_UID) === study);
  return row === undefined ? null : { ...readHeader(row), modalities: modalitiesAt(row) };
}

/** WADO-RS (PS3.18 section 10.4), in the stored transfer syntax. */
function retrieve(
  wire: Wire,
  { studyInstanceUid, seriesInstanceUid, sopInstanceUid }: InstancePath,
): Promise<Uint8Array> {
  const url = `${wire.root}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`;
  return wire.http.send(url, { headers: RETRIEVE_HEADERS }, async (answer) => {
    if (answer.status !== 200 && answer.status !== 206) throw statusError('retrieve', answer.status, answer.retryAfter);
    requireWhole(answer);
    return dicomFile(await readInstance(answer, wire.maxObjectBytes));
  });
}

/** Refuses a 206 with a byte range (RFC 9110 section 14.4); some servers answer 206 for a whole object. */
function requireWhole({ header }: HttpAnswer): void {
  const [, first, last, length] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header('content-range')) ?? [];
  if (first === undefined || (Number(first) === 0 && Number(last) === Number(length) - 1)) return;
  throw new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', 'the archive sent a part of an object only');
}

async function readInstance(answer: HttpAnswer, maxBytes: number): Promise<Uint8Array> {
  // Some servers send the instance without multipart, whatever was asked for.
  if (/^application\/(dicom|octet-stream)\s*(;|$)/i.test(answer.contentType))
    return readBytes(
      answer.body,
      maxBytes,
      () =>
        new HilumError(
          'DICOM_UNREADABLE',
          'permanent',
          `the archive sent an object larger than archive.maxObjectBytes (${maxBytes} bytes)`,
        ),
    );
  if (!/^multipart\/related\b/i.test(answer.contentType))
    throw new HilumError(
      'ARCHIVE_RESPONSE_INVALID',
      'transient',
      'the archive answered a retrieval with something other than multipart/related',
    );
  const limits = { maxBodyBytes: maxBytes, maxParts: 1, memory: memoryFor(answer, maxBytes) };
  const parts = await readMultipart(answer.body, answer.contentType, limits);
  if (parts[0] === undefined)
    throw new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', 'the archive answered a retrieval without any part');
  return parts[0].body;
}

/** Smaller objects, such as reports, are not moved between threads (bytes). */
const MIN_SHARED = 1024 * 1024;

/** Shared memory for a film that other threads will read. Undefined where the size is not known. */
function memoryFor({ header }: HttpAnswer, maxBytes: number): Uint8Array | undefined {
  const length = header('content-encoding') === '' ? Number(header('content-length')) : 0;
  return length >= MIN_SHARED && length <= maxBytes ? FILM_MEMORY.take(length) : undefined;
}

/** PS3.10 section 7.1: 128 bytes of preamble, then DICM. */
function dicomFile(bytes: Uint8Array): Uint8Array {
  if (Buffer.from(bytes.subarray(128, 132)).toString('latin1') !== 'DICM')
    throw new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', 'the archive sent something other than a DICOM file');
  return bytes;
}

/**
 * Whether a response may name the objects (PS3.18 table 10.5.3-1). An unknown 2xx counts as 200 (RFC 9110 section 15).
 * Orthanc answers 400 where it stored none, from version 1.20 of its DICOMweb plug-in.
 */
const mayNameObjects = (status: number): boolean => (status >= 200 && status < 300) || status === 400 || status === 409;

/**
 * STOW-RS (PS3.18 section 10.5). Succeeds only when the response names each object as stored or as a duplicate.
 * @throws HilumError STORE_FAILED with the refused instances; STORE_AMBIGUOUS when the response is missing or does not
 * say
 */
async function store(wire: Wire, study: Uid, objects: readonly EncodedObject[]): Promise<void> {
  if (objects.length === 0) return;
  const boundary = randomUUID();
  const body = writeMultipart(
    objects.map(({ bytes }) => ({ contentType: 'application/dicom', body: bytes })),
    boundary,
  );
  const headers = {
    ...JSON_HEADERS,
    'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
  };
  const uids = objects.map(({ sopInstanceUid }) => sopInstanceUid);
  await ambiguousOnceSent(
    wire.http.send(
      `${wire.root}/studies/${study}`,
      { method: 'POST', headers, body, responseTimeoutMs: wire.storeTimeoutMs },
      async (answer) => {
        if (answer.status === 413) throw tooLarge(body.length);
        if (!mayNameObjects(answer.status)) throw statusError('store', answer.status, answer.retryAfter);
        const text = await readText(answer.body, MAX_STORE_ANSWER_BYTES);
        if (answer.status === 400 && !namesObjects(text)) throw statusError('store', 400, '');
        readStoreAnswer(text, uids);
      },
    ),
  );
}

/**
 * Once the request is sent, a network failure or a malformed response does not tell what was stored: ambiguous. An HTML
 * page comes from a proxy that did not pass the request on: not ambiguous.
 */
async function ambiguousOnceSent(sending: Promise<void>): Promise<void> {
  try {
    await sending;
  } catch (error) {
    const open =
      (error instanceof TransportError && error.sent) ||
      (error instanceof HilumError && error.code === 'ARCHIVE_RESPONSE_INVALID' && !(error instanceof PageError));
    if (!open) throw error;
    throw new HilumError(
      'STORE_AMBIGUOUS',
      'ambiguous',
      'the archive took a store request and it is not known what it stored',
      { cause: error },
    );
  }
}

const tooLarge = (bytes: number) =>
  new HilumError(
    'ARCHIVE_REFUSED',
    'permanent',
    `the archive refused to store ${bytes} bytes in one request (HTTP 413): ` +
      'raise the limit of the archive, or of the proxy before it',
  );

function clock(wire: Wire): Promise<Date | null> {
  return wire.http.send(`${wire.root}/studies?limit=1`, { headers: JSON_HEADERS }, async ({ date }) => {
    const told = new Date(date);
    return Number.isNaN(told.getTime()) ? null : told;
  });
}
