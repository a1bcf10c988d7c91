import type { Kysely } from 'kysely';
import type { Migration } from './migration';

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('site_key')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  // Sign-ins that were begun: from now on in the browser alone. The table keeps those that were finished.
  await db.deleteFrom('sign_in' as never).execute();
}

export const siteKeys: Migration = { name: '007-site-keys', up };
