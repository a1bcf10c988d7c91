import type { Kysely } from 'kysely';
import { createHmac } from 'node:crypto';
import { deriveUid } from '../dicom/uid';
import type { StudyRecord } from '../sinks/record';
import type { Schema } from './schema';

/**
 * A digest by which verdicts on one patient are told to belong together; null where there is no Patient ID.
 * HMAC-SHA256 with a key of this site, which is in its database alone: of a plain digest, Patient IDs could be tried
 * until one fits.
 */
export async function patientDigest(
  db: Kysely<Schema>,
  { PatientID, IssuerOfPatientID }: StudyRecord['patient'],
): Promise<string | null> {
  if (PatientID === '') return null;
  const { value } = await db
    .selectFrom('site_key')
    .select('value')
    .where('name', '=', 'patient-digest')
    .executeTakeFirstOrThrow();
  return createHmac('sha256', Buffer.from(value, 'base64'))
    .update(deriveUid(['patient', IssuerOfPatientID, PatientID]))
    .digest('hex');
}
