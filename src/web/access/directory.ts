import type { Account, AccountChange } from './account-store';
import { OneByOne } from './limits';
import { hashPassword, isOutdated, passwordProblem, verifyPassword } from './password';
import type { Recorded } from './recorded';
import { hashSecret, newApiToken, randomSecret } from './secret';
import type { AccessStores } from './authenticator';
import { PERSON_ROLES, ROLES, tokenId } from './user';

const USERNAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
const LONGEST_TEXT = 200;
/** Largest number of passwords of one network that wait to be checked; further ones are refused. */
const MAX_WAITING = 20;

export interface NewAccount {
  readonly username: string;
  readonly displayName: string;
  readonly password: string;
  readonly roles: readonly string[];
}

/** Longest validity of an API token (days). */
export const MAX_TOKEN_DAYS = 3650;
/** Default validity of a token (days), so that a forgotten one ends some day. */
export const TOKEN_DAYS = 365;
const DAY_MS = 24 * 3600 * 1000;

export interface NewToken {
  readonly label: string;
  readonly role: string;
  /** Id of the user who makes the token. */
  readonly createdBy: string;
  /** Validity in days from now; default {@link TOKEN_DAYS}. */
  readonly days?: number;
}

/** A change of accounts, tokens or sessions for the audit trail. */
interface AccessChange {
  readonly what: string;
  readonly account: string;
  /** Whether it changes a user's rights. */
  readonly isRoleChange: boolean;
}

/**
 * Records a change in the audit trail in the name of its author. It is called as the last step before the change, which
 * does not happen if this fails.
 * @throws HilumError AUDIT_FAILED
 */
export type RecordChange = (change: AccessChange) => Promise<void>;

/** Said of a wrong password at a change of it. */
export const WRONG_PASSWORD = 'The password until now is not right.';

const SAID: Readonly<Record<Exclude<AccountChange, 'done'>, string>> = {
  exists: 'There is an account of this name.',
  unknown: 'There is no such account.',
  'last-admin': 'This is the last admin: make another one first.',
  replaced: WRONG_PASSWORD,
};

interface Replacement {
  readonly username: string;
  readonly password: string;
  /** For the audit trail. */
  readonly what: string;
  /** Hash of the password until now; null: whichever there is. */
  readonly replaces: string | null;
}

/**
 * Rules of accounts and API tokens, for pages and command line. A method resolves to null, or to one sentence about why
 * it can't be done.
 */
export class Directory {
  private readonly hashing = new OneByOne(MAX_WAITING);

  constructor(
    private readonly stores: AccessStores,
    private readonly now: () => number = Date.now,
  ) {}

  list(): Promise<Account[]> {
    return this.stores.accounts.list();
  }

  /**
   * The account with this name and password, else null, in the same time whether the account exists or not. Passwords
   * are checked in turn by `network`, where they come from.
   * @throws TooMany where too many of one network wait
   */
  async check(username: string, password: string, network = ''): Promise<Account | null> {
    const name = nameOf(username);
    const account = USERNAME.test(name) ? await this.stores.accounts.find(name) : null;
    const verified = () => verifyPassword(password, account?.passwordHash ?? null);
    const isRight = await this.hashing.run(verified, network);
    if (account === null || !isRight) return null;
    if (!isOutdated(account.passwordHash)) return account;
    const passwordHash = await this.hashing.run(() => hashPassword(password));
    await this.stores.accounts.rehash(account, passwordHash);
    return { ...account, passwordHash };
  }

  async add(given: NewAccount, record: RecordChange): Promise<string | null> {
    const made = await this.accountOf(given);
    if (typeof made === 'string') return made;
    const change = { what: `account made with the roles ${made.roles.join(', ')}`, account: made.username };
    return (await this.stores.accounts.add(made, roleChange(change, record))) ? null : SAID.exists;
  }

  /** Sets a password in the name of an admin. */
  async setPassword(username: string, password: string, record: RecordChange): Promise<string | null> {
    const what = 'password set by an admin, sessions ended';
    const set = await this.replacePassword({ username: nameOf(username), password, what, replaces: null }, record);
    return typeof set === 'string' ? set : null;
  }

  /**
   * Sets a password in the name of the account's user.
   * @param account by {@link check} of the password until now
   */
  changePassword(
    { username, passwordHash }: Account,
    password: string,
    record: RecordChange,
  ): Promise<{ readonly passwordHash: string } | string> {
    const what = 'password changed, sessions ended';
    return this.replacePassword({ username, password, what, replaces: passwordHash }, record);
  }

  private async replacePassword(
    { username, password, what, replaces }: Replacement,
    record: RecordChange,
  ): Promise<{ readonly passwordHash: string } | string> {
    const problem = passwordProblem(password, username);
    if (problem !== null) return problem;
    const passwordHash = await this.hashing.run(() => hashPassword(password));
    const recorded = () => record({ what, account: username, isRoleChange: false });
    const next = { passwordHash, at: this.now(), replaces };
    return told(await this.stores.accounts.setPassword(username, next, recorded)) ?? { passwordHash };
  }

  async setRoles(username: string, roles: readonly string[], record: RecordChange): Promise<string | null> {
    const account = nameOf(username);
    const recorded = roleChange({ what: `roles are now ${roles.join(', ')}`, account }, record);
    return rolesProblem(roles) ?? told(await this.stores.accounts.setRoles(account, roles, recorded));
  }

  async remove(username: string, record: RecordChange): Promise<string | null> {
    const account = nameOf(username);
    const recorded: Recorded = (revoked) =>
      record({ what: `account removed, sessions ended${revokedWords(revoked)}`, account, isRoleChange: false });
    return told(await this.stores.accounts.remove(account, recorded));
  }

  /** The token for the first admin, once: null where there is an admin, or the token was made before. */
  async offerFirstToken(record: RecordChange): Promise<string | null> {
    const token = randomSecret();
    const recorded = roleChange({ what: 'token for the first admin made', account: 'first admin' }, record);
    return (await this.stores.accounts.offerFirstToken(hashSecret(token), this.now(), recorded)) ? token : null;
  }

  awaitsFirstAdmin(): Promise<boolean> {
    return this.stores.accounts.awaitsFirstAdmin();
  }

  async addFirstAdmin(token: string, given: Omit<NewAccount, 'roles'>, record: RecordChange): Promise<string | null> {
    const made = await this.accountOf({ ...given, roles: ['admin'] });
    if (typeof made === 'string') return made;
    const change = { what: 'first admin made by the token of the first start', account: made.username };
    return (await this.stores.accounts.addFirstAdmin(hashSecret(token), made, roleChange(change, record)))
      ? null
      : 'This is not the token, or it has been used.';
  }

  /** A new API token, to be shown once; or a problem. */
  async addToken(
    { label, role, createdBy, days = TOKEN_DAYS }: NewToken,
    record: RecordChange,
  ): Promise<{ readonly token: string; readonly prefix: string } | string> {
    if (label.trim() === '' || label.length > LONGEST_TEXT) return 'Say in a few words what the token is for.';
    if (!ROLES.some((known) => known === role)) return `The roles are ${ROLES.join(', ')}.`;
    if (!Number.isInteger(days) || days < 1 || days > MAX_TOKEN_DAYS)
      return `A token is valid for 1 to ${MAX_TOKEN_DAYS} days.`;
    const { token, prefix } = newApiToken();
    const at = this.now();
    await this.stores.tokens.add(
      {
        prefix,
        tokenHash: hashSecret(token),
        label: label.trim(),
        role,
        createdBy,
        createdAt: at,
        usedAt: null,
        expiresAt: at + days * DAY_MS,
      },
      roleChange({ what: `API token made for ${role}, valid for ${days} days`, account: tokenId(prefix) }, record),
    );
    return { token, prefix };
  }

  listTokens() {
    return this.stores.tokens.list();
  }

  async revokeToken(prefix: string, record: RecordChange): Promise<string | null> {
    const recorded = roleChange({ what: 'API token revoked', account: tokenId(prefix) }, record);
    return (await this.stores.tokens.revoke(prefix, recorded)) ? null : 'There is no such token.';
  }

  /** Removes the API tokens of a user who is no admin any more. @param user id of the user */
  revokeTokensOf(user: string, record: RecordChange): Promise<void> {
    return this.stores.tokens.revokeMadeBy(user, (revoked) =>
      record({ what: `is no admin any more${revokedWords(revoked)}`, account: user, isRoleChange: true }),
    );
  }

  /** Ends all sessions of a user. @param user id of the user, local or of the provider */
  async endSessions(user: string, record: RecordChange): Promise<string | null> {
    const recorded = () => record({ what: 'sessions ended by an admin', account: user, isRoleChange: false });
    return (await this.stores.sessions.endOf(user, recorded)) ? null : 'This user has no session any more.';
  }

  private async accountOf({ username, displayName, password, roles }: NewAccount): Promise<Account | string> {
    const name = nameOf(username);
    const problem =
      usernameProblem(name) ??
      (displayName.length > LONGEST_TEXT ? 'The name is too long.' : null) ??
      rolesProblem(roles) ??
      passwordProblem(password, name);
    if (problem !== null) return problem;
    const at = this.now();
    return {
      username: name,
      displayName: displayName.trim() || name,
      passwordHash: await this.hashing.run(() => hashPassword(password)),
      roles,
      createdAt: at,
      passwordChangedAt: at,
    };
  }
}

const roleChange =
  ({ what, account }: Omit<AccessChange, 'isRoleChange'>, record: RecordChange): Recorded =>
  (revoked) =>
    record({ what: what + revokedWords(revoked), account, isRoleChange: true });

function revokedWords(prefixes: readonly string[]): string {
  return prefixes.length === 0 ? '' : `; API tokens revoked: ${prefixes.join(', ')}`;
}

/** Names are compared without regard to case. */
export function nameOf(username: string): string {
  return username.trim().toLowerCase();
}

function usernameProblem(name: string): string | null {
  return USERNAME.test(name)
    ? null
    : 'The name of an account has 1 to 64 of the characters a-z, 0-9, dot, hyphen, underscore and @, and begins ' +
        'with a letter or digit.';
}

function rolesProblem(roles: readonly string[]): string | null {
  if (roles.length === 0) return 'An account needs a role.';
  return roles.every((role) => PERSON_ROLES.some((known) => known === role))
    ? null
    : `The roles are ${PERSON_ROLES.join(', ')}.`;
}

function told(change: AccountChange): string | null {
  return change === 'done' ? null : SAID[change];
}
