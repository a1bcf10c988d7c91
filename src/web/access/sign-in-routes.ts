import { type Request, type Response, Router } from 'express';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../base/errors';
import type { AuditRecorder } from '../audit/recorder';
import { plainAddress } from '../../net/network';
import { wordsOf } from '../language';
import { form } from '../unreadable';
import type { Directory } from './directory';
import { nameOf } from './directory';
import { type SignInLimits, TooMany } from './limits';
import { NotSignedIn, type OidcClient } from './oidc';
import { firstAdminPage, signInPage, type SignInPage } from './pages';
import { checkPassword } from './password-check';
import type { AuditThrottle } from './audit-throttle';
import { type Authenticator, sessionOf } from './authenticator';
import { localId, open, userOf } from './user';

/** What the sign-in routes need. */
export interface SignInParts {
  readonly directory: Directory;
  readonly authenticator: Authenticator;
  readonly limits: SignInLimits;
  /** Null where there are only local accounts. */
  readonly oidc: OidcClient | null;
  readonly hasLocal: boolean;
  readonly recorder: AuditRecorder;
  /** Audit of events that anybody can cause without a sign-in. */
  readonly auditThrottle: AuditThrottle;
  /** Origin of the service in the browser: https://hilum.hospital.example */
  originOf(request: Request): string;
}

/** `npm run build` puts it beside this file. */
const STYLE = join(__dirname, 'sign-in.css');

const CALLBACK = '/sign-in/callback';
const WRONG = 'The account or the password is not right.';

export function textOf(request: Request, name: string): string {
  const value = (request.body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : '';
}

/** Longest path to return to (characters); those of the pages are shorter. */
const LONGEST_RETURN = 512;

/**
 * A path of our own to return to after the sign-in; anything else becomes the start page, so that nothing redirects to
 * other sites.
 */
function safeReturn(text: unknown): string {
  if (typeof text !== 'string' || text.length > LONGEST_RETURN) return '/';
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(text) && !text.includes('\\') ? text : '/';
}

export function addressOf(request: Request): string {
  return plainAddress(request.ip ?? '');
}

/** Routes of sign-in, sign-out and the first admin. */
export function signInRoutes(parts: SignInParts): Router {
  const router = Router();
  const style = readFileSync(STYLE);
  router.get(
    '/sign-in.css',
    open,
    (_request, response) => void response.type('css').set('Cache-Control', 'public, max-age=3600').send(style),
  );
  router.get('/sign-in', open, async (request, response) => {
    const returnTo = safeReturn(request.query['returnTo']);
    if (userOf(request) !== null) {
      response.redirect(303, returnTo);
      return;
    }
    await showSignIn(parts, request, response, { returnTo, problem: null, signedOut: request.query['out'] === '1' });
  });
  router.post('/sign-out', open, (request, response) => signOut(parts, request, response));
  if (parts.hasLocal) {
    router.post('/sign-in', open, form, (request, response) => signIn(parts, request, response));
    router.get('/first-admin', open, async (request, response) => {
      if (await parts.directory.awaitsFirstAdmin()) response.send(firstAdminPage(wordsOf(request), null));
      else response.redirect(303, '/sign-in');
    });
    router.post('/first-admin', open, form, (request, response) => firstAdmin(parts, request, response));
  }
  const { oidc } = parts;
  if (oidc !== null) {
    router.get('/sign-in/oidc', open, async (request, response) => {
      const { url, flow } = await oidc.start(parts.originOf(request) + CALLBACK);
      await parts.authenticator.beginFlow(response, { ...flow, returnTo: safeReturn(request.query['returnTo']) });
      response.redirect(303, url.href);
    });
    router.get(CALLBACK, open, (request, response) => callback(parts, oidc, request, response));
  }
  return router;
}

async function showSignIn(
  { directory, hasLocal, oidc }: SignInParts,
  request: Request,
  response: Response,
  shown: Pick<SignInPage, 'returnTo' | 'problem' | 'signedOut'>,
): Promise<void> {
  const awaitsFirstAdmin = hasLocal && (await directory.awaitsFirstAdmin());
  response.send(signInPage(wordsOf(request), { local: hasLocal, oidc: oidc !== null, awaitsFirstAdmin, ...shown }));
}

async function signIn(parts: SignInParts, request: Request, response: Response): Promise<void> {
  const [username, address, returnTo] = [
    nameOf(textOf(request, 'username')).slice(0, 64),
    addressOf(request),
    safeReturn(textOf(request, 'returnTo')),
  ];
  const claimed = { id: localId(username), name: username, roles: [], address };
  const account = await checkPassword(parts, { username, password: textOf(request, 'password'), address }).catch(
    async (error: unknown) => {
      if (error instanceof TooMany)
        await parts.auditThrottle.record(claimed, { kind: 'sign-in', outcome: 'locked', why: 'too many tries' });
      throw error;
    },
  );
  const begun =
    account !== null &&
    (await parts.authenticator.begin(request, response, sessionOf(account), {
      passwordHash: account.passwordHash,
      recorded: () =>
        parts.recorder.record(
          { ...claimed, name: account.displayName, roles: account.roles },
          { kind: 'sign-in', outcome: 'success' },
        ),
    }));
  if (!begun) {
    await parts.recorder.record(claimed, { kind: 'sign-in', outcome: 'failure', why: 'wrong account or password' });
    response.status(401);
    return showSignIn(parts, request, response, { returnTo, problem: WRONG, signedOut: false });
  }
  response.redirect(303, returnTo);
}

async function firstAdmin(parts: SignInParts, request: Request, response: Response): Promise<void> {
  await parts.limits.count('first admin', addressOf(request));
  const [username, displayName] = [textOf(request, 'username'), textOf(request, 'displayName')];
  const actor = {
    id: localId(nameOf(username).slice(0, 64)),
    name: displayName,
    roles: [],
    address: addressOf(request),
  };
  const problem = await parts.directory.addFirstAdmin(
    textOf(request, 'token').trim(),
    { username, displayName, password: textOf(request, 'password') },
    (change) => parts.recorder.record(actor, { kind: 'account', ...change }),
  );
  if (problem !== null) {
    await parts.auditThrottle.record(actor, { kind: 'refused', what: 'first admin' });
    response.status(403).send(firstAdminPage(wordsOf(request), problem));
    return;
  }
  response.redirect(303, '/sign-in');
}

async function callback(parts: SignInParts, oidc: OidcClient, request: Request, response: Response): Promise<void> {
  const address = addressOf(request);
  const flow = await parts.authenticator.endFlow(request, response);
  const refuse = async (id: string, why: string, text: string) => {
    const recorder = id === 'unknown' ? parts.auditThrottle : parts.recorder;
    await recorder.record({ id, name: id, roles: [], address }, { kind: 'sign-in', outcome: 'failure', why });
    response.status(403);
    await showSignIn(parts, request, response, { returnTo: '/', problem: text, signedOut: false });
  };
  if (flow === null)
    return refuse(
      'unknown',
      'no sign-in was begun in this browser',
      'This sign-in was not begun here, or it took too long. Please try again.',
    );
  try {
    const user = await oidc.finish(new URL(request.originalUrl, parts.originOf(request)), flow);
    const id = `oidc:${user.subject}`;
    // The provider reports only now that it has removed the role.
    if (!user.roles.includes('admin'))
      await parts.directory.revokeTokensOf(id, (change) =>
        parts.recorder.record({ id, name: user.name, roles: user.roles, address }, { kind: 'account', ...change }),
      );
    if (user.roles.length === 0) {
      await refuse(id, 'no role', 'You have an account at the hospital, but no role in Hilum. Please ask who runs it.');
      return;
    }
    if (!(await parts.authenticator.finishFlow(flow))) throw new NotSignedIn('this sign-in was finished before');
    await parts.recorder.record(
      { id, name: user.name, roles: user.roles, address },
      { kind: 'sign-in', outcome: 'success' },
    );
    await parts.authenticator.begin(request, response, {
      userId: id,
      username: null,
      displayName: user.name,
      roles: user.roles,
      idToken: user.idToken,
    });
    response.redirect(303, flow.returnTo);
  } catch (error) {
    if (!(error instanceof NotSignedIn)) throw error;
    await refuse('unknown', describeError(error), 'The provider did not sign you in. Please try again.');
  }
}

async function signOut(parts: SignInParts, request: Request, response: Response): Promise<void> {
  const user = userOf(request);
  const session = await parts.authenticator.end(request, response);
  if (user !== null)
    await parts.recorder.record({ ...user, address: addressOf(request) }, { kind: 'sign-out', outcome: 'success' });
  const back = `${parts.originOf(request)}/sign-in?out=1`;
  // A provider that is away must not prevent the sign-out here.
  const elsewhere =
    session === null || session.username !== null || parts.oidc === null
      ? null
      : await parts.oidc.signOutUrl(session.idToken, back).catch(() => null);
  response.redirect(303, elsewhere?.href ?? '/sign-in?out=1');
}
