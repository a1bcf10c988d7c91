import { parseCookie } from 'cookie';
import type { CookieOptions, Request, Response } from 'express';
import { timingSafeEqual } from 'node:crypto';
import type { Account, Accounts } from './account-store';
import { openFlow, type PendingFlow, sealFlow } from './flow-cookie';
import { hashSecret, prefixOf, randomSecret } from './secret';
import type { ByPassword, Session, Sessions, SignedInUser } from './session-store';
import type { ApiTokens } from './token-store';
import { localId, type RequestUser, type Role, ROLES, tokenId } from './user';

export interface SessionSettings {
  /** Whether browsers use HTTPS: then cookies are Secure and have the prefix `__Host-`. */
  readonly isHttps: boolean;
  readonly idleMs: number;
  readonly longestMs: number;
}

/** Database stores of the sign-in. */
export interface AccessStores {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly tokens: ApiTokens;
}

export type NewSession = Pick<Session, 'userId' | 'username' | 'displayName' | 'roles' | 'idToken'>;

/**
 * The last use of a session is updated at most this often (milliseconds): a write for each picture would be too much.
 */
const TOUCH_MS = 60_000;
const PENDING_MS = 10 * 60_000;
const SWEEP_MS = 10 * 60_000;

/** Header of requests without a user's action (live updates, polling), which do not renew a session. */
const BACKGROUND_HEADER = 'x-hilum-background';

/** The session of a local account. */
export const sessionOf = ({ username, displayName, roles }: Account): NewSession => ({
  userId: localId(username),
  username,
  displayName,
  roles,
  idToken: null,
});

/** Authenticates requests, by session cookie or by API token, and manages sessions. */
export class Authenticator {
  private sweptAt = 0;

  constructor(
    private readonly stores: AccessStores,
    private readonly settings: SessionSettings,
    private readonly now: () => number,
  ) {}

  cookieName(what: 'session' | 'flow'): string {
    const name = what === 'session' ? 'hilum' : 'hilum-sign-in';
    return this.settings.isHttps ? `__Host-${name}` : name;
  }

  /**
   * No Domain, path /, HttpOnly, and Lax, so that only links from other sites carry it (from the viewer and the
   * provider).
   */
  private cookieOptions(): CookieOptions {
    return { httpOnly: true, secure: this.settings.isHttps, sameSite: 'lax', path: '/' };
  }

  /**
   * Starts a session under a new id; one that the browser had before ends (session fixation). Resolves to false where
   * the account has another password by now.
   */
  async begin(request: Request, response: Response, who: NewSession, byPassword?: ByPassword): Promise<boolean> {
    const id = randomSecret();
    const at = this.now();
    const session = { ...who, idHash: hashSecret(id), createdAt: at, seenAt: at };
    if (!(await this.stores.sessions.add(session, byPassword))) return false;
    await this.end(request, response);
    response.cookie(this.cookieName('session'), id, this.cookieOptions());
    await this.sweep(at);
    return true;
  }

  /** Ends the session of a request and returns it, if there is one. */
  async end(request: Request, response: Response): Promise<Session | null> {
    const id = cookie(request, this.cookieName('session'));
    if (id === null) return null;
    const session = await this.stores.sessions.find(hashSecret(id));
    // Anybody can send an id: unknown ones cause no write.
    if (session !== null) await this.stores.sessions.remove(session.idHash);
    response.clearCookie(this.cookieName('session'), this.cookieOptions());
    return session;
  }

  /** Users who have a session now. */
  signedIn(): Promise<SignedInUser[]> {
    const at = this.now();
    return this.stores.sessions.listUsers(at - this.settings.longestMs, at - this.settings.idleMs);
  }

  /** Stores a sign-in at the provider in the browser's cookie: the response counts only in the same browser. */
  async beginFlow(response: Response, flow: PendingFlow): Promise<void> {
    const sealed = sealFlow(flow, this.now(), await this.stores.sessions.signInKey());
    response.cookie(this.cookieName('flow'), sealed, { ...this.cookieOptions(), maxAge: PENDING_MS });
  }

  /** The sign-in at the provider that the browser has started, if it is still valid. */
  async endFlow(request: Request, response: Response): Promise<PendingFlow | null> {
    const sealed = cookie(request, this.cookieName('flow'), /^[\w-]{1,2000}\.[\w-]{43}$/);
    response.clearCookie(this.cookieName('flow'), this.cookieOptions());
    return sealed === null ? null : openFlow(sealed, this.now() - PENDING_MS, await this.stores.sessions.signInKey());
  }

  /** Whether this is the first time that this sign-in at the provider is finished. */
  finishFlow({ state }: PendingFlow): Promise<boolean> {
    return this.stores.sessions.finish(hashSecret(state), this.now());
  }

  /** The user of a request, or null. `touches`: whether it renews the session. */
  async identify(request: Request, touches: boolean): Promise<RequestUser | null> {
    const bearer = bearerOf(request);
    if (bearer !== null) return this.byToken(bearer);
    const id = cookie(request, this.cookieName('session'));
    return id === null
      ? null
      : this.bySession(hashSecret(id), touches && request.headers[BACKGROUND_HEADER] === undefined);
  }

  private async bySession(idHash: string, touches: boolean): Promise<RequestUser | null> {
    const session = await this.stores.sessions.find(idHash);
    if (session === null) return null;
    const at = this.now();
    if (at - session.createdAt > this.settings.longestMs || at - session.seenAt > this.settings.idleMs) {
      await this.stores.sessions.remove(idHash);
      return null;
    }
    if (touches && at - session.seenAt > Math.min(TOUCH_MS, this.settings.idleMs / 4))
      await this.stores.sessions.touch(idHash, at);
    return {
      id: session.userId,
      name: session.displayName,
      roles: rolesOf(session.roles),
      kind: session.username === null ? 'oidc' : 'local',
    };
  }

  private async byToken(token: string): Promise<RequestUser | null> {
    const prefix = prefixOf(token);
    const found = prefix === null ? null : await this.stores.tokens.find(prefix);
    const at = this.now();
    if (
      found === null ||
      !isEqual(found.tokenHash, hashSecret(token)) ||
      (found.expiresAt !== null && found.expiresAt <= at)
    )
      return null;
    if (found.usedAt === null || at - found.usedAt > TOUCH_MS) await this.stores.tokens.used(found.prefix, at);
    return { id: tokenId(found.prefix), name: found.label, roles: rolesOf([found.role]), kind: 'token' };
  }

  private async sweep(at: number): Promise<void> {
    if (at - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = at;
    await this.stores.sessions.sweep(at - this.settings.longestMs, at - this.settings.idleMs, at - PENDING_MS);
  }
}

/** API token of a request. Browsers never send one by themselves, so that other sites can't cause it. */
export function bearerOf(request: Request): string | null {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

function rolesOf(texts: readonly string[]): Role[] {
  return ROLES.filter((role) => texts.includes(role));
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

const ID = /^[A-Za-z0-9_-]{20,100}$/;

function cookie(request: Request, name: string, form = ID): string | null {
  const found = parseCookie(request.headers.cookie ?? '')[name];
  return found === undefined || !form.test(found) ? null : found;
}
