import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { type HttpClient, readBytes, RefusedError, statusError, UnavailableError } from '../net/http';
import { PageError } from './archive-http';
import { ROW_TAGS } from './dicom-json';
import { HEADER_ROW_TAGS } from './film-header';
import type { JsonParser } from './json-thread';

/** A DICOMweb server, and what was learnt about it. */
export interface Wire {
  readonly http: HttpClient;
  readonly root: string;
  readonly storeTimeoutMs: number;
  readonly maxObjectBytes: number;
  readonly maxInstances: number;
  readonly parser: JsonParser;
  /** Page size of searches; reduced where the server has refused larger ones. */
  readonly pages: { size: number };
  readonly log: Log | undefined;
}

export const JSON_HEADERS = { accept: 'application/dicom+json', 'accept-encoding': 'gzip' };

/** Smallest limit for a search response (bytes): for small pages, and for servers that ignore `limit`. */
const MIN_JSON_BYTES = 8 * 1024 * 1024;
const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** Bytes allowed for one row; Orthanc's have 1 to 2 KB. */
const ROW_BYTES = 16 * 1024;
/** Pages are not made smaller than this: then the refusal has another reason. */
const MIN_PAGE = 10;
/** Statuses by which servers refuse a page size. */
const TOO_MANY: ReadonlySet<number> = new Set([400, 413, 422]);

const SEARCH_TAGS = [...new Set([...ROW_TAGS, ...HEADER_ROW_TAGS])];

export interface QueryOptions {
  readonly timeoutMs?: number | undefined;
  readonly maxBytes?: number;
  /** Top-level tags that are read of each row; by default all that searches need. */
  readonly tags?: readonly string[];
}

/**
 * A search (QIDO-RS). A 404 counts as ARCHIVE_UNAVAILABLE: a search without results is answered by 200 or 204 (PS3.18
 * section 10.6.3.1), and a 404 comes from a proxy without a server behind it.
 * @throws HilumError
 */
export async function search(wire: Wire, path: string, options: QueryOptions = {}): Promise<unknown[]> {
  const rows = await query(wire, path, options);
  if (rows === null)
    throw new UnavailableError(
      'the archive answered a search with HTTP 404: check that archive.url is the DICOMweb root, ' +
        'and that the server behind a proxy runs',
      undefined,
      undefined,
      true,
    );
  return rows;
}

/** Reads a resource in the DICOM JSON model; null for 404 and 410. */
export function query(
  wire: Wire,
  path: string,
  { timeoutMs, maxBytes = MIN_JSON_BYTES, tags = SEARCH_TAGS }: QueryOptions,
): Promise<unknown[] | null> {
  return wire.http.send(
    `${wire.root}${path}`,
    { headers: JSON_HEADERS, ...(timeoutMs === undefined ? {} : { responseTimeoutMs: timeoutMs }) },
    async ({ status, retryAfter, body }) => {
      if (status === 204) return [];
      if (status === 404 || status === 410) return null;
      if (status !== 200 && status !== 206) throw statusError('query', status, retryAfter);
      const bytes = await readBytes(body, maxBytes, () => invalid(`is longer than ${maxBytes} bytes`));
      const reply = await wire.parser.parse(bytes, tags);
      if (reply.kind === 'rows') return [...reply.rows];
      if (reply.kind === 'no-json' && reply.isPage) throw new PageError(status);
      throw invalid(reply.kind === 'no-json' ? 'is not JSON' : 'is something other than a DICOM JSON array');
    },
  );
}

const invalid = (what: string) =>
  new HilumError('ARCHIVE_RESPONSE_INVALID', 'transient', `the archive's answer to a query ${what}`);

export interface Page {
  readonly limit?: number;
  readonly offset: number;
  readonly timeoutMs?: number | undefined;
}

/**
 * One page of a search. If the server refuses the page size, it is halved until the server accepts, and the accepted
 * size is remembered.
 * @param path with its query, to which `limit` and `offset` are added
 */
export async function searchPage(wire: Wire, path: string, { limit, offset, timeoutMs }: Page): Promise<unknown[]> {
  const wanted = Math.min(limit ?? wire.pages.size, wire.pages.size);
  for (let size = wanted; ; size = Math.floor(size / 2)) {
    try {
      const maxBytes = Math.min(MAX_JSON_BYTES, Math.max(MIN_JSON_BYTES, size * ROW_BYTES));
      const rows = await search(wire, `${path}&limit=${size}&offset=${offset}`, { timeoutMs, maxBytes });
      if (size < wanted) learnPageSize(wire, size);
      return rows;
    } catch (error) {
      const isTooMany = error instanceof RefusedError && TOO_MANY.has(error.status);
      if (!isTooMany || size / 2 < MIN_PAGE) throw error;
    }
  }
}

function learnPageSize(wire: Wire, size: number): void {
  if (size >= wire.pages.size) return;
  wire.pages.size = size;
  wire.log?.info(
    { event: 'archive.page-size', rows: size },
    'the archive refuses larger pages; smaller ones are asked for',
  );
}
