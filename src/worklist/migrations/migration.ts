import type { Kysely } from 'kysely';

/** One step of the schema. It is never changed once released: the next step mends it. */
export interface Migration {
  /** NNN-what, as its file is called. */
  readonly name: string;
  up(db: Kysely<unknown>): Promise<void>;
}
