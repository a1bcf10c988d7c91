import { z } from 'zod';
import { path } from '../../base/schema';
import { tlsFiles } from '../../net/config';

const syslog = z.strictObject({
  host: z.string().min(1).describe('Audit record repository'),
  port: z.number().int().min(1).max(65_535).default(6514).describe('Its port'),
  tls: z.strictObject(tlsFiles).prefault({}),
  spoolBytes: z
    .number()
    .int()
    .positive()
    .default(100 * 1024 * 1024)
    .describe('Most that waits on the disk while the receiver is away (bytes); more is in the file only'),
});

export const auditSchema = z
  .strictObject({
    dir: path('Folder of the audit trail', '; by default audit in state.dir').optional(),
    maxFileBytes: z
      .number()
      .int()
      .min(10_000)
      .default(50 * 1024 * 1024)
      .describe('Size at which a new file is begun (bytes); old ones are kept'),
    sourceId: z.string().min(1).default('hilum').describe('AuditSourceID of the messages'),
    enterpriseSiteId: z.string().min(1).optional().describe('AuditEnterpriseSiteID of the messages: hospital or site'),
    syslog: syslog
      .optional()
      .describe('Sends the messages to an audit record repository too: syslog over TLS (RFC 5425)'),
  })
  .prefault({});
export type AuditConfig = z.infer<typeof auditSchema>;
