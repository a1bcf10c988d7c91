import { type Kysely, sql } from 'kysely';
import type { DatabaseKind, Migration } from './migration';

/**
 * What the list is filtered, sorted, searched and counted by, apart from the wide rows of `study`: `list_entry` has a
 * narrow row for each study that is shown, `list_count` and `verdict_count` how many there are. Triggers keep all
 * three, so that no statement can forget to.
 */
async function up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  await createEntries(db, kind);
  await createCounts(db);
  for (const statement of kind === 'sqlite' ? [...SEARCH_OF_SQLITE, ...TRIGGERS_OF_SQLITE] : TRIGGERS_OF_POSTGRES)
    await sql.raw(statement).execute(db);
  if (kind === 'postgres') await sql`analyze list_entry`.execute(db);
}

const COLUMNS = `study_uid, state, urgency, arrived_at, newest_key, verdict, frontal_view, lateral_view, search_study,
  search_patient`;

/**
 * The values of an entry by the row of `study`. Words have two spaces before them: so a word's first letter, and its
 * first two, are found as three characters, as any longer piece of text is.
 */
const valuesOf = (
  row: string,
) => `${row}.study_uid, ${row}.state, ${row}.urgency, ${row}.arrived_at, 0 - ${row}.arrived_at,
  ${row}.verdict, case when ${row}.views like '%frontal%' then 1 else 0 end,
  case when ${row}.views like '%lateral%' then 1 else 0 end, '  ' || replace(${row}.search_study, ' ', '  '),
  '  ' || replace(${row}.search_patient, ' ', '  ')`;

async function createEntries(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  await db.schema
    .createTable('list_entry')
    .addColumn('id', kind === 'sqlite' ? 'integer' : 'bigserial', (c) => c.primaryKey())
    .addColumn('study_uid', 'text', (c) => c.notNull().unique())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('urgency', 'integer', (c) => c.notNull())
    .addColumn('arrived_at', 'bigint', (c) => c.notNull())
    .addColumn('newest_key', 'bigint', (c) => c.notNull())
    .addColumn('verdict', 'text')
    .addColumn('frontal_view', 'integer', (c) => c.notNull())
    .addColumn('lateral_view', 'integer', (c) => c.notNull())
    .addColumn('search_study', 'text', (c) => c.notNull())
    .addColumn('search_patient', 'text', (c) => c.notNull())
    .execute();
  await sql
    .raw(`insert into list_entry (${COLUMNS}) select ${valuesOf('study')} from study where state <> 'left-alone'`)
    .execute(db);
  // With all that is filtered by, so that a walk in the list's order reads nothing but the index.
  for (const [name, key] of [
    ['list_entry_oldest', 'arrived_at'],
    ['list_entry_newest', 'newest_key'],
  ] as const)
    await sql
      .raw(
        `create index ${name} on list_entry (urgency, ${key}, study_uid, state, verdict, frontal_view, lateral_view)`,
      )
      .execute(db);
  for (const index of ['study_oldest', 'study_newest', 'study_state']) await db.schema.dropIndex(index).execute();
  await sql`create index study_completed on study (completed_at)`.execute(db);
}

async function createCounts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('list_count')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('urgency', 'integer', (c) => c.notNull())
    .addColumn('judged', 'integer', (c) => c.notNull())
    .addColumn('studies', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('list_count_key', ['state', 'urgency', 'judged'])
    .execute();
  await sql`insert into list_count (state, urgency, judged, studies)
    select state, urgency, case when verdict is null then 0 else 1 end, count(*) from list_entry
    group by state, urgency, case when verdict is null then 0 else 1 end`.execute(db);
  await db.schema
    .createTable('verdict_count')
    .addColumn('verdict', 'text', (c) => c.primaryKey())
    .addColumn('studies', 'bigint', (c) => c.notNull())
    .execute();
  await sql`insert into verdict_count (verdict, studies)
    select verdict, count(*) from verdict where not exists (select 1 from verdict later
    where later.study_uid = verdict.study_uid and later.change > verdict.change) group by verdict`.execute(db);
}

/** Trigrams as they stand: `fold` has taken case and marks away. The text itself is in `list_entry`. */
const SEARCH_OF_SQLITE = [
  `create virtual table list_search using fts5 (search_study, search_patient, content = 'list_entry',
    content_rowid = 'id', tokenize = 'trigram case_sensitive 1', columnsize = 0)`,
  `insert into list_search (list_search) values ('rebuild')`,
];

const SEARCHABLE = (row: string) => `${row}.id, ${row}.search_study, ${row}.search_patient`;
const INDEXED = `insert into list_search (rowid, search_study, search_patient) values (${SEARCHABLE('new')})`;
const UNINDEXED = `insert into list_search (list_search, rowid, search_study, search_patient)
  values ('delete', ${SEARCHABLE('old')})`;
const judged = (row: string) => `case when ${row}.verdict is null then 0 else 1 end`;
const COUNTED = `insert into list_count (state, urgency, judged, studies)
  values (new.state, new.urgency, ${judged('new')}, 1)
  on conflict (state, urgency, judged) do update set studies = list_count.studies + 1`;
const UNCOUNTED = `update list_count set studies = studies - 1
  where state = old.state and urgency = old.urgency and judged = ${judged('old')}`;
const COUNTS_AS_BEFORE = `old.state = new.state and old.urgency = new.urgency
  and (old.verdict is null) = (new.verdict is null)`;
const LISTED = `insert into list_entry (${COLUMNS}) values (${valuesOf('new')})`;
const UNLISTED = `delete from list_entry where study_uid = old.study_uid`;
const DECIDING = 'state, urgency, arrived_at, verdict, views, search_study, search_patient';

/** The verdict of a study that counts without the one of `row`, where that is the latest; else none. */
const verdictBefore = (row: string) => `(select verdict from verdict earlier where earlier.study_uid = ${row}.study_uid
  and earlier.change < ${row}.change order by earlier.change desc limit 1)`;
const noneAfter = (row: string) => `not exists (select 1 from verdict later
  where later.study_uid = ${row}.study_uid and later.change > ${row}.change)`;
const JUDGED = [
  `update verdict_count set studies = studies - 1 where verdict = ${verdictBefore('new')} and ${noneAfter('new')}`,
  `insert into verdict_count (verdict, studies) select new.verdict, 1 where ${noneAfter('new')}
    on conflict (verdict) do update set studies = verdict_count.studies + 1`,
];
const UNJUDGED = [
  `update verdict_count set studies = studies - 1 where verdict = old.verdict and ${noneAfter('old')}`,
  `update verdict_count set studies = studies + 1 where verdict = ${verdictBefore('old')} and ${noneAfter('old')}`,
];

const trigger = (name: string, event: string, ...statements: readonly string[]) =>
  `create trigger ${name} after ${event} begin ${statements.join('; ')}; end`;

const TRIGGERS_OF_SQLITE = [
  trigger('study_inserted', `insert on study when new.state <> 'left-alone'`, LISTED),
  trigger(
    'study_shown',
    `update of state on study when old.state = 'left-alone' and new.state <> 'left-alone'`,
    LISTED,
  ),
  trigger('study_hidden', `update of state on study when new.state = 'left-alone'`, UNLISTED),
  trigger('study_deleted', 'delete on study', UNLISTED),
  trigger(
    'study_updated',
    `update of ${DECIDING} on study when old.state <> 'left-alone' and new.state <> 'left-alone'`,
    `update list_entry set (${COLUMNS}) = (${valuesOf('new')}) where study_uid = old.study_uid`,
  ),
  trigger('list_entry_inserted', 'insert on list_entry', INDEXED, COUNTED),
  trigger('list_entry_deleted', 'delete on list_entry', UNINDEXED, UNCOUNTED),
  trigger(
    'list_entry_searched',
    `update on list_entry when old.search_study <> new.search_study or old.search_patient <> new.search_patient`,
    UNINDEXED,
    INDEXED,
  ),
  trigger('list_entry_counted', `update on list_entry when not (${COUNTS_AS_BEFORE})`, UNCOUNTED, COUNTED),
  trigger('verdict_inserted', 'insert on verdict', ...JUDGED),
  trigger('verdict_deleted', 'delete on verdict', ...UNJUDGED),
];

const procedure = (name: string, body: readonly string[], result = 'null') =>
  `create function ${name}() returns trigger language plpgsql as $$ begin ${body.join('; ')}; return ${result}; end $$`;
const ifThen = (condition: string, ...statements: readonly string[]) =>
  `if ${condition} then ${statements.join('; ')}; end if`;
const call = (name: string, when: string) => `create trigger ${name} ${when} for each row execute function ${name}()`;

const TRIGGERS_OF_POSTGRES = [
  procedure('hilum_study', [
    ifThen(`tg_op = 'DELETE'`, UNLISTED, 'return null'),
    ifThen(`new.state = 'left-alone'`, `delete from list_entry where study_uid = new.study_uid`, 'return null'),
    `${LISTED} on conflict (study_uid) do update set (${COLUMNS}) = (${COLUMNS.replaceAll(/\w+/g, 'excluded.$&')})`,
  ]),
  call('hilum_study', `after insert or delete or update of ${DECIDING} on study`),
  procedure('hilum_list_entry', [
    ifThen(`tg_op = 'UPDATE'`, ifThen(COUNTS_AS_BEFORE, 'return null')),
    ifThen(`tg_op <> 'INSERT'`, UNCOUNTED),
    ifThen(`tg_op <> 'DELETE'`, COUNTED),
  ]),
  call('hilum_list_entry', 'after insert or delete or update of state, urgency, verdict on list_entry'),
  // Before: then the rows of one statement count one after the other (PostgreSQL, section 39.2).
  procedure('hilum_verdict_inserted', JUDGED, 'new'),
  call('hilum_verdict_inserted', 'before insert on verdict'),
  procedure('hilum_verdict_deleted', UNJUDGED, 'old'),
  call('hilum_verdict_deleted', 'before delete on verdict'),
];

export const listEntries: Migration = { name: '005-list-entries', release: 2, change: 'expands', up };
