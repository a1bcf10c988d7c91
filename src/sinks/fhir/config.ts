import { z } from 'zod';
import { millis } from '../../base/schema';
import { enabled, httpShape, httpUrl } from '../config';

const system = (of: string) => z.url().optional().describe(`Identifier system of ${of}, as the receiver knows it`);

export const fhirSchema = z.strictObject({
  enabled,
  url: httpUrl('Base URL of the FHIR R4 server; needed when enabled'),
  ...httpShape,
  responseTimeoutMs: millis(30_000, 'Longest wait for the answer'),
  patientSystem: system('patients (Patient ID)'),
  accessionSystem: system('accession numbers'),
  placerSystem: system('placer order numbers'),
});
export type FhirConfig = z.infer<typeof fhirSchema>;
