import { sql, type Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type {
  OrderReference,
  PatientIdentifier,
  RisChange,
  RisMessage,
  RisSender,
  RisStore,
  TakenAs,
} from '../ris/changes';
import { changedSummary, summaryOfRow } from './attributes';
import { nextChange, note } from './change';
import { moveVerdictsToPatient } from './corrections';
import type { Database } from './database';
import {
  type ChangedStudy,
  applyStoredOrder,
  applyOrder,
  issuerOf,
  storeOrder,
  type OnChange,
  studiesOf,
} from './ris-orders';
import { SUMMARY_COLUMNS } from './record-columns';
import { columnsWithRis, correctedByRis, identifierOf, risPatientAt, summaryWithoutRis } from './ris-patient';
import type { Schema, StudyColumns } from './schema';

export interface RisStoreParts {
  readonly database: Database;
  /** Called for each study before its row changes. @throws HilumError: then nothing of the message is applied */
  readonly onChange: (study: ChangedStudy, sender: RisSender) => Promise<void>;
  readonly now?: () => number;
}

/**
 * Applies messages of the RIS about orders and patients to the list. A message is applied in one transaction together
 * with its digest: received twice it changes nothing, and what is acknowledged is committed. The change number is taken
 * first, as in every writer, so that a study that arrives meanwhile either finds the stored order or is found.
 */
export function risStore({ database, onChange, now = Date.now }: RisStoreParts): RisStore {
  return {
    take: async (message, sender) => {
      const at = now();
      return database.write(async (transaction) => {
        await nextChange(transaction);
        if (await isKnown(transaction, message, at)) return 'repeated';
        return takeChanges(transaction, message, at, (study) => onChange(study, sender));
      });
    },
  };
}

async function isKnown(transaction: Transaction<Schema>, { digest }: RisMessage, at: number): Promise<boolean> {
  const known = await transaction
    .selectFrom('ris_message')
    .select('digest')
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (known === undefined) await transaction.insertInto('ris_message').values({ digest, received_at: at }).execute();
  return known !== undefined;
}

async function takeChanges(
  transaction: Transaction<Schema>,
  { changes, sentAt }: RisMessage,
  now: number,
  onChange: OnChange,
): Promise<TakenAs> {
  const taken: TakenAs[] = [];
  for (const change of changes) {
    if ('order' in change) {
      await storeOrder(transaction, change, sentAt, now);
      taken.push(await applyOrderToStudies(transaction, change.order, now, onChange));
    } else taken.push((await correctPatient(transaction, change, sentAt, now, onChange)) ? 'applied' : 'ignored');
  }
  return MAX_TELLING.find((one) => taken.includes(one)) ?? 'ignored';
}

const MAX_TELLING = ['patient-differs', 'applied', 'kept'] as const satisfies readonly TakenAs[];

/** Applies an order to its studies. */
async function applyOrderToStudies(
  transaction: Transaction<Schema>,
  order: OrderReference,
  now: number,
  onChange: OnChange,
): Promise<TakenAs> {
  const studies = await studiesOf(transaction, order);
  let isApplied = false;
  for (const study of studies) isApplied = (await applyOrder(transaction, study, order, now, onChange)) || isApplied;
  if (isApplied) return 'applied';
  return studies.length === 0 ? 'kept' : 'patient-differs';
}

const COLUMNS = [
  'study_uid',
  'record',
  ...SUMMARY_COLUMNS,
  'ris_patient',
] as const satisfies readonly (keyof StudyColumns)[];
type Stored = Pick<StudyColumns, (typeof COLUMNS)[number]>;

type PatientChange = Exclude<RisChange, { readonly order: unknown }>;

/**
 * Corrects the patient of the studies on the list; returns whether there is one. Later studies arrive with the
 * archive's values.
 */
async function correctPatient(
  transaction: Transaction<Schema>,
  change: PatientChange,
  sentAt: number,
  now: number,
  onChange: OnChange,
): Promise<boolean> {
  const named = change.kind === 'merge' ? change.prior : change.patient;
  const rows = await transaction
    .selectFrom('study')
    .select(COLUMNS)
    .where(
      'patient_id',
      'in',
      named.map(({ id }) => id),
    )
    .where(sql<boolean>`patient_id <> ''`)
    .where('state', '<>', 'left-alone')
    .orderBy('study_uid')
    .execute();
  let isAny = false;
  for (const row of rows) {
    const issuer = issuerOf(row.record);
    const found = identifierOf(named, { id: row.patient_id, issuer }, row.ris_patient);
    if (found === undefined) continue;
    isAny = true;
    const lastAt = risPatientAt(row.ris_patient) ?? 0;
    const still = sentAt >= lastAt ? change : withoutDemographics(change, found.id === row.patient_id);
    if (still !== null)
      await correctRow(transaction, row, said(still, found, issuer), {
        sentAt: Math.max(sentAt, lastAt),
        now,
        onChange,
      });
  }
  return isAny;
}

/** What holds of a message older than the last one: the merge of an identifier that the study still has. */
function withoutDemographics(change: PatientChange, hasIdentifier: boolean): PatientChange | null {
  return change.kind === 'merge' && hasIdentifier ? { ...change, demographics: {} } : null;
}

/**
 * Attributes that a message sets for the patient of a study, who has the identifier `found`; `issuer` is the archive's.
 */
function said(change: PatientChange, found: PatientIdentifier, issuer: string) {
  if (change.kind === 'patient') return change.demographics;
  const surviving = change.patient.find(({ issuers }) => issuers.some((name) => found.issuers.includes(name)));
  const { id, issuers } = surviving ?? change.patient[0]!;
  // Where the archive names no issuer, none is set: ID and issuer together identify a patient.
  return { ...change.demographics, PatientID: id, ...(issuer === '' ? {} : { IssuerOfPatientID: issuers[0] ?? '' }) };
}

async function correctRow(
  transaction: Transaction<Schema>,
  row: Stored,
  words: ReturnType<typeof said>,
  { sentAt, now, onChange }: { readonly sentAt: number; readonly now: number; readonly onChange: OnChange },
): Promise<void> {
  const study = row.study_uid as Uid;
  const archive = summaryWithoutRis(summaryOfRow(row), row.ris_patient);
  const facts = { ...archive, IssuerOfPatientID: issuerOf(row.record) };
  const columns = columnsWithRis(study, archive, correctedByRis(facts, words, row.ris_patient, sentAt));
  const keywords = changedSummary(summaryOfRow(row), summaryOfRow(columns));
  if (keywords.length === 0) {
    await transaction
      .updateTable('study')
      .set({ ris_patient: columns.ris_patient })
      .where('study_uid', '=', study)
      .execute();
    return;
  }
  for (const patient of new Set([row.patient_id, columns.patient_id]))
    await onChange({
      studyInstanceUid: study,
      patientId: patient || null,
      accessionNumber: row.accession_number || null,
    });
  const change = await nextChange(transaction);
  await transaction
    .updateTable('study')
    .set({ ...columns, change })
    .where('study_uid', '=', study)
    .execute();
  await moveVerdictsToPatient(transaction, study);
  await note(transaction, change, study, now, 'attributes-corrected', { attributes: keywords, how: 'ris' });
  await applyStoredOrder(transaction, study, now, onChange);
}
