import type { Database } from '../../worklist/database';

export interface Account {
  readonly username: string;
  readonly displayName: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
  readonly createdAt: number;
  readonly passwordChangedAt: number;
}

/**
 * What a change to the accounts came to. `last-admin`: it would leave none, and nobody could mend that from the web.
 */
export type AccountChange = 'done' | 'exists' | 'unknown' | 'last-admin';

export interface Accounts {
  find(username: string): Promise<Account | null>;
  list(): Promise<Account[]>;
  /** Resolves to false where the name is taken. */
  add(account: Account): Promise<boolean>;
  /** Also ends every session of the account. */
  setPassword(username: string, passwordHash: string, at: number): Promise<AccountChange>;
  /** The same password in a newer hash: sessions go on. */
  rehash(username: string, passwordHash: string): Promise<void>;
  setRoles(username: string, roles: readonly string[]): Promise<AccountChange>;
  remove(username: string): Promise<AccountChange>;
  /**
   * Keeps the hash of the token for the first admin, unless there is an admin or such a token already. Resolves to
   * whether it was kept.
   */
  offerFirstToken(tokenHash: string, at: number): Promise<boolean>;
  /** Whether the token for the first admin waits to be used. */
  awaitsFirstAdmin(): Promise<boolean>;
  /**
   * Makes the first admin and ends the token, both or neither. Resolves to false when the token is not that one, or was
   * used.
   */
  addFirstAdmin(tokenHash: string, account: Account): Promise<boolean>;
}

interface Row {
  username: string;
  display_name: string;
  password_hash: string;
  roles: string;
  created_at: number;
  password_changed_at: number;
}

const ADMIN = 'admin';
const FIRST = 1;

const fromRow = (row: Row): Account => ({
  username: row.username,
  displayName: row.display_name,
  passwordHash: row.password_hash,
  roles: JSON.parse(row.roles) as string[],
  createdAt: row.created_at,
  passwordChangedAt: row.password_changed_at,
});
const toRow = (account: Account): Row => ({
  username: account.username,
  display_name: account.displayName,
  password_hash: account.passwordHash,
  roles: JSON.stringify(account.roles),
  created_at: account.createdAt,
  password_changed_at: account.passwordChangedAt,
});

type Reader = Parameters<Parameters<Database['read']>[0]>[0];
type Writer = Parameters<Parameters<Database['write']>[0]>[0];

async function readAll(db: Reader): Promise<Account[]> {
  return (await db.selectFrom('account').selectAll().orderBy('username').execute()).map(fromRow);
}

/** Whether taking the admin's role from this account leaves none. */
function isLastAdmin(accounts: readonly Account[], username: string): boolean {
  const admins = accounts.filter(({ roles }) => roles.includes(ADMIN));
  return admins.length === 1 && admins[0]?.username === username;
}

/** The accounts in the database. Errors are those of {@link Database}. */
export function openAccounts(database: Database): Accounts {
  const change = (
    username: string,
    losesAdmin: boolean,
    apply: (db: Writer) => Promise<unknown>,
  ): Promise<AccountChange> =>
    database.write(async (db) => {
      const accounts = await readAll(db);
      if (!accounts.some((account) => account.username === username)) return 'unknown';
      if (losesAdmin && isLastAdmin(accounts, username)) return 'last-admin';
      await apply(db);
      return 'done';
    });
  const endSessions = (db: Writer, username: string) =>
    db.deleteFrom('session').where('username', '=', username).execute();
  return {
    find: (username) =>
      database.read(async (db) =>
        db
          .selectFrom('account')
          .selectAll()
          .where('username', '=', username)
          .executeTakeFirst()
          .then((row) => (row === undefined ? null : fromRow(row))),
      ),
    list: () => database.read(readAll),
    add: (account) =>
      database.write(
        async (db) =>
          (
            await db
              .insertInto('account')
              .values(toRow(account))
              .onConflict((c) => c.doNothing())
              .executeTakeFirst()
          ).numInsertedOrUpdatedRows === 1n,
      ),
    setPassword: (username, passwordHash, at) =>
      change(username, false, async (db) => {
        await db
          .updateTable('account')
          .set({ password_hash: passwordHash, password_changed_at: at })
          .where('username', '=', username)
          .execute();
        await endSessions(db, username);
      }),
    rehash: (username, passwordHash) =>
      database.write(
        async (db) =>
          void (await db
            .updateTable('account')
            .set({ password_hash: passwordHash })
            .where('username', '=', username)
            .execute()),
      ),
    setRoles: (username, roles) =>
      change(username, !roles.includes(ADMIN), (db) =>
        db
          .updateTable('account')
          .set({ roles: JSON.stringify(roles) })
          .where('username', '=', username)
          .execute(),
      ),
    remove: (username) =>
      change(username, true, async (db) => {
        await endSessions(db, username);
        await db.deleteFrom('account').where('username', '=', username).execute();
      }),
    offerFirstToken: (tokenHash, at) =>
      database.write(async (db) => {
        if ((await readAll(db)).some(({ roles }) => roles.includes(ADMIN))) return false;
        const added = await db
          .insertInto('first_token')
          .values({ id: FIRST, token_hash: tokenHash, created_at: at })
          .onConflict((c) => c.doNothing())
          .executeTakeFirst();
        return added.numInsertedOrUpdatedRows === 1n;
      }),
    awaitsFirstAdmin: () =>
      database.read(
        async (db) =>
          (await db.selectFrom('first_token').select('id').execute()).length > 0 &&
          !(await readAll(db)).some(({ roles }) => roles.includes(ADMIN)),
      ),
    addFirstAdmin: (tokenHash, account) =>
      database.write(async (db) => {
        if ((await readAll(db)).some(({ roles }) => roles.includes(ADMIN))) return false;
        const used = await db.deleteFrom('first_token').where('token_hash', '=', tokenHash).executeTakeFirst();
        if (used.numDeletedRows !== 1n) return false;
        await db.insertInto('account').values(toRow(account)).execute();
        return true;
      }),
  };
}
