import type { Request, RequestHandler } from 'express';

/**
 * Roles of a user or a machine. radiologist: list, pictures, verdicts. operator: queues, dead letters, nothing about a
 * patient. admin: users and tokens, and everything else. metrics: a machine that reads /metrics and the details of
 * health.
 */
export const ROLES = ['radiologist', 'operator', 'admin', 'metrics'] as const;
export type Role = (typeof ROLES)[number];
/** Roles that a person can have. */
export const PERSON_ROLES = ['radiologist', 'operator', 'admin'] as const satisfies readonly Role[];

/** User of a request. */
export interface RequestUser {
  /**
   * Unique and permanent: `local:NAME`, `oidc:SUBJECT`, `token:PREFIX` or `loopback` (access.kind none). Stored with
   * verdicts.
   */
  readonly id: string;
  /** Name for display. */
  readonly name: string;
  readonly roles: readonly Role[];
  readonly kind: 'local' | 'oidc' | 'token' | 'loopback';
}

/** User id of a local account. @param username in lower case */
export const localId = (username: string): string => `local:${username}`;

export const tokenId = (prefix: string): string => `token:${prefix}`;

/** Whether the user has one of the roles; an admin has all of them. */
export function hasRole(user: Pick<RequestUser, 'roles'>, ...roles: readonly Role[]): boolean {
  return user.roles.includes('admin') || roles.some((role) => user.roles.includes(role));
}

const users = new WeakMap<Request, RequestUser>();

/** Sets the user of a request; only the access layer calls it. */
export function setUser(request: Request, user: RequestUser): void {
  users.set(request, user);
}

/** User of a request; null where nobody has signed in. */
export function userOf(request: Request): RequestUser | null {
  return users.get(request) ?? null;
}

/** Who may use a route: anybody, every signed-in user, or users with one of these roles. */
export type Rule = 'open' | 'signed-in' | readonly Role[];

/**
 * The user of a request behind a guard: `signedIn` and `needs` make sure that there is one.
 * @throws Error when the route has no guard
 */
export function requiredUser(request: Request): RequestUser {
  const user = users.get(request);
  if (user === undefined) throw new Error('this route has no guard');
  return user;
}

const RULE = Symbol('rule');
type Guard = RequestHandler & { readonly [RULE]: Rule };

function guard(rule: Rule, allows: (user: RequestUser | null) => boolean): Guard {
  const handler: RequestHandler = (request, _response, next) => {
    const user = userOf(request);
    next(allows(user) ? undefined : new Refused(user === null ? 401 : 403));
  };
  return Object.assign(handler, { [RULE]: rule });
}

/**
 * A refused request: 401 not signed in, 403 not allowed, 429 too many requests, 503 can't be recorded. The access layer
 * answers it.
 */
export class Refused extends Error {
  constructor(
    readonly status: 401 | 403 | 429 | 503,
    message = 'refused',
  ) {
    super(message);
    this.name = 'Refused';
  }
}

/** First handler of a route for anybody: sign-in, style, liveness. */
export const open: RequestHandler = guard('open', () => true);
/** First handler of a route for every signed-in user, whatever the role. */
export const signedIn: RequestHandler = guard('signed-in', (user) => user !== null);
/** First handler of a route for users with one of these roles (an admin has all). */
export function needs(...roles: readonly [Role, ...Role[]]): RequestHandler {
  return guard(roles, (user) => user !== null && hasRole(user, ...roles));
}

/** The rule of a guard, or null for other handlers; for the test that no route lacks one. */
export function ruleOf(handler: unknown): Rule | null {
  return typeof handler === 'function' && RULE in handler ? (handler as Guard)[RULE] : null;
}
