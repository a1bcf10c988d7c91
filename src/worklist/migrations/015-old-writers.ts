import { type Kysely, sql } from 'kysely';
import type { DatabaseKind, Migration } from './migration';

/**
 * Version 0.1, which may write beside this one, knows neither readings nor the RIS nor lists of findings: a result of
 * its own that makes a study urgent leaves it read, takes away the urgency that the RIS gave, and leaves the findings
 * of the result before. Triggers put that right; what this version writes does not call them. They may go when version
 * 0.1 does not run beside any more.
 */
async function up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  if (kind === 'sqlite') await leaveToMending(db);
  for (const [name, columns, condition, mend] of MENDED) {
    const statements =
      kind === 'sqlite'
        ? [`create trigger ${name} after update of ${columns} on study when ${condition} begin ${mend}; end`]
        : [
            `create function ${name}() returns trigger language plpgsql as $$ begin ${mend}; return null; end $$`,
            `create trigger ${name} after update of ${columns} on study for each row when (${condition})
              execute function ${name}()`,
          ];
    for (const statement of statements) await sql.raw(statement).execute(db);
  }
}

/**
 * SQLite does not say which trigger of a statement comes first, and `list_entry` must not follow what is about to be
 * put right: it follows the statement that does so. (PostgreSQL: by their names.)
 */
async function leaveToMending(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ sql: string }>`select sql from sqlite_schema where name = 'study_updated'`.execute(db);
  const conditions = MENDED.slice(0, 2).map(([, , condition]) => `and not coalesce(${condition}, 0)`);
  await sql`drop trigger study_updated`.execute(db);
  await sql.raw(rows[0]!.sql.replace(' begin ', ` ${conditions.join(' ')} begin `)).execute(db);
}

/** The first two change what the list is sorted and filtered by. */
const MENDED: readonly (readonly [name: string, columns: string, condition: string, mend: string])[] = [
  [
    'study_read_before_urgent',
    'record_key',
    `new.read_at = old.read_at and new.finding_priority = 'urgent' and coalesce(old.finding_priority, '') <> 'urgent'`,
    `update study set read_at = null, read_by = null, read_by_id = null, read_how = null,
      unread_since = new.completed_at where study_uid = new.study_uid`,
  ],
  [
    'study_urgent_by_ris',
    'urgency',
    `new.urgency = 1 and new.ris_priority = 'urgent'`,
    'update study set urgency = 0 where study_uid = new.study_uid',
  ],
  [
    'study_findings_of_before',
    'record_key',
    `new.findings is not null and new.record not like '%"findings":%'`,
    'update study set findings = null where study_uid = new.study_uid',
  ],
];

export const oldWriters: Migration = { name: '015-old-writers', release: 2, change: 'expands', up };
