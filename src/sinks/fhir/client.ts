import { HilumError } from '../../base/errors';
import {
  type HttpAnswer,
  httpClient,
  type HttpOptions,
  type Peer,
  readText,
  retryAfterMs,
  statusError,
  UnavailableError,
} from '../../net/http';

export interface FhirOptions extends Pick<HttpOptions, 'auth' | 'tls' | 'connectTimeoutMs' | 'responseTimeoutMs'> {
  /** Base URL. */
  readonly url: string;
}

export interface FhirServer {
  /**
   * Sends a transaction and resolves when all of its entries are done.
   * @throws HilumError RECEIVER_UNREACHABLE, RECEIVER_TIMEOUT, RECEIVER_UNAVAILABLE, RECEIVER_RESPONSE_INVALID
   * (transient), RECEIVER_REFUSED, RECEIVER_UNAUTHORISED, NOT_FOUND (permanent). The server's text is never quoted, as
   * it may name a patient
   */
  transact(bundle: object): Promise<void>;
  /**
   * Reads the server's capabilities (GET metadata).
   * @throws HilumError as above; CONFIG_INVALID where it is no FHIR R4 server
   */
  probe(): Promise<void>;
  close(): Promise<void>;
}

const PEER: Peer = { code: 'RECEIVER', name: 'the FHIR server' };
const FHIR_JSON = 'application/fhir+json';
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** @throws HilumError CONFIG_INVALID for unreadable TLS files */
export function fhirServer({ url, ...options }: FhirOptions): FhirServer {
  const client = httpClient({
    ...options,
    requestTimeoutMs: (options.responseTimeoutMs ?? 60_000) * 2,
    connections: 1,
    peer: PEER,
  });
  const base = url.replace(/\/$/, '');
  return {
    transact: (bundle) =>
      client.send(
        base,
        {
          method: 'POST',
          headers: { 'content-type': FHIR_JSON, accept: FHIR_JSON, prefer: 'return=minimal' },
          body: Buffer.from(JSON.stringify(bundle)),
        },
        async (answer) => checkEntries(await jsonOf(answer, 'take a result'), bundle),
      ),
    probe: () =>
      client.send(`${base}/metadata`, { headers: { accept: FHIR_JSON } }, async (answer) => {
        const { resourceType, fhirVersion } = (await jsonOf(answer, 'tell what it can do')) as {
          resourceType?: unknown;
          fhirVersion?: unknown;
        };
        if (resourceType !== 'CapabilityStatement' || !String(fhirVersion).startsWith('4.0'))
          throw new HilumError('CONFIG_INVALID', 'permanent', 'what answers there is no FHIR R4 server');
      }),
    close: () => client.close(),
  };
}

async function jsonOf(answer: HttpAnswer, action: string): Promise<object> {
  if (answer.status >= 400 || answer.status < 200) throw failed(answer.status, action, answer.retryAfter);
  try {
    const value: unknown = JSON.parse(await readText(answer.body, MAX_ANSWER_BYTES, PEER));
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new HilumError('RECEIVER_RESPONSE_INVALID', 'transient', 'the FHIR server answered what is no JSON object');
}

/** Each entry has its own status: servers that process a transaction as a batch answer 200 although an entry failed. */
function checkEntries(answer: { resourceType?: unknown; entry?: unknown }, bundle: object): void {
  const entries = Array.isArray(answer.entry) ? (answer.entry as { response?: { status?: unknown } }[]) : [];
  const { length } = (bundle as { entry: readonly unknown[] }).entry;
  if (answer.resourceType !== 'Bundle' || entries.length !== length)
    throw new HilumError('RECEIVER_RESPONSE_INVALID', 'transient', 'the FHIR server did not answer to each entry');
  for (const { response } of entries) {
    const status = Number.parseInt(String(response?.status), 10);
    if (!(status >= 200 && status < 300)) throw failed(status, 'take an entry of the result', '');
  }
}

/** 409 is a conflict with another transaction, and transient. */
function failed(status: number, action: string, retryAfter: string): HilumError {
  if (Number.isNaN(status))
    return new HilumError(
      'RECEIVER_RESPONSE_INVALID',
      'transient',
      'the FHIR server answered an entry without a status',
    );
  return status === 409
    ? new UnavailableError(`the FHIR server can't ${action} now (HTTP 409)`, retryAfterMs(retryAfter), PEER)
    : statusError(action, status, retryAfter, PEER);
}
