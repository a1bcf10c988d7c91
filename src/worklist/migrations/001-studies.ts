import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/** Types that both databases know: `bigint` and `double precision` are INTEGER and REAL to SQLite. */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('counter')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .execute();
  await sql`insert into counter (name, value) values ('change', 0)`.execute(db);
  await createStudies(db);
  await db.schema
    .createTable('history')
    .addColumn('change', 'bigint', (c) => c.primaryKey())
    .addColumn('study_uid', 'text', (c) => c.notNull().references('study.study_uid').onDelete('cascade'))
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('history_study').on('history').columns(['study_uid', 'change']).execute();
  await createVerdicts(db);
}

async function createStudies(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('study')
    .addColumn('study_uid', 'text', (c) => c.primaryKey())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('reason_text', 'text')
    .addColumn('urgency', 'integer', (c) => c.notNull())
    .addColumn('triage_priority', 'text')
    .addColumn('finding_priority', 'text')
    .addColumn('person_priority', 'text')
    .addColumn('arrived_at', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('completed_at', 'bigint')
    .addColumn('retry_at', 'bigint')
    .addColumn('record_key', 'text')
    .addColumn('record', 'text')
    .addColumn('probability', 'double precision')
    .addColumn('threshold', 'double precision')
    .addColumn('views', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('films', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('lead_film', 'text')
    .addColumn('patient_id', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('patient_name', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('patient_birth_date', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('patient_sex', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('accession_number', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('study_date', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('study_time', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('study_description', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('search_patient', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('search_study', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('verdict', 'text')
    .addColumn('verdict_at', 'bigint')
    .addColumn('verdict_by', 'text')
    .addColumn('verdict_note', 'text')
    .addColumn('verdict_key', 'text')
    .addColumn('change', 'bigint', (c) => c.notNull())
    .execute();
  // Of rows that are shown: an archive may have many more studies without a chest film.
  await sql`create index study_oldest on study (urgency, arrived_at, study_uid) where state <> 'left-alone'`.execute(
    db,
  );
  await sql`create index study_newest on study (urgency, (-arrived_at), study_uid) where state <> 'left-alone'`.execute(
    db,
  );
  await sql`create index study_state on study (state)`.execute(db);
  await sql`create index study_change on study (change)`.execute(db);
}

async function createVerdicts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('verdict')
    .addColumn('change', 'bigint', (c) => c.primaryKey())
    // No reference: a verdict outlives the row that it was given on.
    .addColumn('study_uid', 'text', (c) => c.notNull())
    .addColumn('record_key', 'text')
    .addColumn('verdict', 'text', (c) => c.notNull())
    .addColumn('note', 'text', (c) => c.notNull())
    .addColumn('by_user', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('priority', 'text')
    .addColumn('probability', 'double precision')
    .addColumn('threshold', 'double precision')
    .addColumn('film_uid', 'text')
    .addColumn('view', 'text')
    .addColumn('patient_key', 'text')
    .execute();
  await sql`create index verdict_study on verdict (study_uid, change)`.execute(db);
}

export const studies: Migration = { name: '001-studies', release: 1, change: 'expands', up };
