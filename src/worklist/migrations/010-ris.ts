import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/**
 * What the RIS said: of orders by their accession number, which may come before their studies (`ris_order`), which
 * messages were taken (`ris_message`), and what of it holds for a study. Times are when the message was sent, but for
 * `read_at` and `received_at`.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ris_message')
    .addColumn('digest', 'text', (c) => c.primaryKey())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('ris_order')
    .addColumn('accession_number', 'text', (c) => c.notNull())
    .addColumn('patient', 'text', (c) => c.notNull())
    .addColumn('priority', 'text')
    .addColumn('priority_at', 'bigint')
    .addColumn('read_at', 'bigint')
    .addColumn('read_on_wall_clock', 'text')
    .addColumn('report_at', 'bigint')
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('ris_order_key', ['accession_number', 'patient'])
    .execute();
  for (const table of ['ris_message', 'ris_order'] as const)
    await db.schema.createIndex(`${table}_received`).on(table).column('received_at').execute();
  for (const [name, type] of [
    ['ris_priority', 'text'],
    ['ris_priority_at', 'bigint'],
    ['ris_report_at', 'bigint'],
    ['ris_patient', 'text'],
  ] as const)
    await db.schema.alterTable('study').addColumn(name, type).execute();
  await sql`create index study_accession_number on study (accession_number)
    where accession_number <> '' and state <> 'left-alone'`.execute(db);
}

export const ris: Migration = { name: '010-ris', release: 2, change: 'expands', up };
