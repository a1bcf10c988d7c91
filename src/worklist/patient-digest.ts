import type { Kysely } from 'kysely';
import { createHmac } from 'node:crypto';
import { deriveUid } from '../dicom/uid';
import type { StudyRecord } from '../sinks/record';
import type { Schema } from './schema';

/**
 * Digest that tells whether verdicts are on the same patient; null without a Patient ID. HMAC-SHA256 with a key in the
 * site's database: from a plain digest, Patient IDs could be found by trial.
 */
export async function patientDigest(
  db: Kysely<Schema>,
  { PatientID, IssuerOfPatientID }: StudyRecord['patient'],
): Promise<string | null> {
  return PatientID === '' ? null : keyed(await keyOf(db), deriveUid(['patient', IssuerOfPatientID, PatientID]));
}

/** Function that converts plain digests, which version 0.1 writes, to those of this version; others stay. */
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
