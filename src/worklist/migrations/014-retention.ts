import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/** Work that one of several processes does at a time (`lease`), and what finds rows that are kept no longer. */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('lease')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('until', 'bigint', (c) => c.notNull())
    .execute();
  await sql`create index study_arrived on study (arrived_at)`.execute(db);
  await sql`create index verdict_given on verdict (at)`.execute(db);
}

export const retention: Migration = { name: '014-retention', release: 2, change: 'expands', up };
