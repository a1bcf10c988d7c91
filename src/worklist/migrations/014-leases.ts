import type { Kysely } from 'kysely';
import type { Migration } from './migration';

/** Work that one of several processes does at a time, and until when nobody else is to begin it. */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('lease')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('until', 'bigint', (c) => c.notNull())
    .execute();
}

export const leases: Migration = { name: '014-leases', release: 2, change: 'expands', up };
