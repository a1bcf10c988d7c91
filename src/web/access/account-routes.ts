import { type Request, type Response, Router } from 'express';
import type { AuditRecorder } from '../audit/recorder';
import { wordsOf } from '../language';
import { form } from '../unreadable';
import type { Account } from './account-store';
import { type Directory, type RecordChange, WRONG_PASSWORD } from './directory';
import { type SignInLimits, TooMany } from './limits';
import { accountPage, sessionsPage, tokensPage, usersPage } from './pages';
import { checkPassword } from './password-check';
import type { AuditThrottle } from './audit-throttle';
import { type Authenticator, sessionOf } from './authenticator';
import { addressOf, textOf } from './sign-in-routes';
import { needs, requiredUser, signedIn } from './user';

export interface AccountParts {
  readonly directory: Directory;
  readonly authenticator: Authenticator;
  readonly limits: SignInLimits;
  readonly recorder: AuditRecorder;
  readonly auditThrottle: AuditThrottle;
  readonly hasLocal: boolean;
}

/** Routes of one's own account; for admins, of users, sessions and API tokens. */
export function accountRoutes(parts: AccountParts): Router {
  const router = Router();
  router.get(
    '/account',
    signedIn,
    (request, response) => void response.send(accountPage(wordsOf(request), requiredUser(request), null)),
  );
  if (parts.hasLocal) addUserRoutes(router, parts);
  addSessionRoutes(router, parts);
  addTokenRoutes(router, parts);
  return router;
}

function addSessionRoutes(router: Router, parts: AccountParts): void {
  const { authenticator, directory } = parts;
  const show = async (request: Request<object>, response: Response, problem: string | null) =>
    void response
      .status(problem === null ? 200 : 400)
      .send(sessionsPage(wordsOf(request), await authenticator.signedIn(), problem));
  router.get('/account/sessions', needs('admin'), (request, response) => show(request, response, null));
  router.post('/account/sessions/:user/end', needs('admin'), async (request: Request<{ user: string }>, response) =>
    show(request, response, await directory.endSessions(request.params.user, recordBy(parts, request))),
  );
}

function addTokenRoutes(router: Router, parts: AccountParts): void {
  const { directory } = parts;
  const show = async (
    request: Request<object>,
    response: Response,
    told: { readonly shown: string | null; readonly problem: string | null },
  ) =>
    void response
      .status(told.problem === null ? 200 : 400)
      .send(tokensPage(wordsOf(request), await directory.listTokens(), told));
  router.get('/account/tokens', needs('admin'), (request, response) =>
    show(request, response, { shown: null, problem: null }),
  );
  router.post('/account/tokens', needs('admin'), form, async (request, response) => {
    const [label, role, days] = ['label', 'role', 'days'].map((name) => textOf(request, name)) as [
      string,
      string,
      string,
    ];
    const wanted = { label, role, createdBy: requiredUser(request).id, ...(days === '' ? {} : { days: Number(days) }) };
    const made = await directory.addToken(wanted, recordBy(parts, request));
    const told = typeof made === 'string' ? { shown: null, problem: made } : { shown: made.token, problem: null };
    return show(request, response, told);
  });
  router.post(
    '/account/tokens/:prefix/revoke',
    needs('admin'),
    async (request: Request<{ prefix: string }>, response) => {
      const problem = await directory.revokeToken(request.params.prefix, recordBy(parts, request));
      return show(request, response, { shown: null, problem });
    },
  );
}

function addUserRoutes(router: Router, parts: AccountParts): void {
  const { directory } = parts;
  router.post('/account/password', signedIn, form, (request, response) => changeOwnPassword(parts, request, response));
  router.get(
    '/account/users',
    needs('admin'),
    async (request, response) => void response.send(usersPage(wordsOf(request), await directory.list(), null)),
  );
  router.post('/account/users', needs('admin'), form, async (request, response) => {
    const [username, displayName, password, roles] = [
      textOf(request, 'username'),
      textOf(request, 'displayName'),
      textOf(request, 'password'),
      rolesIn(request),
    ];
    const problem = await directory.add({ username, displayName, password, roles }, recordBy(parts, request));
    return showUsers(directory, request, response, problem);
  });
  addUserChanges(router, parts);
}

async function showUsers(
  directory: Directory,
  request: Request<object>,
  response: Response,
  problem: string | null,
): Promise<void> {
  if (problem === null) response.redirect(303, '/account/users');
  else response.status(400).send(usersPage(wordsOf(request), await directory.list(), problem));
}

function addUserChanges(router: Router, parts: AccountParts): void {
  const { directory } = parts;
  router.post(
    '/account/users/:username/roles',
    needs('admin'),
    form,
    async (request: Request<{ username: string }>, response) => {
      const problem = await directory.setRoles(request.params.username, rolesIn(request), recordBy(parts, request));
      return showUsers(directory, request, response, problem);
    },
  );
  router.post(
    '/account/users/:username/password',
    needs('admin'),
    form,
    async (request: Request<{ username: string }>, response) => {
      const { username } = request.params;
      const password = textOf(request, `password-${username}`) || textOf(request, 'password');
      const problem = await directory.setPassword(username, password, recordBy(parts, request));
      return showUsers(directory, request, response, problem);
    },
  );
  router.post(
    '/account/users/:username/remove',
    needs('admin'),
    async (request: Request<{ username: string }>, response) =>
      showUsers(
        directory,
        request,
        response,
        await directory.remove(request.params.username, recordBy(parts, request)),
      ),
  );
}

async function changeOwnPassword(parts: AccountParts, request: Request, response: Response): Promise<void> {
  const user = requiredUser(request);
  const username = user.id.slice('local:'.length);
  const refuse = (problem: string) => void response.status(400).send(accountPage(wordsOf(request), user, problem));
  if (user.kind !== 'local') {
    refuse('This account has no password here.');
    return;
  }
  const account = await knownAccount(parts, request, username);
  if (account === null) {
    refuse(WRONG_PASSWORD);
    return;
  }
  const changed = await parts.directory.changePassword(account, textOf(request, 'next'), recordBy(parts, request));
  if (typeof changed === 'string') {
    refuse(changed);
    return;
  }
  // All sessions have ended, this one too: a new one begins under a new id.
  await parts.authenticator.begin(request, response, sessionOf(account), changed);
  response.redirect(303, '/account');
}

/** The account if its current password is right, else null; with the limits and the audit of a sign-in. */
async function knownAccount(parts: AccountParts, request: Request, username: string): Promise<Account | null> {
  const actor = { ...requiredUser(request), address: addressOf(request) };
  const said = (outcome: 'failure' | 'locked', why: string) =>
    ({ kind: 'sign-in', outcome, why: `change of the password: ${why}` }) as const;
  const given = { username, password: textOf(request, 'current'), address: actor.address };
  const account = await checkPassword(parts, given).catch(async (error: unknown) => {
    if (error instanceof TooMany) await parts.auditThrottle.record(actor, said('locked', 'too many tries'));
    throw error;
  });
  if (account === null) await parts.recorder.record(actor, said('failure', 'the password until now is wrong'));
  return account;
}

function rolesIn(request: Request): string[] {
  const roles = (request.body as Record<string, unknown> | undefined)?.['roles'];
  return (Array.isArray(roles) ? roles : [roles]).filter((role): role is string => typeof role === 'string');
}

/** Records changes in the name of the request's user. */
function recordBy({ recorder }: AccountParts, request: Request<object>): RecordChange {
  const actor = { ...requiredUser(request as Request), address: addressOf(request as Request) };
  return (change) => recorder.record(actor, { kind: 'account', ...change });
}
