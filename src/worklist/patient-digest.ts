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
  return PatientID === '' ? null : keyed(await keyOf(db), deriveUid(['patient', IssuerOfPatientID, PatientID]));
}

/** What makes plain digests, as version 0.1 writes them, into those of this version; others stay. */
export async function digestKeying(db: Kysely<Schema>): Promise<(digest: string) => string> {
  const key = await keyOf(db);
  return (digest) => (digest.startsWith('2.25.') ? keyed(key, digest) : digest);
}

async function keyOf(db: Kysely<Schema>): Promise<Buffer> {
  const { value } = await db
    .selectFrom('site_key')
    .select('value')
    .where('name', '=', 'patient-digest')
    .executeTakeFirstOrThrow();
  return Buffer.from(value, 'base64');
}

function keyed(key: Buffer, digest: string): string {
  return createHmac('sha256', key).update(digest).digest('hex');
}
