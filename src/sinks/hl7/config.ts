import { z } from 'zod';
import { millis } from '../../base/schema';
import { tlsShape } from '../../net/config';
import { enabled } from '../config';

/** HD (MSH-3 to MSH-6): up to three components, separated by ^. */
const hd = (text: string, byDefault = '') =>
  z.string().max(227).default(byDefault).describe(`${text}; components divided by ^`);

export const hl7Schema = z.strictObject({
  enabled,
  host: z.string().min(1).optional().describe('Host of the MLLP receiver; needed when enabled'),
  port: z.number().int().min(1).max(65_535).default(2575).describe('Its port'),
  tls: z
    .strictObject({ enabled: z.boolean().default(false).describe('Whether to connect by TLS'), ...tlsShape })
    .prefault({})
    .describe('TLS of the MLLP connection'),
  keepOpen: z.boolean().default(true).describe('true keeps the connection between messages, false opens one for each'),
  connectTimeoutMs: millis(10_000, 'Longest wait for a connection'),
  ackTimeoutMs: millis(30_000, 'Longest wait for the acknowledgement'),
  sendingApplication: hd('MSH-3', 'HILUM'),
  sendingFacility: hd('MSH-4'),
  receivingApplication: hd('MSH-5'),
  receivingFacility: hd('MSH-6'),
  processingId: z.enum(['P', 'T', 'D']).default('P').describe('MSH-11: production, training or debugging'),
  controlId: z
    .enum(['short', 'uid'])
    .default('short')
    .describe('MSH-10: 20 characters, the most that HL7 v2.5.1 allows, or the whole UID of the record'),
  accession: z
    .enum(['OBR-18', 'OBR-3', 'OBR-2'])
    .default('OBR-18')
    .describe(
      'Where the accession number goes; in OBR-2 or OBR-3 only where the film has no order number of that kind',
    ),
  procedure: z
    .enum(['loinc', 'film'])
    .default('loinc')
    .describe("What comes first in OBR-4: LOINC 36554-4, or the film's requested procedure"),
});
export type Hl7Config = z.infer<typeof hl7Schema>;
