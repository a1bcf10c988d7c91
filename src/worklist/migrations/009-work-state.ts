import { type Kysely, sql } from 'kysely';
import type { DatabaseKind, Migration } from './migration';
import { withPlainLetters } from './plain-letters';

/**
 * Who reads a study and when it was read, and which rows are hidden at first (`hidden`: radiographs of something else
 * than the chest). `list_entry` and `list_count` follow; `left_out_count` has how many studies are not on the list, or
 * hidden, by reason. Claims stand in `study` alone: they change often, and few hold at a time.
 */
async function up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  await addColumns(db);
  await hideOthers(db);
  await dropTriggers(db, kind);
  await readByVerdict(db);
  await extendEntries(db);
  await createCounts(db);
  for (const statement of kind === 'sqlite' ? TRIGGERS_OF_SQLITE : TRIGGERS_OF_POSTGRES)
    await sql.raw(statement).execute(db);
  if (kind === 'postgres') await sql`analyze list_entry`.execute(db);
}

/** One at a time: SQLite adds no two columns in one statement. */
async function addColumns(db: Kysely<unknown>): Promise<void> {
  for (const [name, type] of [
    ['claimed_by_id', 'text'],
    ['claimed_by', 'text'],
    ['claimed_until', 'bigint'],
    ['first_opened_at', 'bigint'],
    ['read_at', 'bigint'],
    ['read_by_id', 'text'],
    ['read_by', 'text'],
    ['read_how', 'text'],
    ['unread_since', 'bigint'],
  ] as const)
    await db.schema.alterTable('study').addColumn(name, type).execute();
  await db.schema
    .alterTable('study')
    .addColumn('hidden', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`create index study_claimed on study (claimed_by_id, claimed_until) where claimed_by_id is not null`.execute(
    db,
  );
}

/** What was judged was read. Who else read what is not known. */
async function readByVerdict(db: Kysely<unknown>): Promise<void> {
  await sql`update study set read_at = verdict_at, read_by = verdict_by, read_how = 'verdict',
    read_by_id = (select by_id from verdict where verdict.study_uid = study.study_uid order by change desc limit 1)
    where verdict is not null and verdict_at is not null`.execute(db);
}

interface StoredFilm {
  readonly outcome: string;
  readonly reason: string | null;
}

/** As `events/chest-film` has it, when this step was written. */
const NO_FILM = ['modality', 'no-image'];
const NOT_CHEST = ['body-part', 'derived-result', 'quality-control-image', 'not-human', 'not-for-presentation'];

/** By the triggers of before, which take away the entries of those that are not on the list. */
async function hideOthers(db: Kysely<unknown>): Promise<void> {
  for (let after = ''; ;) {
    const { rows } = await sql<{ study_uid: string; record: string }>`select study_uid, record from study
      where study_uid > ${after} and state = 'not-analysed' and record is not null
      order by study_uid limit 500`.execute(db);
    if (rows.length === 0) return;
    for (const { study_uid, record } of rows) {
      const { films } = JSON.parse(record) as { readonly films: readonly StoredFilm[] };
      const isOnly = (reasons: readonly string[]) =>
        films.every(({ outcome, reason }) => outcome === 'rejected' && reasons.includes(reason ?? ''));
      if (isOnly(NO_FILM)) await sql`update study set state = 'left-alone' where study_uid = ${study_uid}`.execute(db);
      else if (isOnly([...NO_FILM, ...NOT_CHEST]))
        await sql`update study set hidden = 1 where study_uid = ${study_uid}`.execute(db);
    }
    after = rows.at(-1)!.study_uid;
  }
}

async function extendEntries(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('list_entry').addColumn('read_at', 'bigint').execute();
  for (const [name, value] of [
    ['unread', 1],
    ['hidden', 0],
  ] as const)
    await db.schema
      .alterTable('list_entry')
      .addColumn(name, 'integer', (c) => c.notNull().defaultTo(value))
      .execute();
  await sql`update list_entry set (read_at, unread, hidden) = (select read_at, case when read_at is null then 1 else 0
    end, hidden from study where study.study_uid = list_entry.study_uid) where study_uid in (select study_uid from study
    where read_at is not null or hidden = 1)`.execute(db);
  for (const [name, key] of [
    ['oldest', 'arrived_at'],
    ['newest', 'newest_key'],
  ] as const) {
    await db.schema.dropIndex(`list_entry_${name}`).execute();
    const columns = `urgency, ${key}, study_uid, state, verdict, frontal_view, lateral_view, hidden`;
    await sql.raw(`create index list_entry_${name} on list_entry (${columns})`).execute(db);
    // What is looked at all day: few, however many were read.
    await sql
      .raw(`create index list_entry_unread_${name} on list_entry (${columns}, unread) where unread > 0`)
      .execute(db);
  }
  await sql`create index list_entry_read on list_entry (read_at) where read_at is not null`.execute(db);
}

const judged = (row: string) => `case when ${row}.verdict is null then 0 else 1 end`;
const unread = (row: string) => `case when ${row}.read_at is null then 1 else 0 end`;
const KEY = 'state, urgency, judged, hidden, unread';
const keyOf = (row: string) => `${row}.state, ${row}.urgency, ${judged(row)}, ${row}.hidden, ${unread(row)}`;
const isLeftOut = (row: string) => `(${row}.state = 'left-alone' or ${row}.hidden = 1)`;
const whyLeftOut = (row: string) => `coalesce(${row}.reason, 'not-recorded')`;

async function createCounts(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('list_count').execute();
  await db.schema
    .createTable('list_count')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('urgency', 'integer', (c) => c.notNull())
    .addColumn('judged', 'integer', (c) => c.notNull())
    .addColumn('hidden', 'integer', (c) => c.notNull())
    .addColumn('unread', 'integer', (c) => c.notNull())
    .addColumn('studies', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('list_count_by', ['state', 'urgency', 'judged', 'hidden', 'unread'])
    .execute();
  await sql
    .raw(
      `insert into list_count (${KEY}, studies) select ${keyOf('list_entry')}, count(*) from list_entry
      group by ${keyOf('list_entry')}`,
    )
    .execute(db);
  await db.schema
    .createTable('left_out_count')
    .addColumn('reason', 'text', (c) => c.primaryKey())
    .addColumn('studies', 'bigint', (c) => c.notNull())
    .execute();
  await sql
    .raw(
      `insert into left_out_count (reason, studies) select ${whyLeftOut('study')}, count(*) from study
      where ${isLeftOut('study')} group by ${whyLeftOut('study')}`,
    )
    .execute(db);
}

const COLUMNS = `study_uid, state, urgency, arrived_at, newest_key, verdict, frontal_view, lateral_view, search_study,
  search_patient, read_at, unread, hidden`;

/**
 * Version 0.1, which may run beside this one, writes accession number and description into `search_study`, beside the
 * UID: those may not be found by who does not see patients (step 006).
 */
const isOfOldWriter = (row: string) => `' ' || ${row}.search_study || ' ' like '% ' || ${row}.study_uid || ' %'`;
const studyWords = (row: string) =>
  `case when ${isOfOldWriter(row)} then ${row}.study_uid else ${row}.search_study end`;
const patientWords = (row: string) => `${row}.search_patient || case when ${isOfOldWriter(row)}
  then replace(' ' || ${row}.search_study, ' ' || ${row}.study_uid, '') else '' end`;

/** As in step 005, with the columns that are new. */
const valuesOf = (
  row: string,
) => `${row}.study_uid, ${row}.state, ${row}.urgency, ${row}.arrived_at, 0 - ${row}.arrived_at,
  ${row}.verdict, case when ${row}.views like '%frontal%' then 1 else 0 end,
  case when ${row}.views like '%lateral%' then 1 else 0 end, '  ' || replace(${studyWords(row)}, ' ', '  '),
  '  ' || ${withPlainLetters(`replace(${patientWords(row)}, ' ', '  ')`)}, ${row}.read_at, ${unread(row)}, ${row}.hidden`;

const DECIDING = 'state, urgency, arrived_at, verdict, views, search_study, search_patient, read_at, hidden';
const LISTED = `insert into list_entry (${COLUMNS}) values (${valuesOf('new')})`;
const UNLISTED = `delete from list_entry where study_uid = old.study_uid`;
const SEARCHABLE = (row: string) => `${row}.id, ${row}.search_study, ${row}.search_patient`;
const INDEXED = `insert into list_search (rowid, search_study, search_patient) values (${SEARCHABLE('new')})`;
const UNINDEXED = `insert into list_search (list_search, rowid, search_study, search_patient)
  values ('delete', ${SEARCHABLE('old')})`;
const COUNTED = `insert into list_count (${KEY}, studies) values (${keyOf('new')}, 1)
  on conflict (${KEY}) do update set studies = list_count.studies + 1`;
const UNCOUNTED = `update list_count set studies = studies - 1 where (${KEY}) = (${keyOf('old')})`;
const COUNTS_AS_BEFORE = `(${keyOf('old')}) = (${keyOf('new')})`;
const LEFT_OUT = `insert into left_out_count (reason, studies) values (${whyLeftOut('new')}, 1)
  on conflict (reason) do update set studies = left_out_count.studies + 1`;
const LEFT_OUT_NO_MORE = `update left_out_count set studies = studies - 1 where reason = ${whyLeftOut('old')}`;

const OF_SQLITE = [
  'study_inserted',
  'study_shown',
  'study_hidden',
  'study_deleted',
  'study_updated',
  'list_entry_inserted',
  'list_entry_deleted',
  'list_entry_counted',
];

async function dropTriggers(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  if (kind === 'sqlite') {
    for (const name of OF_SQLITE) await sql.raw(`drop trigger ${name}`).execute(db);
    return;
  }
  for (const [name, table] of [
    ['hilum_study', 'study'],
    ['hilum_list_entry', 'list_entry'],
  ] as const) {
    await sql.raw(`drop trigger ${name} on ${table}`).execute(db);
    await sql.raw(`drop function ${name}()`).execute(db);
  }
}

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
  trigger('list_entry_counted', `update on list_entry when not (${COUNTS_AS_BEFORE})`, UNCOUNTED, COUNTED),
  trigger('left_out_inserted', `insert on study when ${isLeftOut('new')}`, LEFT_OUT),
  trigger('left_out_deleted', `delete on study when ${isLeftOut('old')}`, LEFT_OUT_NO_MORE),
  trigger('left_out_before', `update of state, reason, hidden on study when ${isLeftOut('old')}`, LEFT_OUT_NO_MORE),
  trigger('left_out_after', `update of state, reason, hidden on study when ${isLeftOut('new')}`, LEFT_OUT),
];

const procedure = (name: string, body: readonly string[]) =>
  `create function ${name}() returns trigger language plpgsql as $$ begin ${body.join('; ')}; return null; end $$`;
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
  call('hilum_list_entry', 'after insert or delete or update of state, urgency, verdict, unread, hidden on list_entry'),
  procedure('hilum_left_out', [
    ifThen(`tg_op <> 'INSERT'`, ifThen(isLeftOut('old'), LEFT_OUT_NO_MORE)),
    ifThen(`tg_op <> 'DELETE'`, ifThen(isLeftOut('new'), LEFT_OUT)),
  ]),
  call('hilum_left_out', 'after insert or delete or update of state, reason, hidden on study'),
];

export const workState: Migration = { name: '009-work-state', release: 2, change: 'expands', up };
