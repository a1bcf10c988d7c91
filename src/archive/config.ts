import { z } from 'zod';
import { millis } from '../base/schema';
import { auth, tls } from '../net/config';

export const archiveSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('DICOMweb root of the archive, e.g. http://orthanc:8042/dicom-web'),
  auth,
  tls: tls.describe('TLS of the archive connection'),
  connectTimeoutMs: millis(10_000, 'Longest wait for a connection'),
  responseTimeoutMs: millis(60_000, 'Longest wait for the headers, and between two pieces, of an answer'),
  storeTimeoutMs: millis(120_000, 'Longest wait for the answer to a STOW-RS request'),
  requestTimeoutMs: millis(600_000, 'Longest time for one request from end to end, however steadily the archive drips'),
  pageSize: z
    .number()
    .int()
    .min(10)
    .max(10_000)
    .default(500)
    .describe('Most rows that one search (QIDO-RS) asks for; halved by itself where the archive refuses it'),
  maxObjectBytes: z
    .number()
    .int()
    .positive()
    .default(512 * 1024 * 1024)
    .describe('Largest object that is read (bytes)'),
});
