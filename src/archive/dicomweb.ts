import { randomUUID } from 'node:crypto';
import { describeError, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import {
  type HttpAnswer,
  httpClient,
  type HttpClient,
  type HttpOptions,
  readBytes,
  readText,
  statusError,
  TransportError,
} from '../net/http';
import {
  type FoundInstance,
  type FoundSeries,
  type FoundStudy,
  readInstanceRows,
  readSeriesModalities,
  readSeriesRows,
  readStoreAnswer,
  readStudyRows,
  readTexts,
} from './dicom-json';
import { type FilmHeader, hasReadableTexts, headerOfFile, readHeader, SIGHT_FIELDS } from './film-header';
import { readMultipart, writeMultipart } from './multipart';

/** PS3.18 chapters 8 and 10. All times in milliseconds. */
export interface DicomWebOptions extends HttpOptions {
  /** DICOMweb root, e.g. http://orthanc:8042/dicom-web */
  readonly url: string;
  /** Longest wait for the answer to a STOW-RS request. */
  readonly storeTimeoutMs?: number;
  /** Largest object that is read (bytes). */
  readonly maxObjectBytes?: number;
  /** Rows asked for in one QIDO-RS request. */
  readonly pageSize?: number;
  /** Most instances of a study that are listed. */
  readonly maxInstances?: number;
}

interface InstancePath {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** One page of a search for studies. */
interface StudySearch {
  /** First and last Study Date (YYYYMMDD), both included. */
  readonly from: string;
  readonly to: string;
  readonly offset: number;
  readonly limit: number;
}

/** One thing that `hilum doctor` asked the archive. */
interface ProbeResult {
  readonly check: 'reach' | 'query' | 'retrieve' | 'store';
  readonly ok: boolean;
  /** One plain sentence: what was seen and, where it is not well, what to do. */
  readonly text: string;
}

export interface DicomWebArchive {
  findInstances(study: Uid): Promise<FoundInstance[]>;
  /**
   * One page of the studies of some days, newest first within the page (QIDO-RS itself has no order), and how many rows
   * the archive sent.
   */
  findStudies(search: StudySearch): Promise<{ studies: FoundStudy[]; rows: number }>;
  /** None for a study that the archive does not know. */
  findSeries(study: Uid, timeoutMs?: number): Promise<FoundSeries[]>;
  /**
   * Texts of some attributes (tags by name) of one instance of a series, which QIDO-RS need not return: from its
   * metadata. None for a series without instances.
   */
  sampleAttributes<K extends string>(
    study: Uid,
    series: Uid,
    attributes: Readonly<Record<K, string>>,
    timeoutMs?: number,
  ): Promise<{ [key in K]?: string[] }>;
  /** The header of one instance, from its metadata; null where the archive does not have it. */
  describe(path: InstancePath): Promise<FilmHeader | null>;
  /**
   * What a search lists of one study, and its modalities where the server tells them; null where the archive does not
   * have it.
   */
  sightStudy(
    study: Uid,
    timeoutMs?: number,
  ): Promise<(FilmHeader & { readonly modalities: readonly string[] | null }) | null>;
  retrieve(path: InstancePath): Promise<Uint8Array>;
  store(study: Uid, objects: readonly EncodedObject[]): Promise<void>;
  /**
   * For `hilum doctor`: what the archive lets Hilum do. It queries, retrieves one object, and sends a store request
   * without any. Never throws.
   */
  probe(): Promise<ProbeResult[]>;
  /** The archive's clock to the second, null when it does not tell. @throws HilumError of the query. */
  clock(): Promise<Date | null>;
  close(): Promise<void>;
}

const JSON_HEADERS = { accept: 'application/dicom+json' };
/** The simplest header that leaves the stored transfer syntax alone: older servers trip over anything longer. */
const RETRIEVE_HEADERS = { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };
/**
 * No server is thought to have a page limit below this, so that a shorter page is the last one: most studies then cost
 * one query.
 */
const LEAST_PAGE_LIMIT = 50;
const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** Of one instance: servers send small binary values along, but not the pixels. */
const MAX_METADATA_BYTES = 4 * 1024 * 1024;

interface Wire {
  readonly http: HttpClient;
  readonly root: string;
  readonly storeTimeoutMs: number;
  readonly maxObjectBytes: number;
  readonly pageSize: number;
  readonly maxInstances: number;
  readonly log: Log | undefined;
}

/**
 * Any DICOMweb server as the archive of the pipeline.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files. Every method throws HilumError, told apart by code; no
 * message quotes an answer.
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
    http: httpClient(options),
    root: url.replace(/\/+$/, ''),
    storeTimeoutMs,
    maxObjectBytes,
    pageSize,
    maxInstances,
    log,
  };
  return {
    findInstances: (study) => findInstances(wire, study),
    findStudies: (search) => findStudies(wire, search),
    findSeries: (study, timeoutMs) => findSeries(wire, study, timeoutMs),
    sampleAttributes: (study, series, attributes, timeoutMs) =>
      sampleAttributes(wire, study, series, attributes, timeoutMs),
    describe: (path) => describe(wire, path),
    sightStudy: (study, timeoutMs) => sightStudy(wire, study, timeoutMs),
    retrieve: (path) => retrieve(wire, path),
    store: (study, objects) => store(wire, study, objects),
    probe: () => probe(wire),
    clock: () => clock(wire),
    close: () => wire.http.close(),
  };
}

/** QIDO-RS (PS3.18 section 10.6). A study that the archive does not know has no instances. */
async function findInstances(wire: Wire, study: Uid): Promise<FoundInstance[]> {
  const found = new Map<string, FoundInstance>();
  let unusable = 0;
  for (let offset = 0; ;) {
    const rows = await query(
      wire,
      `/studies/${study}/instances?includefield=00080060&includefield=00080016&limit=${wire.pageSize}&offset=${offset}`,
    );
    const page = readInstanceRows(rows, study);
    const before = found.size;
    for (const instance of page.instances) found.set(instance.sopInstanceUid, instance);
    unusable += page.unusable;
    offset += rows.length;
    if (found.size > wire.maxInstances)
      throw new HilumError(
        'ARCHIVE_RESPONSE_INVALID',
        'permanent',
        `the study has more than ${wire.maxInstances} instances`,
      );
    // A server that ignores offset repeats itself; one with a page limit of its own sends short pages.
    if (found.size === before || rows.length < Math.min(wire.pageSize, LEAST_PAGE_LIMIT)) break;
  }
  if (unusable > 0)
    wire.log?.warn(
      { event: 'archive.rows-unusable', study, rows: unusable },
      'the archive listed instances without valid UIDs; they are left alone',
    );
  return fillModalities(wire, study, [...found.values()]);
}

/**
 * Modality is an attribute of the series, and PS3.18 does not make a server return it with instances: ask for the
 * series where it is missing.
 */
async function fillModalities(wire: Wire, study: Uid, instances: FoundInstance[]): Promise<FoundInstance[]> {
  if (instances.every(({ modality }) => modality !== '')) return instances;
  const modalities = readSeriesModalities(
    await query(wire, `/studies/${study}/series?includefield=00080060&limit=${wire.maxInstances}`),
  );
  return instances.map((instance) =>
    instance.modality === '' ? { ...instance, modality: modalities.get(instance.seriesInstanceUid) ?? '' } : instance,
  );
}

/**
 * Range matching on Study Date (PS3.4 section C.2.2.2.5). Modalities and counts are optional for the server (PS3.18
 * table 10.6.3-3).
 */
async function findStudies(
  wire: Wire,
  { from, to, offset, limit }: StudySearch,
): Promise<{ studies: FoundStudy[]; rows: number }> {
  const rows = await query(
    wire,
    `/studies?StudyDate=${from}-${to}&includefield=00080061&includefield=00201208&limit=${limit}&offset=${offset}`,
  );
  return { studies: readStudyRows(rows).sort((a, b) => (a.dateTime < b.dateTime ? 1 : -1)), rows: rows.length };
}

async function findSeries(wire: Wire, study: Uid, timeoutMs?: number): Promise<FoundSeries[]> {
  return readSeriesRows(
    await query(
      wire,
      `/studies/${study}/series?includefield=00080060&includefield=0008103E&includefield=00201209&limit=${wire.maxInstances}`,
      timeoutMs,
    ),
  );
}

/**
 * WADO-RS metadata (PS3.18 section 10.4.1.1.5) of one instance, not of the series: a server may read each file for it.
 */
async function sampleAttributes<K extends string>(
  wire: Wire,
  study: Uid,
  series: Uid,
  attributes: Readonly<Record<K, string>>,
  timeoutMs?: number,
): Promise<{ [key in K]?: string[] }> {
  const path = `/studies/${study}/series/${series}/instances`;
  const [instance] = readInstanceRows(
    await query(wire, `${path}?includefield=00080016&limit=1`, timeoutMs),
    study,
  ).instances;
  if (instance === undefined) return {};
  const [dataset] = await query(wire, `${path}/${instance.sopInstanceUid}/metadata`, timeoutMs, MAX_METADATA_BYTES);
  return readTexts(dataset, attributes);
}

/** From the film itself where the archive can't have read its texts. */
async function describe(wire: Wire, path: InstancePath): Promise<FilmHeader | null> {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = path;
  const [dataset] = await query(
    wire,
    `/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}/metadata`,
    undefined,
    MAX_METADATA_BYTES,
  );
  if (dataset === undefined) return null;
  return (hasReadableTexts(dataset) ? null : headerOfFile(await retrieve(wire, path))) ?? readHeader(dataset);
}

async function sightStudy(
  wire: Wire,
  study: Uid,
  timeoutMs?: number,
): Promise<(FilmHeader & { modalities: readonly string[] | null }) | null> {
  const rows = await query(
    wire,
    `/studies?StudyInstanceUID=${study}${SIGHT_FIELDS.map((tag) => `&includefield=${tag}`).join('')}&limit=1`,
    timeoutMs,
  );
  const found = readStudyRows(rows).find(({ studyInstanceUid }) => studyInstanceUid === study);
  return found === undefined ? null : { ...readHeader(rows[0]), modalities: found.modalities };
}

/** A query or other resource in the DICOM JSON model. */
function query(wire: Wire, path: string, timeoutMs?: number, maxBytes = MAX_JSON_BYTES): Promise<unknown[]> {
  return wire.http.send(
    `${wire.root}${path}`,
    { headers: JSON_HEADERS, ...(timeoutMs === undefined ? {} : { responseTimeoutMs: timeoutMs }) },
    async (answer) => {
      if (answer.status === 204 || answer.status === 404) return [];
      if (answer.status !== 200) throw statusError('query', answer.status, answer.retryAfter);
      const rows = parseJson(await readText(answer.body, maxBytes));
      if (!Array.isArray(rows))
        throw new HilumError(
          'ARCHIVE_RESPONSE_INVALID',
          'transient',
          'the archive answered a query with something other than a DICOM JSON array',
        );
      return rows as unknown[];
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Without a cause: V8 quotes the text in the error's message.
    throw new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', "the archive's answer is not JSON");
  }
}

/** WADO-RS (PS3.18 section 10.4), in the transfer syntax that it is stored in. */
function retrieve(
  wire: Wire,
  { studyInstanceUid, seriesInstanceUid, sopInstanceUid }: InstancePath,
): Promise<Uint8Array> {
  const url = `${wire.root}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`;
  return wire.http.send(url, { headers: RETRIEVE_HEADERS }, async (answer) => {
    if (answer.status !== 200) throw statusError('retrieve', answer.status, answer.retryAfter);
    return dicomFile(await readInstance(answer, wire.maxObjectBytes));
  });
}

async function readInstance(answer: HttpAnswer, maxBytes: number): Promise<Buffer> {
  // Some servers send the one instance bare, whatever was asked for.
  if (/^application\/dicom\s*(;|$)/i.test(answer.contentType))
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
  const parts = await readMultipart(answer.body, answer.contentType, { maxBodyBytes: maxBytes, maxParts: 1 });
  if (parts[0] === undefined)
    throw new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', 'the archive answered a retrieval without any part');
  return parts[0].body;
}

/** PS3.10 section 7.1: 128 bytes of preamble, then DICM. */
function dicomFile(bytes: Buffer): Buffer {
  if (bytes.toString('latin1', 128, 132) !== 'DICM')
    throw new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', 'the archive sent something other than a DICOM file');
  return bytes;
}

/**
 * STOW-RS (PS3.18 section 10.5). Success only when the answer names each object as stored or as there already.
 * @throws HilumError STORE_FAILED with the refused instances; STORE_AMBIGUOUS when the answer is missing or does not
 * say.
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
        if (![200, 202, 409].includes(answer.status)) throw statusError('store', answer.status, answer.retryAfter);
        readStoreAnswer(await readText(answer.body, MAX_JSON_BYTES), uids);
      },
    ),
  );
}

/** After the request has left, a failure of the wire or of the answer says nothing about what was stored. */
async function ambiguousOnceSent(sending: Promise<void>): Promise<void> {
  try {
    await sending;
  } catch (error) {
    const open =
      (error instanceof TransportError && error.sent) ||
      (error instanceof HilumError && error.code === 'ARCHIVE_RESPONSE_INVALID');
    if (!open) throw error;
    throw new HilumError(
      'STORE_AMBIGUOUS',
      'ambiguous',
      'the archive took a store request and it is not known what it stored',
      { cause: error },
    );
  }
}

/**
 * What the archive lets Hilum do, for `hilum doctor`: never throws. The store check sends an empty request, which
 * stores nothing.
 */
function clock(wire: Wire): Promise<Date | null> {
  return wire.http.send(`${wire.root}/studies?limit=1`, { headers: JSON_HEADERS }, async ({ date }) => {
    const told = new Date(date);
    return Number.isNaN(told.getTime()) ? null : told;
  });
}

async function probe(wire: Wire): Promise<ProbeResult[]> {
  try {
    const rows = await probeQuery(wire);
    return [
      REACHED,
      { check: 'query', ok: true, text: 'Hilum may query (QIDO-RS)' },
      await probeRetrieve(wire, rows),
      await probeStore(wire),
    ];
  } catch (error) {
    if (error instanceof TransportError)
      return [
        { check: 'reach', ok: false, text: `${describeError(error)}: check archive.url, the network and archive.tls` },
      ];
    return [REACHED, { check: 'query', ok: false, text: advice(error) }];
  }
}

const REACHED: ProbeResult = { check: 'reach', ok: true, text: 'the archive answers' };

/** Unlike {@link query}, takes 404 as an error: here it means that archive.url is no DICOMweb root. */
function probeQuery(wire: Wire): Promise<unknown[]> {
  return wire.http.send(`${wire.root}/instances?limit=1`, { headers: JSON_HEADERS }, async (answer) => {
    if (answer.status === 204) return [];
    if (answer.status !== 200) throw statusError('query', answer.status, answer.retryAfter);
    const rows = parseJson(await readText(answer.body, MAX_JSON_BYTES));
    return Array.isArray(rows) ? (rows as unknown[]) : [];
  });
}

async function probeRetrieve(wire: Wire, rows: unknown[]): Promise<ProbeResult> {
  const first = readInstanceRows(rows).instances[0];
  if (first === undefined) return { check: 'retrieve', ok: true, text: 'not tried: the archive lists no instance' };
  try {
    await retrieve(wire, first);
    return { check: 'retrieve', ok: true, text: 'Hilum may retrieve (WADO-RS)' };
  } catch (error) {
    return { check: 'retrieve', ok: false, text: advice(error) };
  }
}

async function probeStore(wire: Wire): Promise<ProbeResult> {
  const boundary = randomUUID();
  const headers = {
    ...JSON_HEADERS,
    'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
  };
  try {
    const status = await wire.http.send(
      `${wire.root}/studies`,
      { method: 'POST', headers, body: writeMultipart([], boundary) },
      ({ status }) => Promise.resolve(status),
    );
    // 400 and 409 are how servers refuse a request for being empty, which it may only reach with the right to store.
    if ((status >= 200 && status < 300) || status === 400 || status === 409)
      return { check: 'store', ok: true, text: 'Hilum may store (STOW-RS)' };
    throw statusError('store', status, '');
  } catch (error) {
    return { check: 'store', ok: false, text: advice(error) };
  }
}

function advice(error: unknown): string {
  const code = error instanceof HilumError ? error.code : '';
  if (code === 'ARCHIVE_UNAUTHORISED') return `${describeError(error)}: check archive.auth and the rights of that user`;
  if (code === 'NOT_FOUND') return `${describeError(error)}: check that archive.url is the DICOMweb root`;
  return describeError(error);
}
