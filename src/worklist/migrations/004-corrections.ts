import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/** The correction of a study that is still to be announced, as JSON; null in most rows. */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('study').addColumn('correction', 'text').execute();
  await sql`create index study_correction on study (change) where correction is not null`.execute(db);
}

export const corrections: Migration = { name: '004-corrections', release: 2, change: 'expands', up };
