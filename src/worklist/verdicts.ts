import type { Kysely, Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { Priority } from '../events/priority';
import { leadingFinding } from '../finding/finding';
import type { StudyRecord } from '../sinks/record';
import { type Interval, wilson } from '../statistics/wilson';
import type { Author } from './author';
import { isFindingWithdrawn, nextChange, note, URGENCY_COLUMNS, type UrgencyColumns, urgencyColumns } from './change';
import type { Database } from './database';
import { clean, leadOf } from './record-columns';
import { digestKeying, patientDigest } from './patient-digest';
import { patientWithRis } from './ris-patient';
import type { Schema } from './schema';
import type { Verdict } from './states';
import { readStoredRecord } from './stored-findings';
import { isOfAnother, readColumns } from './work-state';

export interface GivenVerdict {
  readonly verdict: Verdict;
  readonly note: string;
  readonly by: Author;
  /** Time of the result that it is on; absent: the present one. */
  readonly completedAt?: number;
}

export interface KeptVerdict extends Omit<GivenVerdict, 'by' | 'completedAt'> {
  /** The id is null in a verdict of version 0.1. */
  readonly by: { readonly id: string | null; readonly name: string };
  readonly at: number;
  /** Key of the result that it is on. */
  readonly recordKey: string | null;
}

/** From the latest verdict of each study. `share` is agree / (agree + disagree), null where there is none. */
export interface Agreement {
  readonly agree: number;
  readonly disagree: number;
  readonly unusable: number;
  readonly share: number | null;
  /** 95 % (Wilson). */
  readonly interval: Interval;
}

const MAX_NOTE = 2_000;

/** False where there is no such study, or it has no result to judge, or another one than `completedAt`. */
export async function writeVerdict(
  transaction: Transaction<Schema>,
  study: Uid,
  { verdict, note: text, by, completedAt }: GivenVerdict,
  at: number,
): Promise<boolean> {
  const change = await nextChange(transaction);
  const stored = await transaction
    .selectFrom('study')
    .select([...URGENCY_COLUMNS, 'record', 'completed_at', 'read_at', 'first_read_at', 'ris_patient'])
    .where('study_uid', '=', study)
    .executeTakeFirst();
  if (stored === undefined || stored.record === null || isOfAnother(completedAt, stored)) return false;
  const record = readStoredRecord(stored.record);
  const given = { note: clean(text, MAX_NOTE), by: { id: clean(by.id), name: clean(by.name) } };
  await transaction
    .insertInto('verdict')
    .values({
      change,
      study_uid: study,
      record_key: stored.record_key,
      verdict,
      note: given.note,
      by_user: given.by.name,
      by_id: given.by.id,
      at,
      ...judged(record),
      patient_key: await patientDigest(transaction, patientWithRis(record.patient, stored.ris_patient)),
    })
    .execute();
  const judgedNow = { ...stored, verdict, verdict_key: stored.record_key };
  await transaction
    .updateTable('study')
    .set({
      ...(stored.read_at === null ? readColumns('verdict', at, by, stored) : {}),
      ...urgencyColumns(judgedNow, at),
      verdict,
      verdict_note: given.note,
      verdict_by: given.by.name,
      verdict_at: at,
      verdict_key: stored.record_key,
      change,
    })
    .where('study_uid', '=', study)
    .execute();
  await note(transaction, change, study, at, 'verdict', {
    verdict,
    by: given.by.name,
    byId: given.by.id,
    ...effectOf(stored, judgedNow),
  });
  return true;
}

/** Effect of a verdict on the finding's priority; none where that is not urgent. */
function effectOf(before: UrgencyColumns, after: UrgencyColumns): { readonly finding?: 'withdrawn' | 'restored' } {
  const [was, is] = [isFindingWithdrawn(before), isFindingWithdrawn(after)];
  if (was === is || after.finding_priority !== 'urgent') return {};
  return { finding: is ? 'withdrawn' : 'restored' };
}

/** Values of the result, stored with the verdict, as the result may change. */
function judged({ priority, films }: StudyRecord) {
  const lead = leadOf(films);
  return {
    priority,
    probability: lead?.probability ?? null,
    threshold: lead === undefined ? null : (leadingFinding(lead)?.operatingPoint ?? null),
    film_uid: lead?.sopInstanceUid ?? null,
    view: lead?.view ?? null,
  };
}

/** Verdicts on a study, the latest first. */
export async function verdictsOf(db: Kysely<Schema>, study: Uid): Promise<KeptVerdict[]> {
  const rows = await db
    .selectFrom('verdict')
    .selectAll()
    .where('study_uid', '=', study)
    .orderBy('change', 'desc')
    .execute();
  return rows.map(({ verdict, note: text, by_user, by_id, at, record_key }) => ({
    verdict: verdict as Verdict,
    note: text,
    by: { id: by_id, name: by_user },
    at,
    recordKey: record_key,
  }));
}

function latest(db: Kysely<Schema>) {
  return db
    .selectFrom('verdict')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('verdict as later')
            .select('later.change')
            .whereRef('later.study_uid', '=', 'verdict.study_uid')
            .whereRef('later.change', '>', 'verdict.change'),
        ),
      ),
    );
}

export async function agreementOf(db: Kysely<Schema>): Promise<Agreement> {
  const rows = await db.selectFrom('verdict_count').selectAll().execute();
  const count = (verdict: Verdict) => rows.find((row) => row.verdict === verdict)?.studies ?? 0;
  const [agree, disagree, unusable] = [count('agree'), count('disagree'), count('unusable')];
  const judgedBoth = agree + disagree;
  return {
    agree,
    disagree,
    unusable,
    share: judgedBoth === 0 ? null : agree / judgedBoth,
    interval: wilson(agree, judgedBoth),
  };
}

/** Columns of the export, as `hilum evaluate` reads them (docs/evaluate.md); those after `patient` are subgroups. */
const COLUMNS = ['file', 'label', 'patient', 'view', 'hilum'] as const;

/**
 * The latest verdicts as labels: whether the finding is present according to the radiologist. The file is `<Study
 * Instance UID>/<SOP Instance UID>.dcm` of the film that represented the study; the patient is a digest. Without
 * unusable films, and without studies that have no analysed film.
 */
export async function* exportVerdicts(database: Pick<Database, 'read'>): AsyncGenerator<string> {
  yield line(COLUMNS);
  const keying = await database.read(digestKeying);
  for (let after = 0; ;) {
    const rows = await database.read((db) =>
      latest(db)
        .selectAll('verdict')
        .where('verdict.change', '>', after)
        .orderBy('verdict.change')
        .limit(500)
        .execute(),
    );
    if (rows.length === 0) return;
    for (const { verdict, priority, film_uid, study_uid, patient_key, view } of rows) {
      if (verdict !== 'unusable' && priority !== null && film_uid !== null)
        yield line([
          `${study_uid}/${film_uid}.dcm`,
          labelOf(verdict as Verdict, priority),
          patient_key === null ? '' : keying(patient_key),
          view ?? '',
          priority,
        ]);
    }
    after = rows.at(-1)!.change;
  }
}

const line = (cells: readonly string[]) => `${cells.join(',')}\n`;

function labelOf(verdict: Verdict, priority: Priority): 'positive' | 'negative' {
  return (verdict === 'agree') === (priority === 'urgent') ? 'positive' : 'negative';
}
