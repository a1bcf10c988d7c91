import type { Kysely } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { StudyRecord } from '../sinks/record';
import { patientWithRis } from './ris-patient';
import type { Schema } from './schema';
import { SHOWN_STATES } from './states';
import { readStoredRecord } from './stored-findings';
import { ROW_COLUMNS, rowOf, type StudyRow } from './study-row';

/** A prior study of the same patient, with its result. */
export interface Prior {
  readonly row: StudyRow;
  readonly record: StudyRecord;
}

/** Number of studies with the Patient ID that are read at a time, and in all: several issuers may use the same ID. */
const STEP = 50;
const MAX_LOOKED_AT = 500;

type Patient = StudyRecord['patient'];

/** A Patient ID identifies a patient only together with its issuer (PS3.3 section C.2.2). */
function isSamePatient(one: Patient, other: Patient): boolean {
  // Records of version 0.1 lack the issuer.
  const issuerOf = ({ IssuerOfPatientID }: Partial<Patient>) => (IssuerOfPatientID ?? '').trim();
  return one.PatientID.trim() === other.PatientID.trim() && issuerOf(one) === issuerOf(other);
}

/**
 * Prior studies of the same patient with a result, the newest first by Study Date and Time; those without a date come
 * last. Empty for a study without a result, whose issuer is unknown, and for one without a Patient ID.
 */
export async function findPriors(db: Kysely<Schema>, study: Uid, limit: number): Promise<Prior[]> {
  const stored = await db
    .selectFrom('study')
    .select(['record', 'patient_id', 'study_date', 'study_time', 'ris_patient'])
    .where('study_uid', '=', study)
    .executeTakeFirst();
  if (stored === undefined || stored.record === null || stored.patient_id.trim() === '') return [];
  const patient = patientWithRis(readStoredRecord(stored.record).patient, stored.ris_patient);
  const found: Prior[] = [];
  for (let from = 0; from < MAX_LOOKED_AT && found.length < limit; from += STEP) {
    const rows = await earlierRows(db, study, stored, from);
    const priors = rows.map((row) => ({ row: rowOf(row), record: readStoredRecord(row.record), ris: row.ris_patient }));
    const same = priors.filter(({ record, ris }) => isSamePatient(patientWithRis(record.patient, ris), patient));
    found.push(...same.map(({ row, record }) => ({ row, record })));
    if (rows.length < STEP) break;
  }
  return found.slice(0, limit);
}

interface Opened {
  readonly patient_id: string;
  readonly study_date: string;
  readonly study_time: string;
}

async function earlierRows(
  db: Kysely<Schema>,
  study: Uid,
  { patient_id, study_date, study_time }: Opened,
  from: number,
) {
  return db
    .selectFrom('study')
    .select([...ROW_COLUMNS, 'record', 'ris_patient'])
    .$narrowType<{ record: string }>()
    .where('patient_id', '=', patient_id)
    .where('study_uid', '<>', study)
    .where('record', 'is not', null)
    .where('state', 'in', SHOWN_STATES)
    .where((eb) =>
      eb.or([
        eb('study_date', '<', study_date),
        eb.and([eb('study_date', '=', study_date), eb('study_time', '<=', study_time)]),
      ]),
    )
    .orderBy('study_date', 'desc')
    .orderBy('study_time', 'desc')
    .orderBy('study_uid')
    .limit(STEP)
    .offset(from)
    .execute();
}
