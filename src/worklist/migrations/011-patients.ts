import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration';

/** Earlier studies of a patient are found by the Patient ID. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index if not exists study_patient on study (patient_id)`.execute(db);
}

export const patients: Migration = { name: '011-patients', release: 2, change: 'expands', up };
