import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import { type HttpClient, readBytes, RefusedError, statusError, UnavailableError } from '../net/http';
import { PageError } from './archive-http';
import { ROW_TAGS } from './dicom-json';
import { HEADER_ROW_TAGS } from './film-header';
import type { JsonParser } from './json-thread';

/** A DICOMweb server, with what was learnt of it. */
export interface Wire {
  readonly http: HttpClient;
  readonly root: string;
  readonly storeTimeoutMs: number;
  readonly maxObjectBytes: number;
  readonly maxInstances: number;
  readonly parser: JsonParser;
  /** Most rows that one search asks for; smaller once the server has refused more. */
  readonly pages: { size: number };
  readonly log: Log | undefined;
}

export const JSON_HEADERS = { accept: 'application/dicom+json', 'accept-encoding': 'gzip' };

/** What an answer may take, small pages and servers that ignore `limit` included (bytes). */
const LEAST_JSON_BYTES = 8 * 1024 * 1024;
const MOST_JSON_BYTES = 64 * 1024 * 1024;
/** Of one row, generously: Orthanc's have 1 to 2 KB. */
const ROW_BYTES = 16 * 1024;
/** Below this, a page is not what a server refuses. */
const LEAST_PAGE = 10;
/** How servers refuse a limit. */
const TOO_MANY: ReadonlySet<number> = new Set([400, 413, 422]);

const SEARCH_TAGS = [...new Set([...ROW_TAGS, ...HEADER_ROW_TAGS])];

export interface QueryOptions {
  readonly timeoutMs?: number | undefined;
  readonly maxBytes?: number;
  /** Top-level tags that are read of each row; by default all that a search is read for. */
  readonly tags?: readonly string[];
}

/**
 * A search (QIDO-RS). @throws HilumError ARCHIVE_UNAVAILABLE for 404, too: a search that finds nothing is answered 200
 * or 204 (PS3.18 section 10.6.3.1), and what says 404 is a proxy without a server behind it.
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

/** A resource in the DICOM JSON model; null for 404 and 410. */
export function query(
  wire: Wire,
  path: string,
  { timeoutMs, maxBytes = LEAST_JSON_BYTES, tags = SEARCH_TAGS }: QueryOptions,
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
 * One page of a search, of at most as many rows as the server lets ask for: refused, it is asked for half, and so on;
 * what was taken is remembered.
 * @param path with its query, to which `limit` and `offset` are added
 */
export async function searchPage(wire: Wire, path: string, { limit, offset, timeoutMs }: Page): Promise<unknown[]> {
  const wanted = Math.min(limit ?? wire.pages.size, wire.pages.size);
  for (let size = wanted; ; size = Math.floor(size / 2)) {
    try {
      const maxBytes = Math.min(MOST_JSON_BYTES, Math.max(LEAST_JSON_BYTES, size * ROW_BYTES));
      const rows = await search(wire, `${path}&limit=${size}&offset=${offset}`, { timeoutMs, maxBytes });
      if (size < wanted) learnPageSize(wire, size);
      return rows;
    } catch (error) {
      const isTooMany = error instanceof RefusedError && TOO_MANY.has(error.status);
      if (!isTooMany || size / 2 < LEAST_PAGE) throw error;
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
