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
import { Repeats } from './repeats';
import { type AccessStores, bearerOf, Authenticator } from './authenticator';
import { addressOf, signInRoutes } from './sign-in-routes';
import { hasRole, needs, open, Refused, type RequestUser, setUser, userOf } from './user';

/**
 * The layer that everything else of the web sits behind. {@link protect} mounts it:
 *
 *     const app = protect(access, (app) => {
 *       app.get('/api/studies', needs('radiologist'), handler);
 *     });
 *
 * Each route begins with `open`, `signedIn` or `needs(...)` (user.ts); a test walks all routes and fails on one
 * without.
 */
export interface Access {
  /** Headers, who it is, other sites' requests, rate limit, sign-in and account pages. */
  readonly front: RequestHandler;
  /**
   * Last of all, and the only end of an error: turns what was refused into 401, 403, 429 or 503, what can't be read
   * into 4xx, all else into 500, as JSON or as a page, and says nothing of the cause but in the log.
   */
  readonly refusals: ErrorRequestHandler;
  /** Whether others than this machine can reach the service; then health says only whether, and metrics need a role. */
  readonly isExposed: boolean;
  /** Whether nobody has to sign in (access.kind none, on loopback only): the pages say so. */
  readonly everyoneIsLocal: boolean;
  /** First handler of /metrics: open on loopback, else for the roles metrics and operator. */
  readonly forMachines: RequestHandler;
  readonly trustedProxies: readonly string[];
  /** Whether health may tell this sender what is wrong. */
  maySeeDetails(request: Request): boolean;
  /**
   * Who the sender of a request is at this moment, without counting as use of the session. A stream asks every half
   * minute, and ends on null.
   * @throws HilumError of the database.
   */
  current(request: Request): Promise<RequestUser | null>;
  /**
   * Writes an audit message about this request and resolves when it is on the disk: await it before what it tells of is
   * answered.
   * @throws HilumError AUDIT_FAILED, which becomes 503: nothing is shown that is not recorded.
   */
  audit(request: Request, event: AuditEvent): Promise<void>;
  /**
   * Records the start of the service; at the very first start without an admin makes the token for the first one and
   * logs it.
   */
  begin(): Promise<void>;
  close(): Promise<void>;
}

export interface AccessParts {
  readonly http: HttpConfig;
  readonly access: AccessConfig;
  /** Null where nobody signs in: then nothing of it is kept. */
  readonly stores: AccessStores | null;
  readonly recorder: AuditRecorder;
  readonly log: Log;
  /** Of pages; by default the browser's. */
  readonly language?: ConfiguredLanguage;
  /** Of the requests to the OpenID Connect provider: it trusts `access.oidc.caFile`. */
  readonly fetch?: (url: string, options: RequestInit) => Promise<globalThis.Response>;
  readonly now?: () => number;
  /** How long what strangers repeat is joined (milliseconds). */
  readonly repeatsMs?: number;
}

const LOCAL_USER: RequestUser = {
  id: 'loopback',
  name: 'this machine',
  roles: ['radiologist', 'operator', 'admin'],
  kind: 'loopback',
};
const MINUTE_MS = 60_000;
/** Of one network: to the pages that anybody may use, each of which costs more than to read. */
const SIGN_INS_PER_MINUTE = 120;
/** One audit message for a refusal that is repeated within this time. */
const REFUSED_WINDOW_MS = MINUTE_MS;

/** Puts everything behind the access layer. `addRoutes` adds the service's own. */
export function protect(access: Access, app: Express, addRoutes: (app: Express) => void): Express {
  app.disable('x-powered-by');
  app.set('trust proxy', access.trustedProxies);
  app.use(access.front);
  addRoutes(app);
  app.use((_request, response) => void response.status(404).json({ error: 'not found' }));
  app.use(access.refusals);
  return app;
}

/**
 * Puts the layer together. Everything of the sign-in is as configured; where `access.kind` is none, requests from this
 * machine have all roles.
 */
export function createAccess(parts: AccessParts): Access {
  const { http, access, stores, recorder, log, now = Date.now } = parts;
  const everyoneIsLocal = access.kind === 'none';
  if (!everyoneIsLocal && stores === null)
    throw new HilumError('CONFIG_INVALID', 'permanent', 'sign-in needs the database');
  const exposed = isExposed(http);
  const repeats = new Repeats(recorder, parts.repeatsMs);
  const accounts = stores && { authenticator: authenticatorOf(parts, stores), directory: new Directory(stores, now) };
  const identify = async (request: Request, touches: boolean) =>
    everyoneIsLocal
      ? loopbackOnly(request)
        ? LOCAL_USER
        : null
      : ((await accounts?.authenticator.identify(request, touches)) ?? null);
  return {
    front: frontOf(parts, accounts, identify, repeats),
    refusals: refusals(recorder, log, now),
    isExposed: exposed,
    everyoneIsLocal,
    forMachines: exposed ? needs('metrics', 'operator') : open,
    trustedProxies: http.trustedProxies,
    maySeeDetails: (request) => !exposed || hasRole(userOf(request) ?? { roles: [] }, 'metrics', 'operator'),
    current: (request) => identify(request, false),
    audit: (request, event) => recorder.record(actorOf(request), event),
    ...beginningAndEnd(parts, accounts?.directory ?? null, repeats),
  };
}

type Identify = (request: Request, touches: boolean) => Promise<RequestUser | null>;

/** Whether browsers come by HTTPS, to the service itself or to its reverse proxy. */
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
  repeats: Repeats,
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
  // Browsers ask for it by themselves; the pages name another one.
  front.get('/favicon.ico', open, (_request, response) => void response.status(204).end());
  if (accounts !== null) {
    const limits = new SignInLimits(access.signInTries);
    const shared = { ...accounts, limits, recorder, repeats, hasLocal: access.kind !== 'oidc' };
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
  repeats: Repeats,
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
      await repeats.tellAll().catch(() => {});
      // A start that failed has told of none: another process may use the same trail.
      if (hasBegun) await recorder.record(SERVICE, { kind: 'stop' }).catch(() => {});
      await recorder.close();
    },
  };
}

/** A database that is away holds up no start: it is tried again later. */
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

/** All that anybody may ask for. */
const OPEN_PATHS = /^\/(sign-in(\.css|\/oidc|\/callback)?|sign-out|first-admin|health\/(live|ready)|favicon\.ico)\/?$/;

/** Sets the user. Who has none gets no further than the open paths. */
function whoIsIt(identify: Identify, limit: RequestLimit, isOpen: (path: string) => boolean): RequestHandler {
  return async (request, _response, next) => {
    const address = networkOf(addressOf(request));
    // Counted first: without a sign-in each request costs a look into the database.
    const claims = request.headers.cookie !== undefined || bearerOf(request) !== null;
    if (!claims) await limit.count(address);
    const user = await identify(request, true);
    if (claims) await limit.count(user === null ? address : user.id);
    if (user !== null) setUser(request, user);
    // A token that is wrong is told so, and not taken for nobody. And a route that forgot its guard is not open for
    // that.
    if (user === null && (bearerOf(request) !== null || !isOpen(request.path))) throw new Refused(401);
    next();
  };
}

/**
 * Requests that change something come from our own pages, or from a machine with a token, which browsers never send by
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

/** Answers what was refused. Pages get a page or the way to the sign-in; everything else a JSON object. */
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

const MOST_TOLD = 1000;

function isNew(told: Map<string, number>, key: string, at: number): boolean {
  if (at - (told.get(key) ?? -Infinity) < REFUSED_WINDOW_MS) return false;
  if (told.size >= MOST_TOLD) told.clear();
  told.set(key, at);
  return true;
}
