import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import { mostUrgent } from '../events/priority';
import type { OrderReference, PatientIdentifier, RisChange } from '../ris/changes';
import { nextChange, note, URGENCY_COLUMNS, urgencyColumns } from './change';
import { identifierOf } from './ris-patient';
import type { Schema, StudyColumns } from './schema';
import { readStoredRecord } from './stored-findings';
import { writeRead } from './work-state';

type OrderChange = Extract<RisChange, { readonly order: OrderReference }>;
type StoredOrder = Selectable<Schema['ris_order']>;

/** Called before a study's row changes because of the RIS; where it throws, nothing changes. */
export type OnChange = (study: ChangedStudy) => Promise<void>;

export interface ChangedStudy {
  readonly studyInstanceUid: Uid;
  readonly patientId: string | null;
  readonly accessionNumber: string | null;
}

/**
 * Stores what the RIS says of an order. A message that was sent before the stored one is ignored.
 * @param sentAt time of sending (milliseconds since 1970)
 */
export async function storeOrder(
  transaction: Transaction<Schema>,
  change: OrderChange,
  sentAt: number,
  now: number,
): Promise<void> {
  const key = { accession_number: change.order.accessionNumber, patient: JSON.stringify(change.order.patient) };
  const said =
    change.kind === 'final-report'
      ? { read_at: change.readAt, read_on_wall_clock: change.readOnWallClock, report_at: sentAt }
      : { priority: change.priority, priority_at: sentAt };
  const before = await transaction
    .selectFrom('ris_order')
    .select(['priority_at', 'report_at'])
    .where('accession_number', '=', key.accession_number)
    .where('patient', '=', key.patient)
    .executeTakeFirst();
  const saidBefore = change.kind === 'final-report' ? before?.report_at : before?.priority_at;
  if (saidBefore !== undefined && saidBefore !== null && saidBefore > sentAt) return;
  await transaction
    .insertInto('ris_order')
    .values({ ...key, ...said, received_at: now })
    .onConflict((conflict) =>
      conflict.columns(['accession_number', 'patient']).doUpdateSet({ ...said, received_at: now }),
    )
    .execute();
}

const COLUMNS = [
  ...URGENCY_COLUMNS,
  'accession_number',
  'patient_id',
  'study_date',
  'study_time',
  'record',
  'ris_priority_at',
  'ris_report_at',
  'ris_patient',
] as const satisfies readonly (keyof StudyColumns)[];
type Stored = Pick<StudyColumns, (typeof COLUMNS)[number]>;

/**
 * Applies the stored order to a study: when the study is new, or has another accession number or patient. Each
 * statement is applied once. The caller holds the change number, so that no order is stored meanwhile.
 */
export async function applyStoredOrder(
  transaction: Transaction<Schema>,
  study: Uid,
  now: number,
  onChange: OnChange = () => Promise.resolve(),
): Promise<void> {
  const stored = await readStored(transaction, study);
  if (stored === undefined || stored.accession_number === '') return;
  await follow(transaction, study, stored, await ordersOf(transaction, stored), now, onChange);
}

/** As {@link applyStoredOrder}, after `order` was stored; only if it belongs to this study. */
export async function applyOrder(
  transaction: Transaction<Schema>,
  study: Uid,
  order: OrderReference,
  now: number,
  onChange: OnChange,
): Promise<boolean> {
  const stored = await readStored(transaction, study);
  if (stored === undefined || !isOfPatient(order.patient, stored)) return false;
  await follow(transaction, study, stored, await ordersOf(transaction, stored), now, onChange);
  return true;
}

/** Columns of a study on the list. */
function readStored(db: Kysely<Schema>, study: Uid): Promise<Stored | undefined> {
  return db
    .selectFrom('study')
    .select(COLUMNS)
    .where('study_uid', '=', study)
    .where('state', '<>', 'left-alone')
    .executeTakeFirst();
}

/** Stored orders of a study. */
async function ordersOf(db: Kysely<Schema>, stored: Stored): Promise<StoredOrder[]> {
  const kept = await db
    .selectFrom('ris_order')
    .selectAll()
    .where('accession_number', '=', stored.accession_number)
    .execute();
  return kept.filter(({ patient }) => isOfPatient(JSON.parse(patient) as readonly PatientIdentifier[], stored));
}

async function follow(
  transaction: Transaction<Schema>,
  study: Uid,
  stored: Stored,
  orders: readonly StoredOrder[],
  now: number,
  onChange: OnChange,
): Promise<void> {
  const told = () =>
    onChange({
      studyInstanceUid: study,
      patientId: stored.patient_id || null,
      accessionNumber: stored.accession_number,
    });
  await followPriority(transaction, study, stored, orders, now, told);
  await followReport(transaction, study, stored, orders, now, told);
}

/** Studies on the list with this accession number. */
export async function studiesOf(db: Kysely<Schema>, { accessionNumber }: OrderReference): Promise<Uid[]> {
  const rows = await db
    .selectFrom('study')
    .select('study_uid')
    .where('accession_number', '=', accessionNumber)
    .where('accession_number', '<>', '')
    .where('state', '<>', 'left-alone')
    .orderBy('study_uid')
    .execute();
  return rows.map(({ study_uid }) => study_uid as Uid);
}

/** Where either side names no patient, the accession number alone decides. */
function isOfPatient(
  patient: readonly PatientIdentifier[],
  { patient_id, record, ris_patient }: Pick<Stored, 'patient_id' | 'record' | 'ris_patient'>,
): boolean {
  if (patient.length === 0 || patient_id === '') return true;
  return identifierOf(patient, { id: patient_id, issuer: issuerOf(record) }, ris_patient) !== undefined;
}

/** Issuer of the Patient ID in the archive; '' without a result, as a search does not return it. */
export function issuerOf(record: string | null): string {
  return record === null ? '' : readStoredRecord(record).patient.IssuerOfPatientID;
}

function latest(orders: readonly StoredOrder[], time: 'priority_at' | 'report_at'): StoredOrder | undefined {
  return orders.reduce<StoredOrder | undefined>(
    (best, order) => ((order[time] ?? -1) > (best?.[time] ?? -1) ? order : best),
    undefined,
  );
}

/**
 * May lower the priority that the RIS gave before, and no other: the highest of all priorities counts, and of orders
 * that were sent at the same time the highest of theirs.
 */
async function followPriority(
  transaction: Transaction<Schema>,
  study: Uid,
  stored: Stored,
  orders: readonly StoredOrder[],
  now: number,
  told: () => Promise<void>,
): Promise<void> {
  const at = latest(orders, 'priority_at')?.priority_at ?? null;
  const appliedAt = stored.ris_priority_at ?? -1;
  if (at === null || at < appliedAt) return;
  const said = orders.filter(({ priority_at }) => priority_at === at).map((order) => order.priority);
  const priority = mostUrgent(said);
  const differsFromList = priority !== stored.ris_priority;
  if (at === appliedAt && !differsFromList) return;
  if (differsFromList) await told();
  const change = await nextChange(transaction);
  await transaction
    .updateTable('study')
    .set({
      ris_priority: priority,
      ris_priority_at: at,
      ...(differsFromList ? { ...urgencyColumns({ ...stored, ris_priority: priority }, now), change } : {}),
    })
    .where('study_uid', '=', study)
    .execute();
  if (differsFromList) await note(transaction, change, study, now, 'priority', { priority, how: 'ris' });
}

/** Each report is applied once. A report from before the study was made is about an earlier film of the order. */
async function followReport(
  transaction: Transaction<Schema>,
  study: Uid,
  stored: Stored,
  orders: readonly StoredOrder[],
  now: number,
  told: () => Promise<void>,
): Promise<void> {
  const order = latest(orders, 'report_at');
  if (order === undefined || order.report_at === null || order.report_at <= (stored.ris_report_at ?? -1)) return;
  await transaction
    .updateTable('study')
    .set({ ris_report_at: order.report_at })
    .where('study_uid', '=', study)
    .execute();
  if (order.read_at === null || isMadeAfter(stored, order.read_on_wall_clock ?? '')) return;
  await told();
  await writeRead(transaction, study, { how: 'ris', at: order.read_at }, now);
}

/** Study Date and Time are in the site's time zone; without a time the whole day counts. */
function isMadeAfter({ study_date, study_time }: Stored, wallClock: string): boolean {
  if (!/^\d{8}$/.test(study_date)) return false;
  const time = /^\d{2,6}/.exec(study_time)?.[0] ?? '';
  return `${study_date}${time}` > wallClock.slice(0, study_date.length + time.length);
}
