import type { Account, AccountChange } from './account-store';
import { OneByOne } from './limits';
import { hashPassword, isOutdated, passwordProblem, verifyPassword } from './password';
import { hashSecret, newApiToken, randomSecret } from './secret';
import type { AccessStores } from './session-book';
import { PERSON_ROLES, ROLES } from './user';

const USERNAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
const LONGEST_TEXT = 200;
/** Passwords of one network that wait to be looked at; more are refused. */
const MOST_WAITING = 20;

export interface NewAccount {
  readonly username: string;
  readonly displayName: string;
  readonly password: string;
  readonly roles: readonly string[];
}

const SAID: Readonly<Record<Exclude<AccountChange, 'done'>, string>> = {
  exists: 'There is an account of this name.',
  unknown: 'There is no such account.',
  'last-admin': 'This is the last admin: make another one first.',
};

/**
 * The rules of accounts and API tokens, for the pages and for the command line. What can't be done is told in one
 * sentence; null is done.
 */
export class Directory {
  private readonly hashing = new OneByOne(MOST_WAITING);

  constructor(
    private readonly stores: AccessStores,
    private readonly now: () => number = Date.now,
  ) {}

  list(): Promise<Account[]> {
    return this.stores.accounts.list();
  }

  /**
   * The account with this name and password, else null: in the same time whether there is such an account or not.
   * Passwords are looked at in turn by `network`, where they come from. @throws TooMany where too many of one wait
   */
  async check(username: string, password: string, network = ''): Promise<Account | null> {
    const name = nameOf(username);
    const account = USERNAME.test(name) ? await this.stores.accounts.find(name) : null;
    const verified = () => verifyPassword(password, account?.passwordHash ?? null);
    const isRight = await this.hashing.run(verified, network);
    if (account === null || !isRight) return null;
    if (isOutdated(account.passwordHash))
      await this.stores.accounts.rehash(account.username, await this.hashing.run(() => hashPassword(password)));
    return account;
  }

  async add(given: NewAccount): Promise<string | null> {
    const made = await this.accountOf(given);
    if (typeof made === 'string') return made;
    return (await this.stores.accounts.add(made)) ? null : SAID.exists;
  }

  async setPassword(username: string, password: string): Promise<string | null> {
    const problem = passwordProblem(password, nameOf(username));
    return (
      problem ??
      told(
        await this.stores.accounts.setPassword(
          nameOf(username),
          await this.hashing.run(() => hashPassword(password)),
          this.now(),
        ),
      )
    );
  }

  async setRoles(username: string, roles: readonly string[]): Promise<string | null> {
    return rolesProblem(roles) ?? told(await this.stores.accounts.setRoles(nameOf(username), roles));
  }

  async remove(username: string): Promise<string | null> {
    return told(await this.stores.accounts.remove(nameOf(username)));
  }

  /** The token for the first admin, once: null where there is an admin, or the token was given out before. */
  async offerFirstToken(): Promise<string | null> {
    const token = randomSecret();
    return (await this.stores.accounts.offerFirstToken(hashSecret(token), this.now())) ? token : null;
  }

  awaitsFirstAdmin(): Promise<boolean> {
    return this.stores.accounts.awaitsFirstAdmin();
  }

  async addFirstAdmin(token: string, given: Omit<NewAccount, 'roles'>): Promise<string | null> {
    const made = await this.accountOf({ ...given, roles: ['admin'] });
    if (typeof made === 'string') return made;
    return (await this.stores.accounts.addFirstAdmin(hashSecret(token), made))
      ? null
      : 'This is not the token, or it has been used.';
  }

  /** A new API token, to be shown once; or what is wrong. */
  async addToken(
    label: string,
    role: string,
    createdBy: string,
    expiresAt: number | null = null,
  ): Promise<{ readonly token: string; readonly prefix: string } | string> {
    if (label.trim() === '' || label.length > LONGEST_TEXT) return 'Say in a few words what the token is for.';
    if (!ROLES.some((known) => known === role)) return `The roles are ${ROLES.join(', ')}.`;
    const { token, prefix } = newApiToken();
    await this.stores.tokens.add({
      prefix,
      tokenHash: hashSecret(token),
      label: label.trim(),
      role,
      createdBy,
      createdAt: this.now(),
      usedAt: null,
      expiresAt,
    });
    return { token, prefix };
  }

  listTokens() {
    return this.stores.tokens.list();
  }

  async revokeToken(prefix: string): Promise<string | null> {
    return (await this.stores.tokens.revoke(prefix)) ? null : 'There is no such token.';
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

/** Accounts are the same in upper and lower case. */
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
