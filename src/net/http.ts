import { Agent, type Dispatcher, request } from 'undici';
import { type ErrorCode, HilumError } from '../base/errors';
import { describeSpan, failSpan, inChildSpan, type SpanStart, traceCarrier } from '../base/trace';
import { ContentEncodingError, unpacked } from './content-encoding';
import { readTls, type TlsFiles } from './tls';

/** `code` begins the error's code, `name` stands in its text. */
export interface Peer {
  readonly code: 'ARCHIVE' | 'RECEIVER';
  readonly name: string;
}

const ARCHIVE: Peer = { code: 'ARCHIVE', name: 'the archive' };

type Auth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** All times in milliseconds. */
export interface HttpOptions {
  readonly auth?: Auth;
  readonly tls?: TlsFiles;
  readonly connectTimeoutMs?: number;
  /** Longest wait for the headers, and between two pieces, of an answer. */
  readonly responseTimeoutMs?: number;
  /** Longest time for one request from end to end, so that a server which drips bytes can't hold a film for ever. */
  readonly requestTimeoutMs?: number;
  readonly connections?: number;
  /** Who is at the other end, for the codes and texts of errors; the archive by default. */
  readonly peer?: Peer;
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE';
  readonly headers: Record<string, string>;
  readonly body?: Buffer;
  /** Longest wait for the headers of this answer (milliseconds); by default `responseTimeoutMs`. */
  readonly responseTimeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string;
  /** The server's clock: the header Date, '' where there is none. */
  readonly date: string;
  /** Any other header by its name in lower case; '' where there is none. */
  readonly header: (name: string) => string;
  /** Without its Content-Encoding. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpClient {
  /**
   * One request; `use` reads the answer, whose rest is thrown away after it.
   * @throws HilumError of the peer's name, ARCHIVE_UNREACHABLE or ARCHIVE_TIMEOUT by default; whatever `use` throws.
   */
  send<T>(url: string, wanted: HttpRequest, use: (answer: HttpAnswer) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * A server that is overloaded or under repair, and perhaps said for how long. `isAway`: it is not there at all, as far
 * as a proxy or itself can tell.
 */
export class UnavailableError extends HilumError {
  constructor(
    message: string,
    readonly retryAfterMs: number | undefined,
    { code }: Peer = ARCHIVE,
    readonly isAway = false,
  ) {
    super(`${code}_UNAVAILABLE`, 'transient', message);
  }
}

/** The peer refused a request for good. */
export class RefusedError extends HilumError {
  constructor(
    message: string,
    readonly status: number,
    { code }: Peer = ARCHIVE,
  ) {
    super(`${code}_REFUSED`, 'permanent', message);
  }
}

/**
 * How long before a server says that it closes an idle connection (Keep-Alive: timeout) no request goes out on it any
 * more (milliseconds). Servers that say one second, as Orthanc does, get their connections used again all the same.
 */
const KEEP_ALIVE_MARGIN_MS = 500;

/**
 * An HTTP client that tells errors apart by what they mean for the work at hand. @throws HilumError CONFIG_INVALID for
 * unreadable TLS files.
 */
export function httpClient(options: HttpOptions): HttpClient {
  const {
    connectTimeoutMs = 10_000,
    responseTimeoutMs = 60_000,
    requestTimeoutMs = 600_000,
    connections = 8,
    peer = ARCHIVE,
  } = options;
  const authorization = authorizationOf(options.auth);
  const agent = new Agent({
    connect: { ...readTls(options.tls), timeout: connectTimeoutMs },
    connections,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    headersTimeout: responseTimeoutMs,
    bodyTimeout: responseTimeoutMs,
  });
  return {
    send: async (url, wanted, use) => {
      const headers = { ...wanted.headers, ...(authorization === undefined ? {} : { authorization }) };
      const headersTimeout = wanted.responseTimeoutMs ?? responseTimeoutMs;
      const signal = AbortSignal.timeout(Math.max(requestTimeoutMs, headersTimeout));
      const method = wanted.method ?? 'GET';
      return inChildSpan(
        () => requesting(method, url),
        () =>
          exchange(
            url,
            {
              dispatcher: agent,
              method,
              headers: { ...headers, ...traceCarrier() },
              body: wanted.body ?? null,
              headersTimeout,
              bodyTimeout: headersTimeout,
              signal,
            },
            peer,
            use,
          ),
      );
    },
    close: () => agent.destroy(),
  };
}

/**
 * By OpenTelemetry's semantic conventions for HTTP, but for `url.full`: paths and queries may hold what is about a
 * patient.
 */
function requesting(method: string, url: string): SpanStart {
  const { hostname, port, protocol } = new URL(url);
  return {
    name: method,
    kind: 'client',
    attributes: {
      'http.request.method': method,
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'url.scheme': protocol.slice(0, -1),
    },
  };
}

type RequestOptions = { dispatcher: Dispatcher } & Omit<Dispatcher.RequestOptions, 'origin' | 'path'>;

async function exchange<T>(
  url: string,
  options: RequestOptions,
  peer: Peer,
  use: (answer: HttpAnswer) => Promise<T>,
): Promise<T> {
  let body: Dispatcher.ResponseData['body'] | undefined;
  try {
    const response = await answered(url, options);
    body = response.body;
    describeSpan({ 'http.response.status_code': response.statusCode });
    if (response.statusCode >= 400) failSpan(String(response.statusCode));
    const header = (name: string): string => headerOf(response.headers, name);
    return await use({
      status: response.statusCode,
      contentType: header('content-type'),
      retryAfter: header('retry-after'),
      date: header('date'),
      header,
      body: unpacked(body, header('content-encoding')),
    });
  } catch (error) {
    throw error instanceof HilumError ? error : failureOf(error, peer);
  } finally {
    // What was not read must neither hold the connection nor raise an unhandled error.
    body?.on('error', () => {}).destroy();
  }
}

/** What a connection says that the other side has closed. */
const CLOSED_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * A server may close an idle connection while a request goes out on it. What only reads is asked once more (RFC 9110
 * section 9.2.2); what changes something is not, as the server may have done it.
 */
async function answered(url: string, options: RequestOptions): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, options);
  } catch (error) {
    const reads = options.method === 'GET' || options.method === 'HEAD';
    if (!reads || !CLOSED_CODES.has(signsOf(error).code)) throw error;
    return request(url, options);
  }
}

function failureOf(error: unknown, peer: Peer): HilumError {
  return error instanceof ContentEncodingError
    ? new HilumError(
        `${peer.code}_RESPONSE_INVALID`,
        'transient',
        `${peer.name} sent what can't be read: ${error.message}`,
      )
    : transportError(error, peer);
}

function authorizationOf(auth: Auth | undefined): string | undefined {
  switch (auth?.kind) {
    case 'basic':
      return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
    case 'bearer':
      return `Bearer ${auth.token}`;
    case 'none':
    case undefined:
      return undefined;
  }
}

function headerOf(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

const TIMEOUT_CODES = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_ABORTED', 'ETIMEDOUT']);
/** Failures before a byte of the request left: nothing can have been done by the server. */
const NOT_SENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * A failure of the wire, told by the codes of Node and undici. `sent` says whether the server may have seen the
 * request.
 */
export class TransportError extends HilumError {
  constructor(
    code: Extract<ErrorCode, `${Peer['code']}_${'UNREACHABLE' | 'TIMEOUT'}`>,
    message: string,
    readonly sent: boolean,
    cause: unknown,
  ) {
    super(code, 'transient', message, { cause });
  }
}

function transportError(error: unknown, { code: prefix, name: peer }: Peer): TransportError {
  const { code, name } = signsOf(error);
  if (TIMEOUT_CODES.has(code) || name === 'TimeoutError' || name === 'AbortError')
    return new TransportError(`${prefix}_TIMEOUT`, `${peer} did not answer in time`, true, error);
  const sent = !NOT_SENT_CODES.has(code) && !isCertificateError(code);
  return new TransportError(
    `${prefix}_UNREACHABLE`,
    `${peer} can't be reached${code === '' ? '' : ` (${code})`}`,
    sent,
    error,
  );
}

/**
 * A certificate that is not accepted, under OpenSSL's names: found out in the handshake, before the request is written.
 */
function isCertificateError(code: string): boolean {
  return /^(ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/.test(code);
}

/**
 * Code and name of an error, by shape: core errors and DOMException come from outside. Of a failed try at several
 * addresses, those of the first.
 */
function signsOf(error: unknown): { code: string; name: string } {
  const { code, name, errors, cause } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    name?: unknown;
    errors?: unknown;
    cause?: unknown;
  };
  if (typeof code === 'string' || (errors === undefined && cause === undefined))
    return { code: typeof code === 'string' ? code : '', name: typeof name === 'string' ? name : '' };
  return signsOf(Array.isArray(errors) ? errors[0] : cause);
}

/** What a proxy says when the server behind it is gone, or the server while it starts or is under repair. */
const AWAY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * The error for a status that is no success. For the archive, 401 and 403 are ARCHIVE_UNAUTHORISED, 404 and 410
 * NOT_FOUND, 408, 429 and 5xx ARCHIVE_UNAVAILABLE, all others ARCHIVE_REFUSED. The body is never quoted: it may name a
 * patient.
 */
export function statusError(action: string, status: number, retryAfter: string, peer: Peer = ARCHIVE): HilumError {
  const { code, name } = peer;
  if (status === 401 || status === 403)
    return new HilumError(`${code}_UNAUTHORISED`, 'permanent', `${name} does not let Hilum ${action} (HTTP ${status})`);
  if (status === 404 || status === 410)
    return new HilumError('NOT_FOUND', 'permanent', `${name} has nothing there to ${action} (HTTP ${status})`);
  if (status === 408 || status === 429 || status >= 500)
    return new UnavailableError(
      `${name} can't ${action} now (HTTP ${status})`,
      retryAfterMs(retryAfter),
      peer,
      AWAY_STATUSES.has(status),
    );
  return new RefusedError(`${name} refused to ${action} (HTTP ${status})`, status, peer);
}

/** Retry-After in seconds or as a date (RFC 9110 section 10.2.3), as milliseconds from now. */
export function retryAfterMs(header: string, now = Date.now()): number | undefined {
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return header === '' || Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The whole body as text, without a byte order mark. @throws HilumError ..._RESPONSE_INVALID above `maxBytes`. */
export async function readText(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  { code, name }: Peer = ARCHIVE,
): Promise<string> {
  return textOf(
    await readBytes(
      body,
      maxBytes,
      () =>
        new HilumError(`${code}_RESPONSE_INVALID`, 'transient', `${name}'s answer is longer than ${maxBytes} bytes`),
    ),
  );
}

/** UTF-8; the byte order mark that some servers put before their JSON is left out (RFC 8259 section 8.1). */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export async function readBytes(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  tooLong: () => Error,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxBytes) throw tooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
