import { z } from 'zod';
import { tls } from '../net/config';

export const brokerSchema = z.strictObject({
  url: z.url({ protocol: /^amqps?$/ }).describe('RabbitMQ, e.g. amqp://hilum:secret@rabbitmq:5672'),
  tls: tls.describe('TLS of the broker connection (amqps)'),
  prefix: z
    .string()
    .regex(/^[a-z0-9._-]+$/)
    .default('hilum')
    .describe('First part of the names of all exchanges and queues'),
  prefetch: z
    .union([z.literal('auto'), z.number().int().min(1).max(100)])
    .default('auto')
    .describe('Studies that one worker holds at a time; auto: one more than `analysis.concurrency`'),
  heartbeatSeconds: z.number().int().min(5).max(600).default(30).describe('AMQP heartbeat (seconds)'),
  retryDelaysMs: z
    .array(z.number().int().positive())
    .min(1)
    .max(8)
    .default([5_000, 30_000, 300_000, 1_800_000])
    .describe('Delays before each next try of a study (milliseconds); each is a queue of its own'),
  retryLimit: z
    .number()
    .int()
    .min(0)
    .max(100)
    .default(8)
    .describe('Tries after the first, before a study is dead-lettered; the last delay repeats'),
});
