import type { Kysely } from 'kysely';

/** The two kinds of database that the list may be in. */
export type DatabaseKind = 'sqlite' | 'postgres';

/** One step of the schema. It is never changed once released: the next step mends it. */
export interface Migration {
  /** NNN-what, as its file is called. */
  readonly name: string;
  up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void>;
}
