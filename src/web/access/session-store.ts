import type { Database } from '../../worklist/database';
import { siteKey } from '../../worklist/site-keys';
import { isRecorded, type Recorded } from './recorded';

/** A stored session; only the hash of its id is stored. */
export interface Session {
  readonly idHash: string;
  readonly userId: string;
  /** Name of a local account; null for OpenID Connect. */
  readonly username: string | null;
  readonly displayName: string;
  /** Present roles of the local account, or with OpenID Connect those at the sign-in. */
  readonly roles: readonly string[];
  readonly idToken: string | null;
  readonly createdAt: number;
  readonly seenAt: number;
}

/** A user with one or more sessions. */
export interface SignedInUser {
  readonly userId: string;
  readonly displayName: string;
  readonly sessions: number;
  readonly seenAt: number;
}

/** What a sign-in with a password has checked. */
export interface ByPassword {
  /** Hash that the password was compared with. */
  readonly passwordHash: string;
  /** Records the sign-in. */
  readonly recorded?: Recorded;
}

export interface Sessions {
  /**
   * Resolves to false, and adds nothing, where the account has another password by now: setting it has ended all its
   * sessions.
   */
  add(session: Session, byPassword?: ByPassword): Promise<boolean>;
  find(idHash: string): Promise<Session | null>;
  touch(idHash: string, at: number): Promise<void>;
  remove(idHash: string): Promise<void>;
  /**
   * Deletes sessions created before `createdBefore` or not used since `seenBefore`, and records of sign-ins finished
   * before `finishedBefore`.
   */
  sweep(createdBefore: number, seenBefore: number, finishedBefore: number): Promise<void>;
  /** Users with a session younger than both limits, the last used first. */
  listUsers(createdAfter: number, seenAfter: number): Promise<SignedInUser[]>;
  /** Ends all sessions of a user. Resolves to false where there is none. */
  endOf(userId: string, recorded: Recorded): Promise<boolean>;
  /** Records that a sign-in at the provider is finished; false where it was before. */
  finish(idHash: string, at: number): Promise<boolean>;
  /** Key that signs cookies of a sign-in under way. */
  signInKey(): Promise<Buffer>;
}

/** Sessions in the database. Errors are those of {@link Database}. */
export function openSessions(database: Database): Sessions {
  return new StoredSessions(database);
}

class StoredSessions implements Sessions {
  private key: Promise<Buffer> | null = null;

  constructor(private readonly database: Database) {}

  add(session: Session, byPassword?: ByPassword): Promise<boolean> {
    const values = {
      id_hash: session.idHash,
      user_id: session.userId,
      username: session.username,
      display_name: session.displayName,
      roles: JSON.stringify(session.roles),
      id_token: session.idToken,
      created_at: session.createdAt,
      seen_at: session.seenAt,
    };
    return this.database.write(async (db) => {
      if (byPassword !== undefined && !(await holdsPassword(db, session.username, byPassword))) return false;
      await db.insertInto('session').values(values).execute();
      await byPassword?.recorded?.([]);
      return true;
    });
  }

  find(idHash: string): Promise<Session | null> {
    return this.database.read(async (db) => {
      const row = await db
        .selectFrom('session')
        .leftJoin('account', 'account.username', 'session.username')
        .selectAll('session')
        .select('account.roles as account_roles')
        .where('id_hash', '=', idHash)
        .executeTakeFirst();
      if (row === undefined) return null;
      const roles = JSON.parse(row.username === null ? row.roles : (row.account_roles ?? '[]')) as string[];
      return {
        idHash: row.id_hash,
        userId: row.user_id,
        username: row.username,
        displayName: row.display_name,
        roles,
        idToken: row.id_token,
        createdAt: row.created_at,
        seenAt: row.seen_at,
      };
    });
  }

  touch(idHash: string, at: number): Promise<void> {
    return this.database.write(
      async (db) => void (await db.updateTable('session').set({ seen_at: at }).where('id_hash', '=', idHash).execute()),
    );
  }

  remove(idHash: string): Promise<void> {
    return this.database.write(
      async (db) => void (await db.deleteFrom('session').where('id_hash', '=', idHash).execute()),
    );
  }

  sweep(createdBefore: number, seenBefore: number, finishedBefore: number): Promise<void> {
    return this.database.write(async (db) => {
      await db
        .deleteFrom('session')
        .where((is) => is.or([is('created_at', '<', createdBefore), is('seen_at', '<', seenBefore)]))
        .execute();
      await db.deleteFrom('sign_in').where('created_at', '<', finishedBefore).execute();
    });
  }

  listUsers(createdAfter: number, seenAfter: number): Promise<SignedInUser[]> {
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('session')
        .select((is) => [
          'user_id',
          is.fn.max('display_name').as('display_name'),
          is.fn.countAll<number>().as('sessions'),
          is.fn.max('seen_at').as('seen_at'),
        ])
        .where('created_at', '>=', createdAfter)
        .where('seen_at', '>=', seenAfter)
        .groupBy('user_id')
        .orderBy('seen_at', 'desc')
        .execute();
      return rows.map(({ user_id, display_name, sessions, seen_at }) => ({
        userId: user_id,
        displayName: display_name,
        sessions,
        seenAt: seen_at,
      }));
    });
  }

  endOf(userId: string, recorded: Recorded): Promise<boolean> {
    return this.database.write(async (db) => {
      const ended = await db.deleteFrom('session').where('user_id', '=', userId).executeTakeFirst();
      return isRecorded(ended.numDeletedRows, recorded);
    });
  }

  finish(idHash: string, at: number): Promise<boolean> {
    const values = { id_hash: idHash, state: '', nonce: '', code_verifier: '', return_to: '', created_at: at };
    return this.database.write(async (db) => {
      const added = await db
        .insertInto('sign_in')
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return (added.numInsertedOrUpdatedRows ?? 0n) > 0n;
    });
  }

  async signInKey(): Promise<Buffer> {
    this.key ??= siteKey(this.database, 'sign-in');
    try {
      return await this.key;
    } catch (error) {
      this.key = null;
      throw error;
    }
  }
}

type Writer = Parameters<Parameters<Database['write']>[0]>[0];

/** An update without a change: it locks the row, so that no other password is set before the session is there. */
async function holdsPassword(db: Writer, username: string | null, { passwordHash }: ByPassword): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('account')
    .set({ password_hash: passwordHash })
    .where('username', '=', username)
    .where('password_hash', '=', passwordHash)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
