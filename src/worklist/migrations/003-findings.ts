import type { Kysely } from 'kysely';
import type { Migration } from './migration';

/** The findings of the leading film, as JSON. Rows of 0.1 keep null: they have `probability` and `threshold`. */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('study').addColumn('findings', 'text').execute();
}

export const findings: Migration = { name: '003-findings', release: 2, change: 'expands', up };
