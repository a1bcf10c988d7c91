import { z } from 'zod';
import { millis, path } from '../base/schema';
import { networkAddress } from '../net/config';
import { isLoopback } from '../net/network';

const MIB = 1024 * 1024;

const listenerSchema = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Whether HL7 messages of the RIS are taken; needs list.enabled'),
    host: z.string().min(1).default('127.0.0.1').describe('Address that the MLLP listener is on'),
    port: z.number().int().min(0).max(65_535).default(2575).describe('Its port; 0 takes a free one'),
    tls: z
      .strictObject({
        certFile: path('Certificate with its chain, PEM'),
        keyFile: path("The certificate's key, PEM"),
        caFile: path(
          'Certificate authorities of the clients, PEM',
          '; with it a client certificate is demanded',
        ).optional(),
      })
      .optional()
      .describe('Own certificate: the listener speaks TLS 1.2 or newer'),
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('true lets others than this machine connect without TLS: messages name patients'),
    addresses: z
      .array(networkAddress)
      .default([])
      .describe(
        'Addresses or networks that may connect; empty: this machine alone, or whoever has a client certificate',
      ),
    applications: z
      .array(
        z.strictObject({
          application: z.string().min(1).describe('MSH-3, its first component'),
          facility: z.string().min(1).optional().describe('MSH-4, its first component; left out: any'),
        }),
      )
      .default([])
      .describe('Sending applications whose messages are taken; empty: all'),
    maxMessageBytes: z
      .number()
      .int()
      .min(10_000)
      .max(64 * MIB)
      .default(4 * MIB)
      .describe('Longest message (bytes); a longer one is refused'),
    maxConnections: z.number().int().min(1).max(1_000).default(8).describe('Most connections at a time'),
    idleTimeoutMs: millis(3_600_000, 'A connection on which nothing comes this long is closed'),
    messageTimeoutMs: millis(60_000, 'Longest time from the beginning of a message to its end'),
  })
  .prefault({});

export const risSchema = z
  .strictObject({
    listener: listenerSchema,
    processingId: z
      .enum(['P', 'T', 'D'])
      .default('P')
      .describe('MSH-11 of the messages that are taken: production, training or debugging; others are refused'),
    characterSet: z
      .string()
      .default('')
      .describe('Character set of messages without MSH-18, e.g. 8859/2; empty: UTF-8, or else ISO 8859-1'),
    accession: z
      .enum(['OBR-18', 'OBR-3', 'OBR-2'])
      .default('OBR-18')
      .describe('Where the accession number is; IPC-1 goes before it'),
    matchPatient: z
      .boolean()
      .default(true)
      .describe(
        'Whether an identifier of PID-3 must be the Patient ID of the study; false: the accession number alone',
      ),
    assigningAuthorities: z
      .array(z.string().min(1))
      .default([])
      .describe('Identifiers of PID-3 and MRG-1 that count, by their assigning authority; empty: all'),
    urgentPriorities: z
      .array(z.string().min(1))
      .default(['S', 'STAT', 'A', 'ASAP', 'H', 'HIGH'])
      .describe('Priorities of an order that make a study urgent; any other one is routine'),
    keepDays: z
      .number()
      .int()
      .min(1)
      .max(3_650)
      .default(30)
      .describe('How long what the RIS said of a study is kept that the list does not have (days)'),
  })
  .prefault({});

export type RisConfig = z.infer<typeof risSchema>;

/** Settings that are refused when the configuration is read. */
export function listenerProblems({ listener }: RisConfig, isListEnabled: boolean): string[] {
  const { enabled, host, tls, allowPlaintext, addresses } = listener;
  if (!enabled) return [];
  const isExposed = !isLoopback(host);
  return [
    ...(isListEnabled ? [] : ['ris.listener.enabled: needs list.enabled']),
    ...(isExposed && tls === undefined && !allowPlaintext
      ? ['ris.listener.tls: without TLS the listener is allowed on loopback only; see ris.listener.allowPlaintext']
      : []),
    ...(isExposed && addresses.length === 0 && tls?.caFile === undefined
      ? ['ris.listener.addresses: outside loopback name who may connect, or demand client certificates (tls.caFile)']
      : []),
  ];
}
