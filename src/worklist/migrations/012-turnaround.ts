import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/**
 * When a study's first result came, and when it was read first: `completed_at` and `read_at` move where it is analysed
 * or read anew. The index has all that turnaround is computed from, so that no row of `study` is read for it. `worker`:
 * which one began it last; `worker` (the table): those that told of a study.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, type] of [
    ['first_result_at', 'bigint'],
    ['first_read_at', 'bigint'],
    ['worker', 'text'],
  ] as const)
    await db.schema.alterTable('study').addColumn(name, type).execute();
  await sql`update study set first_read_at = read_at, first_result_at = coalesce((select min(at) from history
    where history.study_uid = study.study_uid and history.kind = 'result'), completed_at)
    where completed_at is not null or read_at is not null`.execute(db);
  const columns = [
    'arrived_at',
    ...['first_result_at', 'first_opened_at', 'first_read_at'],
    ...['triage_priority', 'ris_priority', 'finding_priority', 'person_priority', 'state', 'hidden'],
  ];
  const condition = `state <> 'left-alone' and hidden = 0`;
  await sql.raw(`create index study_turnaround on study (${columns.join(', ')}) where ${condition}`).execute(db);
  await sql`create index study_analysing on study (worker, started_at) where state = 'analysing'`.execute(db);
  await db.schema
    .createTable('worker')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('heard_at', 'bigint', (c) => c.notNull())
    .execute();
}

export const turnaround: Migration = { name: '012-turnaround', release: 2, change: 'expands', up };
