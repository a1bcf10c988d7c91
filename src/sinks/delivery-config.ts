import { z } from 'zod';
import { millis } from '../base/schema';
import { auth, tls } from '../net/config';

const enabled = z.boolean().default(false).describe('Whether results are delivered there');
const url = (text: string) =>
  z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(text);
const http = {
  auth,
  tls,
  connectTimeoutMs: millis(10_000, 'Longest wait for a connection'),
  responseTimeoutMs: millis(30_000, 'Longest wait for an answer'),
};

/** What is switched on needs these keys; what is off may hold a part. */
function needs<T extends { readonly enabled: boolean }>(keys: readonly (keyof T & string)[]) {
  return (value: T, context: z.core.$RefinementCtx<T>) => {
    for (const key of keys)
      if (value.enabled && value[key] === undefined)
        context.addIssue({ code: 'custom', path: [key], message: 'is needed where this delivery is enabled' });
  };
}

export const upsSchema = z
  .strictObject({
    enabled,
    url: url('Root of the UPS-RS service, without /workitems'),
    ...http,
    worklistLabel: z.string().min(1).max(64).default('Hilum').describe('Worklist Label (0074,1202) of the workitems'),
    routinePriority: z
      .enum(['MEDIUM', 'LOW'])
      .default('MEDIUM')
      .describe('Priority of a study in which films were analysed and none is urgent'),
    retrieveUrl: url('DICOMweb root that others retrieve films and results from; by default archive.url'),
    uidQuery: z
      .enum(['bare', 'workitem', 'AffectedSOPInstanceUID'])
      .default('bare')
      .describe(
        'How the server wants a new workitem named: ?UID as PS3.18 prints it, ?workitem=UID (dcm4chee), ?AffectedSOPInstanceUID=UID (before 2019)',
      ),
    requester: z
      .string()
      .regex(/^[A-Za-z0-9_. -]{1,16}$/)
      .optional()
      .describe('AE title at the end of the path of state changes, which dcm4chee wants and PS3.18 does not have'),
  })
  .superRefine(needs(['url']))
  .prefault({});

const index = (byDefault: number, what: string) =>
  z.number().int().min(1024).max(65_535).default(byDefault).describe(`Number of the metadata that holds ${what}`);

export const metadataSchema = z
  .strictObject({
    enabled,
    url: url("Orthanc's own REST API, e.g. http://orthanc:8042"),
    ...http,
    priority: index(1024, 'the priority, HIGH or MEDIUM'),
    probability: index(1025, 'the greatest probability of the study'),
    written: index(1026, 'what Hilum wrote last'),
  })
  .superRefine(needs(['url']))
  .refine(({ priority, probability, written }) => new Set([priority, probability, written]).size === 3, {
    path: ['priority'],
    message: 'priority, probability and written need three different numbers',
  })
  .prefault({});

export const webhookSchema = z
  .strictObject({
    enabled,
    url: url('Where the message is posted'),
    ...http,
    when: z.enum(['urgent', 'all']).default('urgent').describe('Which results are told'),
    includePatient: z
      .boolean()
      .default(false)
      .describe('true adds patient and order to the message, which then may leave the hospital'),
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be whsec_ and at least 24 bytes in base64')
      .optional()
      .describe('Key of the signature, whsec_ and base64 (Standard Webhooks)'),
  })
  .superRefine(needs(['url', 'secret']))
  .refine(({ enabled: isOn, includePatient, url: to }) => !(isOn && includePatient && to?.startsWith('http:')), {
    path: ['url'],
    message: 'must be https where includePatient is true',
  })
  .prefault({});

const address = z.email();

export const emailSchema = z
  .strictObject({
    enabled,
    host: z.string().min(1).optional().describe('SMTP server'),
    port: z.number().int().min(1).max(65_535).default(587).describe('Its port: 587 for starttls, 465 for implicit'),
    security: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe('TLS after STARTTLS (refused by a server without it), from the first byte, or never'),
    username: z.string().min(1).optional().describe('Account, where the server wants one'),
    password: z.string().optional().describe('Its password'),
    tls,
    from: address.optional().describe('Sender'),
    to: z.array(address).min(1).max(50).optional().describe('Recipients'),
    when: z.enum(['urgent', 'all']).default('urgent').describe('Which results are told'),
    includePatient: z
      .boolean()
      .default(false)
      .describe('true adds patient and order to the text, never to the subject'),
    perMinute: z.number().int().min(1).max(1_000).default(10).describe('Most messages in a minute; the others wait'),
    timeoutMs: millis(30_000, 'Longest wait for a connection and for each answer'),
  })
  .superRefine(needs(['host', 'from', 'to']))
  .refine(({ enabled: isOn, username, security }) => !(isOn && username !== undefined && security === 'none'), {
    path: ['security'],
    message: 'must not be none where there is a password to send',
  })
  .refine(({ enabled: isOn, includePatient, security }) => !(isOn && includePatient && security === 'none'), {
    path: ['security'],
    message: 'must not be none where includePatient is true',
  })
  .prefault({});

export type UpsConfig = z.infer<typeof upsSchema>;
export type MetadataConfig = z.infer<typeof metadataSchema>;
export type WebhookConfig = z.infer<typeof webhookSchema>;
export type EmailConfig = z.infer<typeof emailSchema>;
