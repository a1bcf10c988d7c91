import type { Database } from '../../worklist/database';
import type { Recorded } from './recorded';
import { tokenId } from './user';

interface ApiToken {
  readonly prefix: string;
  readonly tokenHash: string;
  readonly label: string;
  readonly role: string;
  /** Id of the user who made it: the token is removed when they are no admin any more. */
  readonly createdBy: string;
  readonly createdAt: number;
  readonly usedAt: number | null;
  /** Null for a token of version 0.1, which does not expire. */
  readonly expiresAt: number | null;
}

export interface ApiTokens {
  add(token: ApiToken, recorded: Recorded): Promise<void>;
  find(prefix: string): Promise<ApiToken | null>;
  list(): Promise<ApiToken[]>;
  used(prefix: string, at: number): Promise<void>;
  /** Also revokes tokens that were made with it. Resolves to false when there is none. */
  revoke(prefix: string, recorded: Recorded): Promise<boolean>;
  /** Revokes all tokens that a user made. */
  revokeMadeBy(createdBy: string, recorded: Recorded): Promise<void>;
}

type Writer = Parameters<Parameters<Database['write']>[0]>[0];

/** Deletes all tokens that a user made, and those made with them. Resolves to their prefixes. */
export async function revokeMadeBy(db: Writer, createdBy: string): Promise<string[]> {
  const rows = await db.deleteFrom('api_token').where('created_by', '=', createdBy).returning('prefix').execute();
  const revoked = rows.map(({ prefix }) => prefix).sort();
  for (const prefix of [...revoked]) revoked.push(...(await revokeMadeBy(db, tokenId(prefix))));
  return revoked;
}

interface Row {
  prefix: string;
  token_hash: string;
  label: string;
  role: string;
  created_by: string;
  created_at: number;
  used_at: number | null;
  expires_at: number | null;
}

const fromRow = (row: Row): ApiToken => ({
  prefix: row.prefix,
  tokenHash: row.token_hash,
  label: row.label,
  role: row.role,
  createdBy: row.created_by,
  createdAt: row.created_at,
  usedAt: row.used_at,
  expiresAt: row.expires_at,
});

const toRow = (token: ApiToken): Row => ({
  prefix: token.prefix,
  token_hash: token.tokenHash,
  label: token.label,
  role: token.role,
  created_by: token.createdBy,
  created_at: token.createdAt,
  used_at: token.usedAt,
  expires_at: token.expiresAt,
});

/** API tokens in the database. Errors are those of {@link Database}. */
export function openApiTokens(database: Database): ApiTokens {
  return new StoredTokens(database);
}

class StoredTokens implements ApiTokens {
  constructor(private readonly database: Database) {}

  add(token: ApiToken, recorded: Recorded): Promise<void> {
    return this.database.write(async (db) => {
      await db.insertInto('api_token').values(toRow(token)).execute();
      await recorded([]);
    });
  }

  find(prefix: string): Promise<ApiToken | null> {
    return this.database.read(async (db) => {
      const row = await db.selectFrom('api_token').selectAll().where('prefix', '=', prefix).executeTakeFirst();
      return row === undefined ? null : fromRow(row);
    });
  }

  list(): Promise<ApiToken[]> {
    return this.database.read(async (db) =>
      (await db.selectFrom('api_token').selectAll().orderBy('created_at').execute()).map(fromRow),
    );
  }

  used(prefix: string, at: number): Promise<void> {
    return this.database.write(
      async (db) =>
        void (await db.updateTable('api_token').set({ used_at: at }).where('prefix', '=', prefix).execute()),
    );
  }

  revoke(prefix: string, recorded: Recorded): Promise<boolean> {
    return this.database.write(async (db) => {
      const { numDeletedRows } = await db.deleteFrom('api_token').where('prefix', '=', prefix).executeTakeFirst();
      if (numDeletedRows === 0n) return false;
      await recorded(await revokeMadeBy(db, tokenId(prefix)));
      return true;
    });
  }

  revokeMadeBy(createdBy: string, recorded: Recorded): Promise<void> {
    return this.database.write(async (db) => {
      const revoked = await revokeMadeBy(db, createdBy);
      if (revoked.length > 0) await recorded(revoked);
    });
  }
}
