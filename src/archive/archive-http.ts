import { HilumError } from '../base/errors';
import {
  type HttpAnswer,
  httpClient,
  type HttpClient,
  type HttpOptions,
  type HttpRequest,
  UnavailableError,
} from '../net/http';

/** More redirects in a row are treated as a loop. */
const MAX_REDIRECTS = 5;

/**
 * The HTTP client for the archive. It follows 307 and 308 to the same origin, with method and body (RFC 9110 section
 * 15.4.8). Any other redirect, and any HTML page, is taken for the sign-in page of a proxy: it is neither followed nor
 * read, and credentials never leave their origin. It counts as an outage, because such proxies recover by themselves.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files
 */
export function archiveHttp(options: HttpOptions): HttpClient {
  const http = httpClient(options);
  return { send: (url, wanted, use) => send(http, url, wanted, use, MAX_REDIRECTS), close: () => http.close() };
}

class Redirect {
  constructor(readonly url: string) {}
}

async function send<T>(
  http: HttpClient,
  url: string,
  wanted: HttpRequest,
  use: (answer: HttpAnswer) => Promise<T>,
  left: number,
): Promise<T> {
  const result = await http.send<T | Redirect>(url, wanted, (answer) => {
    if (answer.status >= 300 && answer.status < 400 && answer.status !== 304)
      return Promise.resolve(new Redirect(redirectOf(url, answer, left)));
    if (isPage(answer)) throw new PageError(answer.status);
    return use(answer);
  });
  return result instanceof Redirect ? send(http, result.url, wanted, use, left - 1) : result;
}

function redirectOf(url: string, { status, header }: HttpAnswer, left: number): string {
  if (status === 302 || status === 303) throw away(`${SIGN_IN_PAGE} (HTTP ${status})`);
  const location = header('location');
  const to = URL.canParse(location, url) ? new URL(location, url) : null;
  const isFollowed = status === 307 || status === 308;
  if (!isFollowed || to?.origin !== new URL(url).origin || left === 0)
    throw away(`answers with a redirect to ${left === 0 ? 'no end' : 'another address'} (HTTP ${status})`);
  return to.href;
}

function isPage({ status, contentType }: HttpAnswer): boolean {
  return status >= 200 && status < 300 && /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(contentType);
}

/** Whether a text is an HTML page, whatever its Content-Type says. */
export const looksLikePage = (text: string): boolean =>
  /^\s*<(!doctype\s+html|html|head|body)\b/i.test(text.slice(0, 512));

/**
 * An HTML page was returned where data were asked for. It does not come from the archive, so the archive counts as
 * away.
 */
export class PageError extends HilumError {
  readonly isAway = true;

  constructor(status: number) {
    super('ARCHIVE_RESPONSE_INVALID', 'transient', `the archive ${SIGN_IN_PAGE} (HTTP ${status})`);
  }
}

const SIGN_IN_PAGE = 'answers with a sign-in page';

function away(what: string): UnavailableError {
  return new UnavailableError(`the archive ${what}`, undefined, undefined, true);
}
