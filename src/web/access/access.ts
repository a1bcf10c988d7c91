import {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from 'express';
import { describeFailure, HilumError } from '../../base/errors';
import type { Log } from '../../base/log';
import { type AuditRecorder, SERVICE } from '../audit/recorder';
import { type HttpConfig, isExposed } from '../config';
import type { ConfiguredLanguage } from '../../language/config';
import { translated } from '../../language/words';
import { networkOf } from '../../net/network';
import { chooseLanguage, wordsOf } from '../language';
import { readableAddress, requestFault } from '../unreadable';
import { accountRoutes } from './account-routes';
import type { AuditEvent } from './audit-event';
import type { AccessConfig } from './config';
import { Directory } from './directory';
import { headers, isFromOurselves, loopbackOnly, proxyOnly } from './request-checks';
import { RequestLimit, SignInLimits, TooMany } from './limits';
import { OidcClient } from './oidc';
import { refusalPage } from './pages';
import { AuditThrottle } from './audit-throttle';
import { type AccessStores, bearerOf, Authenticator } from './authenticator';
import { addressOf, signInRoutes } from './sign-in-routes';
import { hasRole, needs, open, Refused, type RequestUser, setUser, userOf } from './user';

/**
 * The access layer, behind which all other routes are. {@link protect} mounts it:
 *
 *     const app = protect(access, (app) => {
 *       app.get('/api/studies', needs('radiologist'), handler);
 *     });
 *
 * Each route begins with `open`, `signedIn` or `needs(...)` (user.ts); a test fails on a route without one.
 */
export interface Access {
  /**
   * Security headers, authentication, protection against other sites' requests, rate limit, sign-in and account pages.
   */
  readonly front: RequestHandler;
  /**
   * Last error handler: answers refusals with 401, 403, 429 or 503, unreadable requests with 4xx, all else with 500, as
   * JSON or as a page. The cause is in the log only.
   */
  readonly refusals: ErrorRequestHandler;
  /** Whether other machines can reach the service; then health shows no details, and metrics need a role. */
  readonly isExposed: boolean;
  /** Whether there is no sign-in (access.kind none, on loopback only), which the pages show. */
  readonly everyoneIsLocal: boolean;
  /** First handler of /metrics: open on loopback, else for the roles metrics and operator. */
  readonly forMachines: RequestHandler;
  readonly trustedProxies: readonly string[];
  /** Whether this request may see the details of health. */
  maySeeDetails(request: Request): boolean;
  /**
   * The user of a request at this moment, without renewing the session. A stream calls it every half minute and ends on
   * null.
   * @throws HilumError of the database
   */
  current(request: Request): Promise<RequestUser | null>;
  /**
   * Writes an audit message about this request and resolves when it is on disk: await it before the response.
   * @throws HilumError AUDIT_FAILED, which becomes 503: nothing is shown that is not recorded
   */
  audit(request: Request, event: AuditEvent): Promise<void>;
  /**
   * Records the start of the service; at the very first start without an admin, makes the token for the first one and
   * logs it.
   */
  begin(): Promise<void>;
  close(): Promise<void>;
}

export interface AccessParts {
  readonly http: HttpConfig;
  readonly access: AccessConfig;
  /** Null where there is no sign-in. */
  readonly stores: AccessStores | null;
  readonly recorder: AuditRecorder;
  readonly log: Log;
  /** Language of the pages; by default the browser's. */
  readonly language?: ConfiguredLanguage;
  /** fetch for requests to the OpenID Connect provider, which trusts `access.oidc.caFile`. */
  readonly fetch?: (url: string, options: RequestInit) => Promise<globalThis.Response>;
  readonly now?: () => number;
  /** For how long repeated events of users who have not signed in are joined (milliseconds). */
  readonly repeatsMs?: number;
}

const LOCAL_USER: RequestUser = {
  id: 'loopback',
  name: 'this machine',
  roles: ['radiologist', 'operator', 'admin'],
  kind: 'loopback',
};
const MINUTE_MS = 60_000;
/** Requests per minute and network to the open pages, which cost more to answer than to send. */
const SIGN_INS_PER_MINUTE = 120;
/** A repeated refusal within this time makes one audit message (milliseconds). */
const REFUSED_WINDOW_MS = MINUTE_MS;

/** Puts all routes behind the access layer. `addRoutes` adds the service's own. */
export function protect(access: Access, app: Express, addRoutes: (app: Express) => void): Express {
  app.disable('x-powered-by');
  app.set('trust proxy', access.trustedProxies);
  app.use(access.front);
  addRoutes(app);
  app.use((_request, response) => void response.status(404).json({ error: 'not found' }));
  app.use(access.refusals);
  return app;
}

/** Builds the access layer as configured; where `access.kind` is none, requests from this machine have all roles. */
export function createAccess(parts: AccessParts): Access {
  const { http, access, stores, recorder, log, now = Date.now } = parts;
  const everyoneIsLocal = access.kind === 'none';
  if (!everyoneIsLocal && stores === null)
    throw new HilumError('CONFIG_INVALID', 'permanent', 'sign-in needs the database');
  const exposed = isExposed(http);
  const auditThrottle = new AuditThrottle(recorder, parts.repeatsMs);
  const accounts = stores && { authenticator: authenticatorOf(parts, stores), directory: new Directory(stores, now) };
  const identify = async (request: Request, touches: boolean) =>
    everyoneIsLocal
      ? loopbackOnly(request)
        ? LOCAL_USER
        : null
      : ((await accounts?.authenticator.identify(request, touches)) ?? null);
  return {
    front: frontOf(parts, accounts, identify, auditThrottle),
    refusals: refusals(recorder, log, now),
    isExposed: exposed,
    everyoneIsLocal,
    forMachines: exposed ? needs('metrics', 'operator') : open,
    trustedProxies: http.trustedProxies,
    maySeeDetails: (request) => !exposed || hasRole(userOf(request) ?? { roles: [] }, 'metrics', 'operator'),
    current: (request) => identify(request, false),
    audit: (request, event) => recorder.record(actorOf(request), event),
    ...beginningAndEnd(parts, accounts?.directory ?? null, auditThrottle),
  };
}

type Identify = (request: Request, touches: boolean) => Promise<RequestUser | null>;

/** Whether browsers use HTTPS, to the service itself or to its reverse proxy. */
function isHttps({ tls, publicUrl }: HttpConfig): boolean {
  return tls !== undefined || publicUrl?.startsWith('https:') === true;
}

function authenticatorOf({ http, access, now = Date.now }: AccessParts, stores: AccessStores): Authenticator {
  return new Authenticator(
    stores,
    {
      isHttps: isHttps(http),
      idleMs: access.idleMinutes * MINUTE_MS,
      longestMs: access.sessionHours * 60 * MINUTE_MS,
    },
    now,
  );
}

function frontOf(
  parts: AccessParts,
  accounts: { readonly authenticator: Authenticator; readonly directory: Directory } | null,
  identify: Identify,
  auditThrottle: AuditThrottle,
): Router {
  const { http, access, recorder } = parts;
  const originOf = (request: Request) =>
    http.publicUrl !== undefined
      ? new URL(http.publicUrl).origin
      : `${http.tls ? 'https' : 'http'}://${request.headers.host ?? ''}`;
  const oidc = oidcOf(parts);
  const signIns = new RequestLimit(SIGN_INS_PER_MINUTE);
  const front = Router();
  front.use(
    ...headers({ isHttps: isHttps(http), formTargets: () => oidc?.origins() ?? [] }),
    readableAddress(originOf),
    chooseLanguage(parts.language ?? 'auto', isHttps(http)),
    proxyOnly(http),
    whoIsIt(
      identify,
      new RequestLimit(access.requestsPerMinute),
      (path) => OPEN_PATHS.test(path) || (!isExposed(http) && path === '/metrics'),
    ),
    fromOurselves(originOf),
  );
  front.use(['/sign-in', '/sign-out', '/first-admin'], (request, _response, next) =>
    signIns.count(networkOf(addressOf(request))).then(() => next()),
  );
  // Browsers request it on their own; the pages name another icon.
  front.get('/favicon.ico', open, (_request, response) => void response.status(204).end());
  if (accounts !== null) {
    const limits = new SignInLimits(access.signInTries);
    const shared = { ...accounts, limits, recorder, auditThrottle, hasLocal: access.kind !== 'oidc' };
    front.use(signInRoutes({ ...shared, oidc, originOf }));
    front.use(accountRoutes(shared));
  }
  return front;
}

function oidcOf(parts: AccessParts): OidcClient | null {
  const { kind, oidc } = parts.access;
  if (oidc === undefined || (kind !== 'oidc' && kind !== 'both')) return null;
  return new OidcClient(oidc, parts.fetch ?? ((url, options) => fetch(url, options)));
}

const OFFER_AGAIN_MS = 15_000;

function beginningAndEnd(
  { access: { kind }, recorder, log }: AccessParts,
  directory: Directory | null,
  auditThrottle: AuditThrottle,
): Pick<Access, 'begin' | 'close'> {
  let offering: NodeJS.Timeout | undefined;
  let hasBegun = false;
  return {
    async begin() {
      if (kind === 'none' || directory === null) {
        log.info(
          { event: 'access.everyone-local' },
          'nobody has to sign in: only this machine is served, and whoever uses it has all roles',
        );
        return;
      }
      await recorder.record(SERVICE, { kind: 'start' });
      hasBegun = true;
      const offer = () =>
        directory.offerFirstToken((change) => recorder.record(SERVICE, { kind: 'account', ...change }));
      if (kind !== 'oidc')
        await offerFirstToken(offer, log, (again) => (offering = setTimeout(again, OFFER_AGAIN_MS).unref()));
    },
    async close() {
      clearTimeout(offering);
      await auditThrottle.tellAll().catch(() => {});
      // A failed start has recorded no start: another process may use the same trail.
      if (hasBegun) await recorder.record(SERVICE, { kind: 'stop' }).catch(() => {});
      await recorder.close();
    },
  };
}

/** A database that is away does not delay the start: it is tried again later. */
async function offerFirstToken(
  offer: () => Promise<string | null>,
  log: Log,
  later: (again: () => void) => void,
): Promise<void> {
  try {
    const token = await offer();
    if (token !== null)
      log.warn(
        { event: 'access.first-token', token },
        'there is no admin yet: open /first-admin with this token. It is shown this once, and ends when the ' +
          'first admin is made',
      );
  } catch (error) {
    log.warn(
      { event: 'access.unavailable', code: error instanceof HilumError ? error.code : undefined },
      'the database does not tell whether there is an admin; tried again soon',
    );
    later(() => void offerFirstToken(offer, log, later));
  }
}

function actorOf(request: Request) {
  const user = userOf(request);
  const address = addressOf(request);
  return user === null ? { id: 'unknown', name: 'unknown', roles: [], address } : { ...user, address };
}

/** Paths that are open to anybody. */
const OPEN_PATHS = /^\/(sign-in(\.css|\/oidc|\/callback)?|sign-out|first-admin|health\/(live|ready)|favicon\.ico)\/?$/;

/** Requests that a page makes by itself and can't mark as such: live updates, pictures, files of the pages. */
const BACKGROUND_PATHS = /^\/(ui\/[^/]+|api\/v1\/(live|studies\/[^/]+\/films\/[^/]+\/(picture|heat-map)))$/;

/** Sets the user of a request. Without a user only open paths go on. */
function whoIsIt(identify: Identify, limit: RequestLimit, isOpen: (path: string) => boolean): RequestHandler {
  return async (request, _response, next) => {
    const address = networkOf(addressOf(request));
    // Counted first, as a request that is not signed in costs a database query.
    const claims = request.headers.cookie !== undefined || bearerOf(request) !== null;
    if (!claims) await limit.count(address);
    const user = await identify(request, !BACKGROUND_PATHS.test(request.path));
    if (claims) await limit.count(user === null ? address : user.id);
    if (user !== null) setUser(request, user);
    // A wrong token is refused, not treated as no sign-in. A route that lacks its guard is not opened by this.
    if (user === null && (bearerOf(request) !== null || !isOpen(request.path))) throw new Refused(401);
    next();
  };
}

/**
 * Requests that change something must come from our own pages, or carry an API token, which browsers never send by
 * themselves.
 */
function fromOurselves(originOf: (request: Request) => string): RequestHandler {
  return (request, _response, next) => {
    next(
      userOf(request)?.kind === 'token' || isFromOurselves(request, originOf(request))
        ? undefined
        : new Refused(403, 'the request does not come from a page of this service'),
    );
  };
}

const TEXTS: Readonly<Record<number, string>> = {
  400: 'This request can not be read.',
  401: 'Please sign in.',
  403: 'You may not do this.',
  404: 'There is nothing here.',
  413: 'This is more than is taken.',
  415: 'This is in a form that is not taken.',
  429: 'Too many tries. Please wait and try again.',
  500: 'The service could not do it. The log of the service says where it failed.',
  503:
    'This is not possible at present: the database, the audit trail or the sign-in provider does not answer. The ' +
    'log of the service says which.',
};

/** Answers refusals. Pages get a page or a redirect to the sign-in; everything else a JSON object. */
function refusals(recorder: AuditRecorder, log: Log, now: () => number): ErrorRequestHandler {
  const told = new Map<string, number>();
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express tells an error handler by its four parameters
  return async (error: unknown, request, response, _next) => {
    const status = statusOf(error);
    if (status === 500 || response.headersSent)
      log.error({ event: 'web.request-failed', error: describeFailure(error) }, 'a request failed');
    else if (error instanceof HilumError)
      log.warn({ event: 'access.unavailable', code: error.code }, 'a request could not be answered');
    if (response.headersSent) return void response.destroy();
    if (error instanceof TooMany) response.set('Retry-After', String(error.retryAfterSeconds));
    const user = userOf(request);
    const path = (request.route as { readonly path: string } | undefined)?.path ?? '';
    if (status === 403 && user !== null && isNew(told, `${user.id} ${request.method} ${path}`, now()))
      await recorder
        .record(actorOf(request), { kind: 'refused', what: `${request.method} ${request.path}` })
        .catch(() => {});
    answer(request, response, status, user);
  };
}

function statusOf(error: unknown): number {
  if (error instanceof Refused) return error.status;
  if (error instanceof TooMany) return 429;
  if (error instanceof HilumError && error.lasting === 'transient') return 503;
  return requestFault(error) ?? 500;
}

function answer(request: Request, response: Response, status: number, user: RequestUser | null): void {
  const wantsPage = request.accepts(['json', 'html']) === 'html';
  const text = TEXTS[status] ?? TEXTS[400]!;
  if (!wantsPage) return void response.status(status).json({ error: text });
  if (status === 401 && request.method === 'GET') {
    response.redirect(303, `/sign-in?returnTo=${encodeURIComponent(request.originalUrl)}`);
    return;
  }
  const words = wordsOf(request);
  response.status(status).send(refusalPage(words, { status, text: translated(words, text), backLink: user !== null }));
}

const MAX_TOLD = 1000;

function isNew(told: Map<string, number>, key: string, at: number): boolean {
  if (at - (told.get(key) ?? -Infinity) < REFUSED_WINDOW_MS) return false;
  if (told.size >= MAX_TOLD) told.clear();
  told.set(key, at);
  return true;
}
