import { z } from 'zod';
import { millis } from '../base/schema';
import { auth, tls, tlsShape } from '../net/config';
import { emailSchema, metadataSchema, upsSchema, webhookSchema } from './delivery-config';

const enabled = z.boolean().default(false).describe('Whether results are delivered there');

/** MSH-3 to MSH-6 are HD: up to three components, divided by ^. */
const hd = (text: string, byDefault = '') =>
  z.string().max(227).default(byDefault).describe(`${text}; components divided by ^`);

const hl7 = z
  .strictObject({
    enabled,
    host: z.string().min(1).optional().describe('Host of the MLLP receiver; needed when enabled'),
    port: z.number().int().min(1).max(65_535).default(2575).describe('Its port'),
    tls: z
      .strictObject({ enabled: z.boolean().default(false).describe('Whether to connect by TLS'), ...tlsShape })
      .prefault({})
      .describe('TLS of the MLLP connection'),
    keepOpen: z
      .boolean()
      .default(true)
      .describe('true keeps the connection between messages, false opens one for each'),
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
  })
  .refine(({ enabled: isOn, host }) => !isOn || host !== undefined, {
    path: ['host'],
    message: 'is needed when enabled',
  })
  .prefault({});

const system = (of: string) => z.url().optional().describe(`Identifier system of ${of}, as the receiver knows it`);

const fhir = z
  .strictObject({
    enabled,
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Base URL of the FHIR R4 server; needed when enabled'),
    auth,
    tls,
    connectTimeoutMs: millis(10_000, 'Longest wait for a connection'),
    responseTimeoutMs: millis(30_000, 'Longest wait for the answer'),
    patientSystem: system('patients (Patient ID)'),
    accessionSystem: system('accession numbers'),
    placerSystem: system('placer order numbers'),
  })
  .refine(({ enabled: isOn, url }) => !isOn || url !== undefined, { path: ['url'], message: 'is needed when enabled' })
  .prefault({});

const awayHours = z
  .number()
  .min(0)
  .max(8760)
  .default(72)
  .describe(
    'How long a delivery is tried again while its receiver, or the archive, is away: no connection, no answer in time, HTTP 502, 503 or 504 (hours)',
  );

export const deliveriesSchema = z
  .strictObject({
    awayHours,
    hl7,
    fhir,
    ups: upsSchema,
    metadata: metadataSchema,
    webhook: webhookSchema,
    email: emailSchema,
  })
  .prefault({});
export type DeliveriesConfig = z.infer<typeof deliveriesSchema>;
