import { z } from 'zod';
import { millis } from '../../base/schema';
import { tls } from '../../net/config';
import { enabled, when } from '../config';

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
    when,
    includePatient: z
      .boolean()
      .default(false)
      .describe('true adds patient and order to the text, never to the subject'),
    perMinute: z.number().int().min(1).max(1_000).default(10).describe('Most messages in a minute; the others wait'),
    timeoutMs: millis(30_000, 'Longest wait for a connection and for each answer'),
  })
  .refine(({ enabled: isOn, username, security }) => !(isOn && username !== undefined && security === 'none'), {
    path: ['security'],
    error: 'must not be none where there is a password to send',
  })
  .refine(({ enabled: isOn, includePatient, security }) => !(isOn && includePatient && security === 'none'), {
    path: ['security'],
    error: 'must not be none where includePatient is true',
  });
