import { sql } from 'kysely';
import type { Database } from '../../worklist/database';
import { isRecorded, type Recorded } from './recorded';
import { revokeMadeBy } from './token-store';
import { localId } from './user';

export interface Account {
  readonly username: string;
  readonly displayName: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
  readonly createdAt: number;
  readonly passwordChangedAt: number;
}

/**
 * Result of a change. `last-admin`: it would leave no admin, which could not be repaired from the web. `replaced`: the
 * password was replaced meanwhile.
 */
export type AccountChange = 'done' | 'exists' | 'unknown' | 'last-admin' | 'replaced';

/** A password in the place of another one. */
interface NewPassword {
  readonly passwordHash: string;
  readonly at: number;
  /** Hash that it replaces; null: whichever there is. */
  readonly replaces: string | null;
}

export interface Accounts {
  find(username: string): Promise<Account | null>;
  list(): Promise<Account[]>;
  /** Resolves to false where the name exists. */
  add(account: Account, recorded: Recorded): Promise<boolean>;
  /** Also ends all sessions of the account. */
  setPassword(username: string, password: NewPassword, recorded: Recorded): Promise<AccountChange>;
  /** Stores the same password in a newer hash, unless another one was set meanwhile: sessions go on. */
  rehash(account: Account, passwordHash: string): Promise<void>;
  /** A user who is no admin any more loses the API tokens that they made. */
  setRoles(username: string, roles: readonly string[], recorded: Recorded): Promise<AccountChange>;
  /** Also removes its sessions and the API tokens that it made. */
  remove(username: string, recorded: Recorded): Promise<AccountChange>;
  /**
   * Stores the hash of the token for the first admin, unless there is an admin or such a token already. Resolves to
   * whether it was stored.
   */
  offerFirstToken(tokenHash: string, at: number, recorded: Recorded): Promise<boolean>;
  /** Whether the token for the first admin is still unused. */
  awaitsFirstAdmin(): Promise<boolean>;
  /**
   * Creates the first admin and removes the token, both or neither. Resolves to false when the token is wrong or was
   * used.
   */
  addFirstAdmin(tokenHash: string, account: Account, recorded: Recorded): Promise<boolean>;
}

interface Row {
  username: string;
  display_name: string;
  password_hash: string;
  roles: string;
  created_at: number;
  password_changed_at: number;
}

/** PostgreSQL's advisory lock of changes of accounts; an arbitrary number. */
const CHANGE_LOCK = 4_711_031_416;
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

/** Whether there would be no admin without this account. */
function isLastAdmin(accounts: readonly Account[], username: string): boolean {
  const admins = accounts.filter(({ roles }) => roles.includes(ADMIN));
  return admins.length === 1 && admins[0]?.username === username;
}

/** Accounts in the database. Errors are those of {@link Database}. */
export function openAccounts(database: Database): Accounts {
  return new StoredAccounts(database);
}

class StoredAccounts implements Accounts {
  constructor(private readonly database: Database) {}

  find(username: string): Promise<Account | null> {
    return this.database.read(async (db) => {
      const row = await db.selectFrom('account').selectAll().where('username', '=', username).executeTakeFirst();
      return row === undefined ? null : fromRow(row);
    });
  }

  list(): Promise<Account[]> {
    return this.database.read(readAll);
  }

  add(account: Account, recorded: Recorded): Promise<boolean> {
    return this.database.write(async (db) => {
      const added = await db
        .insertInto('account')
        .values(toRow(account))
        .onConflict((c) => c.doNothing())
        .executeTakeFirst();
      return isRecorded(added.numInsertedOrUpdatedRows, recorded);
    });
  }

  setPassword(
    username: string,
    { passwordHash, at, replaces }: NewPassword,
    recorded: Recorded,
  ): Promise<AccountChange> {
    return this.change(username, false, async (db) => {
      const values = { password_hash: passwordHash, password_changed_at: at };
      if (!(await update(db, username, values, replaces))) return 'replaced';
      await endSessions(db, username);
      await recorded([]);
      return 'done';
    });
  }

  rehash({ username, passwordHash: replaces }: Account, passwordHash: string): Promise<void> {
    return this.database.write(
      async (db) => void (await update(db, username, { password_hash: passwordHash }, replaces)),
    );
  }

  setRoles(username: string, roles: readonly string[], recorded: Recorded): Promise<AccountChange> {
    const staysAdmin = roles.includes(ADMIN);
    return this.change(username, !staysAdmin, async (db) => {
      await update(db, username, { roles: JSON.stringify(roles) });
      await recorded(staysAdmin ? [] : await revokeMadeBy(db, localId(username)));
      return 'done';
    });
  }

  remove(username: string, recorded: Recorded): Promise<AccountChange> {
    return this.change(username, true, async (db) => {
      await endSessions(db, username);
      await db.deleteFrom('account').where('username', '=', username).execute();
      // Removed, as another person may get the name later.
      await db.deleteFrom('saved_view').where('user_id', '=', localId(username)).execute();
      await recorded(await revokeMadeBy(db, localId(username)));
      return 'done';
    });
  }

  offerFirstToken(tokenHash: string, at: number, recorded: Recorded): Promise<boolean> {
    return this.alone(async (db) => {
      if (await hasAdmin(db)) return false;
      const added = await db
        .insertInto('first_token')
        .values({ id: FIRST, token_hash: tokenHash, created_at: at })
        .onConflict((c) => c.doNothing())
        .executeTakeFirst();
      return isRecorded(added.numInsertedOrUpdatedRows, recorded);
    });
  }

  awaitsFirstAdmin(): Promise<boolean> {
    return this.database.read(
      async (db) => (await db.selectFrom('first_token').select('id').execute()).length > 0 && !(await hasAdmin(db)),
    );
  }

  addFirstAdmin(tokenHash: string, account: Account, recorded: Recorded): Promise<boolean> {
    return this.alone(async (db) => {
      if (await hasAdmin(db)) return false;
      const used = await db.deleteFrom('first_token').where('token_hash', '=', tokenHash).executeTakeFirst();
      if (used.numDeletedRows !== 1n) return false;
      await db.insertInto('account').values(toRow(account)).execute();
      await recorded([]);
      return true;
    });
  }

  /** One change at a time, so that what it has read holds until its end; an embedded database has one writer. */
  private alone<T>(work: (db: Writer) => Promise<T>): Promise<T> {
    return this.database.write(async (db) => {
      if (this.database.kind === 'postgres') await sql`select pg_advisory_xact_lock(${CHANGE_LOCK})`.execute(db);
      return work(db);
    });
  }

  private change(
    username: string,
    losesAdmin: boolean,
    apply: (db: Writer) => Promise<AccountChange>,
  ): Promise<AccountChange> {
    return this.alone(async (db) => {
      const accounts = await readAll(db);
      if (!accounts.some((account) => account.username === username)) return 'unknown';
      if (losesAdmin && isLastAdmin(accounts, username)) return 'last-admin';
      return apply(db);
    });
  }
}

async function hasAdmin(db: Reader): Promise<boolean> {
  return (await readAll(db)).some(({ roles }) => roles.includes(ADMIN));
}

/** Resolves to false where the account has another password than `passwordHash` (null: any). */
async function update(
  db: Writer,
  username: string,
  values: Partial<Row>,
  passwordHash: string | null = null,
): Promise<boolean> {
  const all = db.updateTable('account').set(values).where('username', '=', username);
  const chosen = passwordHash === null ? all : all.where('password_hash', '=', passwordHash);
  return (await chosen.executeTakeFirst()).numUpdatedRows === 1n;
}

async function endSessions(db: Writer, username: string): Promise<void> {
  await db.deleteFrom('session').where('username', '=', username).execute();
}
