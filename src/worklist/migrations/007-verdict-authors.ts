import { createHmac, randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/**
 * The id of who gave a verdict, which no two users share; null in earlier ones. And a key of this site, by which the
 * digests of patients are made: without it nobody can try Patient IDs until one fits.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('verdict').addColumn('by_id', 'text').execute();
  await db.schema
    .createTable('site_key')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
  const key = randomBytes(32).toString('base64');
  await sql`insert into site_key (name, value) values ('patient-digest', ${key})`.execute(db);
  const { rows } = await sql<{ patient_key: string }>`select distinct patient_key from verdict
    where patient_key is not null`.execute(db);
  for (const { patient_key: digest } of rows) {
    const keyed = createHmac('sha256', Buffer.from(key, 'base64')).update(digest).digest('hex');
    await sql`update verdict set patient_key = ${keyed} where patient_key = ${digest}`.execute(db);
  }
}

export const verdictAuthors: Migration = { name: '007-verdict-authors', release: 2, change: 'expands', up };
