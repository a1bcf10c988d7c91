import { HilumError } from '../base/errors';
import {
  type HttpAnswer,
  httpClient,
  type HttpClient,
  type HttpOptions,
  type HttpRequest,
  type Peer,
  readText,
  statusError,
} from './http';

/**
 * HTTP client for systems that results are delivered to: errors are RECEIVER_* and name the receiver. Redirects are not
 * followed.
 */
export class Receiver {
  private readonly http: HttpClient;
  readonly peer: Peer;

  /**
   * @param name name in error messages, e.g. `the worklist server`
   * @throws HilumError CONFIG_INVALID for unreadable TLS files
   */
  constructor(options: HttpOptions, name: string) {
    this.peer = { code: 'RECEIVER', name };
    this.http = httpClient({ ...options, peer: this.peer });
  }

  /** Sends one request. @throws HilumError RECEIVER_UNREACHABLE, RECEIVER_TIMEOUT; errors of `use` */
  send<T>(url: string, wanted: HttpRequest, use: (answer: HttpAnswer) => Promise<T>): Promise<T> {
    return this.http.send(url, wanted, use);
  }

  /** The error for an unsuccessful status. 404 and 410 are refusals: the URL is wrong, no object of ours is missing. */
  statusError(action: string, { status, retryAfter }: Pick<HttpAnswer, 'status' | 'retryAfter'>): HilumError {
    return status === 404 || status === 410
      ? this.refused(action, status)
      : statusError(action, status, retryAfter, this.peer);
  }

  refused(action: string, status: number): HilumError {
    return new HilumError('RECEIVER_REFUSED', 'permanent', `${this.peer.name} refused to ${action} (HTTP ${status})`);
  }

  /** @throws HilumError RECEIVER_RESPONSE_INVALID where it is too long or no JSON */
  async readJson({ body }: HttpAnswer, maxBytes: number): Promise<unknown> {
    const text = await readText(body, maxBytes, this.peer);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // Without a cause, as V8's error message quotes the text.
      throw this.invalid('something other than JSON');
    }
  }

  invalid(what: string): HilumError {
    return new HilumError('RECEIVER_RESPONSE_INVALID', 'transient', `${this.peer.name} answered with ${what}`);
  }

  close(): Promise<void> {
    return this.http.close();
  }
}
