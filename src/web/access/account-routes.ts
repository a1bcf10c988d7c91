import { type Request, type Response, Router } from 'express';
import type { AuditRecorder } from '../audit/recorder';
import { form } from '../unreadable';
import { type Directory, nameOf } from './directory';
import type { SignInLimits } from './limits';
import { accountPage, tokensPage, usersPage } from './pages';
import { checkPassword } from './password-check';
import type { SessionBook } from './session-book';
import { addressOf, textOf } from './sign-in-routes';
import { needs, requiredUser, signedIn } from './user';

export interface AccountParts {
  readonly directory: Directory;
  readonly book: SessionBook;
  readonly limits: SignInLimits;
  readonly recorder: AuditRecorder;
  readonly hasLocal: boolean;
}

/** One's own account; for admins users and API tokens. */
export function accountRoutes(parts: AccountParts): Router {
  const router = Router();
  router.get('/account', signedIn, (request, response) => void response.send(accountPage(requiredUser(request), null)));
  if (parts.hasLocal) addUserRoutes(router, parts);
  const { directory } = parts;
  const show = async (response: Response, made: string | null, problem: string | null) =>
    void response.status(problem === null ? 200 : 400).send(tokensPage(await directory.listTokens(), made, problem));
  router.get('/account/tokens', needs('admin'), (_request, response) => show(response, null, null));
  router.post('/account/tokens', needs('admin'), form, async (request, response) => {
    const made = await directory.addToken(textOf(request, 'label'), textOf(request, 'role'), requiredUser(request).id);
    if (typeof made === 'string') return show(response, null, made);
    await changed(parts, request, `API token made for ${textOf(request, 'role')}`, `token:${made.prefix}`, true);
    return show(response, made.token, null);
  });
  router.post(
    '/account/tokens/:prefix/revoke',
    needs('admin'),
    async (request: Request<{ prefix: string }>, response) => {
      const problem = await directory.revokeToken(request.params.prefix);
      if (problem === null) await changed(parts, request, 'API token revoked', `token:${request.params.prefix}`, true);
      return show(response, null, problem);
    },
  );
  return router;
}

function addUserRoutes(router: Router, parts: AccountParts): void {
  const { directory } = parts;
  router.post('/account/password', signedIn, form, (request, response) => changeOwnPassword(parts, request, response));
  router.get(
    '/account/users',
    needs('admin'),
    async (_request, response) => void response.send(usersPage(await directory.list(), null)),
  );
  router.post('/account/users', needs('admin'), form, async (request, response) => {
    const [username, displayName, password, roles] = [
      textOf(request, 'username'),
      textOf(request, 'displayName'),
      textOf(request, 'password'),
      rolesIn(request),
    ];
    const problem = await directory.add({ username, displayName, password, roles });
    if (problem === null)
      await changed(parts, request, `account made with the roles ${roles.join(', ')}`, nameOf(username), true);
    return showUsers(directory, response, problem);
  });
  addUserChanges(router, parts);
}

async function showUsers(directory: Directory, response: Response, problem: string | null): Promise<void> {
  if (problem === null) response.redirect(303, '/account/users');
  else response.status(400).send(usersPage(await directory.list(), problem));
}

function addUserChanges(router: Router, parts: AccountParts): void {
  const { directory } = parts;
  router.post(
    '/account/users/:username/roles',
    needs('admin'),
    form,
    async (request: Request<{ username: string }>, response) => {
      const roles = rolesIn(request);
      const problem = await directory.setRoles(request.params.username, roles);
      if (problem === null)
        await changed(parts, request, `roles are now ${roles.join(', ')}`, nameOf(request.params.username), true);
      return showUsers(directory, response, problem);
    },
  );
  router.post(
    '/account/users/:username/password',
    needs('admin'),
    form,
    async (request: Request<{ username: string }>, response) => {
      const { username } = request.params;
      const problem = await directory.setPassword(
        username,
        textOf(request, `password-${username}`) || textOf(request, 'password'),
      );
      if (problem === null)
        await changed(parts, request, 'password set by an admin, sessions ended', nameOf(username), false);
      return showUsers(directory, response, problem);
    },
  );
  router.post(
    '/account/users/:username/remove',
    needs('admin'),
    async (request: Request<{ username: string }>, response) => {
      const problem = await directory.remove(request.params.username);
      if (problem === null)
        await changed(parts, request, 'account removed, sessions ended', nameOf(request.params.username), false);
      return showUsers(directory, response, problem);
    },
  );
}

async function changeOwnPassword(parts: AccountParts, request: Request, response: Response): Promise<void> {
  const user = requiredUser(request);
  const username = user.id.slice('local:'.length);
  const refuse = (problem: string) => void response.status(400).send(accountPage(user, problem));
  if (user.kind !== 'local') {
    refuse('This account has no password here.');
    return;
  }
  const given = { username, password: textOf(request, 'current'), address: addressOf(request) };
  const account = await checkPassword(parts, given);
  if (account === null) {
    refuse('The password until now is not right.');
    return;
  }
  const problem = await parts.directory.setPassword(username, textOf(request, 'next'));
  if (problem !== null) {
    refuse(problem);
    return;
  }
  await changed(parts, request, 'password changed, sessions ended', username, false);
  // Every session ended, this one too: a new one under a new id.
  await parts.book.begin(request, response, {
    userId: user.id,
    username,
    displayName: account.displayName,
    roles: account.roles,
    idToken: null,
  });
  response.redirect(303, '/account');
}

function rolesIn(request: Request): string[] {
  const roles = (request.body as Record<string, unknown> | undefined)?.['roles'];
  return (Array.isArray(roles) ? roles : [roles]).filter((role): role is string => typeof role === 'string');
}

function changed(
  { recorder }: AccountParts,
  request: Request<object>,
  what: string,
  account: string,
  isRoleChange: boolean,
): Promise<void> {
  const user = requiredUser(request as Request);
  return recorder.record(
    { ...user, address: addressOf(request as Request) },
    { kind: 'account', what, account, isRoleChange },
  );
}
