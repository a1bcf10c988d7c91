import type { Kysely } from 'kysely';
import type { Migration } from './migration';

/**
 * A sign-in at the provider that is under way is in the browser's cookie, signed by a key of this site; the table keeps
 * those that were finished.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('site_key')
    .ifNotExists()
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
  await db.deleteFrom('sign_in' as never).execute();
}

export const signIns: Migration = { name: '008-sign-ins', release: 2, change: 'expands', up };
