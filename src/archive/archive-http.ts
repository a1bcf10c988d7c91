import { HilumError } from '../base/errors';
import {
  type HttpAnswer,
  httpClient,
  type HttpClient,
  type HttpOptions,
  type HttpRequest,
  UnavailableError,
} from '../net/http';

/** More redirects in a row than this lead nowhere. */
const MAX_REDIRECTS = 5;

/**
 * The HTTP client for the archive. 307 and 308 to the same origin are followed, with method and body (RFC 9110 section
 * 15.4.8). Everything else that leads away is how a proxy asks for a sign-in, and so is a page of HTML: neither is
 * followed or read, and credentials never leave the origin they are for. It counts as an outage, because sign-ins of
 * proxies come back by themselves.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files.
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

/** Whether a text is a page although nothing says so. */
export const looksLikePage = (text: string): boolean =>
  /^\s*<(!doctype\s+html|html|head|body)\b/i.test(text.slice(0, 512));

/** A page where something else was asked for. It is no answer of the archive, so that it counts as away. */
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
