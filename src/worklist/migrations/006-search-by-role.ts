import { type Kysely, sql } from 'kysely';
import type { DatabaseKind, Migration } from './migration';
import { withPlainLetters } from './plain-letters';

/**
 * Accession number and study description go from `search_study` to `search_patient`: the first now holds what each row
 * shows to everybody, the Study Instance UID, and only the second is closed to an operator. The triggers rest
 * meanwhile, as they would write each entry and its index once for each row.
 */
async function up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  const resume = kind === 'sqlite' ? await restSqlite(db) : await restPostgres(db);
  // Words, of which the UID is one; it stays to be found where an accession number is the same.
  await sql`update study set search_study = study_uid, search_patient = trim(search_patient || ' ' ||
    trim(replace(' ' || search_study || ' ', ' ' || study_uid || ' ', ' ')))`.execute(db);
  await sql`update list_entry set (search_study, search_patient) = (select
    '  ' || replace(study.search_study, ' ', '  '),
    '  ' || ${sql.raw(withPlainLetters(`replace(study.search_patient, ' ', '  ')`))}
    from study where study.study_uid = list_entry.study_uid)`.execute(db);
  // It quoted words of the film; the sentence follows from the code now.
  await sql`update study set reason_text = null where reason_text is not null`.execute(db);
  await resume();
}

/** Takes the triggers away, and resolves to what puts them back and makes the search index anew. */
async function restSqlite(db: Kysely<unknown>): Promise<() => Promise<void>> {
  const { rows } = await sql<{ name: string; sql: string }>`select name, sql from sqlite_master where type = 'trigger'
    and name in ('study_updated', 'list_entry_searched', 'list_entry_counted')`.execute(db);
  for (const { name } of rows) await sql.raw(`drop trigger ${name}`).execute(db);
  return async () => {
    await sql`insert into list_search (list_search) values ('rebuild')`.execute(db);
    for (const { sql: statement } of rows) await sql.raw(statement).execute(db);
  };
}

/** The indexes for a search are made by `ensureSearchIndex`, which follows. */
async function restPostgres(db: Kysely<unknown>): Promise<() => Promise<void>> {
  await sql`alter table study disable trigger hilum_study`.execute(db);
  await sql`drop index if exists list_entry_search_study, list_entry_search_patient`.execute(db);
  return async () => {
    await sql`alter table study enable trigger hilum_study`.execute(db);
    await sql`analyze list_entry`.execute(db);
  };
}

export const searchByRole: Migration = { name: '006-search-by-role', release: 2, change: 'expands', up };
