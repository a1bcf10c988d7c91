import { Agent, type Dispatcher, request } from 'undici';
import { type ErrorCode, HilumError } from '../base/errors';
import { describeSpan, failSpan, inChildSpan, type SpanStart, traceCarrier } from '../base/trace';
import { ContentEncodingError, unpacked } from './content-encoding';
import { readTls, type TlsFiles } from './tls';

/** The other side, for errors: `code` is the prefix of error codes, `name` is used in messages. */
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
  /** Longest wait for the response headers, and between two chunks of the body. */
  readonly responseTimeoutMs?: number;
  /** Longest time for a whole request, so that a slow server can't hold a film for ever. */
  readonly requestTimeoutMs?: number;
  readonly connections?: number;
  /** The other side, for codes and messages of errors; by default the archive. */
  readonly peer?: Peer;
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE';
  readonly headers: Record<string, string>;
  readonly body?: Buffer;
  /** Longest wait for the headers of this response (milliseconds); by default `responseTimeoutMs`. */
  readonly responseTimeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string;
  /** The server's clock: header Date, '' where there is none. */
  readonly date: string;
  /** Any other header, by its name in lower case; '' where there is none. */
  readonly header: (name: string) => string;
  /** Body without its Content-Encoding. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpClient {
  /**
   * Sends one request; `use` reads the response, and what it leaves is discarded.
   * @throws HilumError with the peer's prefix, by default ARCHIVE_UNREACHABLE or ARCHIVE_TIMEOUT; errors of `use`
   */
  send<T>(url: string, wanted: HttpRequest, use: (answer: HttpAnswer) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * A server that is overloaded or under maintenance, with Retry-After if it sent one. `isAway`: it is not reachable at
 * all, by its own or a proxy's status.
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

/** The peer refused a request permanently. */
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
 * A connection is not used within this time before its announced end (Keep-Alive: timeout), in milliseconds. Small
 * enough for servers that announce one second, such as Orthanc.
 */
const KEEP_ALIVE_MARGIN_MS = 500;

/**
 * An HTTP client whose errors are classified as transient, ambiguous or permanent.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files
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
 * Attributes by OpenTelemetry's semantic conventions for HTTP, without `url.full`: paths and queries may hold patient
 * data.
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
    // An unread body must neither hold the connection nor raise an unhandled error.
    body?.on('error', () => {}).destroy();
  }
}

/** Error codes of a connection that the other side has closed. */
const CLOSED_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * A server may close an idle connection while a request is sent on it. Requests that only read are sent once more (RFC
 * 9110 section 9.2.2); others are not, as the server may have processed them.
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
/** Errors before a byte of the request was sent: the server can't have processed it. */
const NOT_SENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * A network failure, classified by the error codes of Node and undici. `sent`: the server may have received the
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

/** A rejected certificate, by OpenSSL's names: detected in the handshake, before the request is sent. */
function isCertificateError(code: string): boolean {
  return /^(ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/.test(code);
}

/**
 * Code and name of an error, by shape: core errors and DOMException come from other realms. Where several addresses
 * failed, those of the first.
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

/** Statuses of a proxy whose server is gone, or of a server that is starting or under maintenance. */
const AWAY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * The error for an unsuccessful status. For the archive, 401 and 403 are ARCHIVE_UNAUTHORISED, 404 and 410 NOT_FOUND,
 * 408, 429 and 5xx ARCHIVE_UNAVAILABLE, all others ARCHIVE_REFUSED. The body is never quoted, as it may name a patient.
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

/** Retry-After (seconds or a date, RFC 9110 section 10.2.3) as milliseconds from now. */
export function retryAfterMs(header: string, now = Date.now()): number | undefined {
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return header === '' || Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The whole body as text, without a byte order mark. @throws HilumError ..._RESPONSE_INVALID above `maxBytes` */
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

/** Decodes UTF-8; the byte order mark that some servers send before JSON is dropped (RFC 8259 section 8.1). */
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
