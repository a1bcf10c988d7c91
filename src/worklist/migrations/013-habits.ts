import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/**
 * Views of the list that a user keeps (`saved_view`), which pages have a study open (`open_study`), and since when a
 * study is urgent: not known of those that are so already.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('saved_view')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('content', 'text', (c) => c.notNull())
    .addUniqueConstraint('saved_view_name', ['user_id', 'name'])
    .execute();
  await db.schema
    .createTable('open_study')
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('page', 'text', (c) => c.notNull())
    .addColumn('user_name', 'text', (c) => c.notNull())
    .addColumn('study_uid', 'text', (c) => c.notNull())
    .addColumn('until', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('open_study_page', ['user_id', 'page'])
    .execute();
  await sql`create index open_study_of on open_study (study_uid, until)`.execute(db);
  await db.schema.alterTable('study').addColumn('urgent_since', 'bigint').execute();
}

export const habits: Migration = { name: '013-habits', release: 2, change: 'expands', up };
