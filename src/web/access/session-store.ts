import type { Database } from '../../worklist/database';
import { siteKey } from '../../worklist/site-keys';

/** A session as it is kept: of its id the hash only. */
export interface Session {
  readonly idHash: string;
  readonly userId: string;
  /** Of a local account; null for OpenID Connect. */
  readonly username: string | null;
  readonly displayName: string;
  /** Those of the account as it is now, or, with OpenID Connect, as they were at the sign-in. */
  readonly roles: readonly string[];
  readonly idToken: string | null;
  readonly createdAt: number;
  readonly seenAt: number;
}

interface ApiToken {
  readonly prefix: string;
  readonly tokenHash: string;
  readonly label: string;
  readonly role: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly usedAt: number | null;
  readonly expiresAt: number | null;
}

export interface Sessions {
  add(session: Session): Promise<void>;
  find(idHash: string): Promise<Session | null>;
  touch(idHash: string, at: number): Promise<void>;
  remove(idHash: string): Promise<void>;
  /**
   * Forgets sessions made before `createdBefore` or not used since `seenBefore`, and what is kept of sign-ins
   * finished before `finishedBefore`.
   */
  sweep(createdBefore: number, seenBefore: number, finishedBefore: number): Promise<void>;
  /** Notes that a sign-in at the provider is finished; false where it was before. */
  finish(idHash: string, at: number): Promise<boolean>;
  /** Signs what browsers keep of a sign-in that is under way. */
  signInKey(): Promise<Buffer>;
}

export interface ApiTokens {
  add(token: ApiToken): Promise<void>;
  find(prefix: string): Promise<ApiToken | null>;
  list(): Promise<ApiToken[]>;
  used(prefix: string, at: number): Promise<void>;
  /** Resolves to false when there is none. */
  revoke(prefix: string): Promise<boolean>;
}

/** The sessions in the database. Errors are those of {@link Database}. */
export function openSessions(database: Database): Sessions {
  return new StoredSessions(database);
}

class StoredSessions implements Sessions {
  private key: Promise<Buffer> | null = null;

  constructor(private readonly database: Database) {}

  add(session: Session): Promise<void> {
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
    return this.database.write(async (db) => void (await db.insertInto('session').values(values).execute()));
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

interface TokenRow {
  prefix: string;
  token_hash: string;
  label: string;
  role: string;
  created_by: string;
  created_at: number;
  used_at: number | null;
  expires_at: number | null;
}

const tokenOf = (row: TokenRow): ApiToken => ({
  prefix: row.prefix,
  tokenHash: row.token_hash,
  label: row.label,
  role: row.role,
  createdBy: row.created_by,
  createdAt: row.created_at,
  usedAt: row.used_at,
  expiresAt: row.expires_at,
});

/** The API tokens in the database. Errors are those of {@link Database}. */
export function openApiTokens(database: Database): ApiTokens {
  return {
    add: ({ prefix, tokenHash, label, role, createdBy, createdAt, usedAt, expiresAt }) =>
      database.write(
        async (db) =>
          void (await db
            .insertInto('api_token')
            .values({
              prefix,
              token_hash: tokenHash,
              label,
              role,
              created_by: createdBy,
              created_at: createdAt,
              used_at: usedAt,
              expires_at: expiresAt,
            })
            .execute()),
      ),
    find: (prefix) =>
      database.read(async (db) =>
        db
          .selectFrom('api_token')
          .selectAll()
          .where('prefix', '=', prefix)
          .executeTakeFirst()
          .then((row) => (row === undefined ? null : tokenOf(row))),
      ),
    list: () =>
      database.read(async (db) =>
        (await db.selectFrom('api_token').selectAll().orderBy('created_at').execute()).map(tokenOf),
      ),
    used: (prefix, at) =>
      database.write(
        async (db) =>
          void (await db.updateTable('api_token').set({ used_at: at }).where('prefix', '=', prefix).execute()),
      ),
    revoke: (prefix) =>
      database.write(
        async (db) =>
          (await db.deleteFrom('api_token').where('prefix', '=', prefix).executeTakeFirst()).numDeletedRows === 1n,
      ),
  };
}
