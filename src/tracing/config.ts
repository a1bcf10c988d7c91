import { z } from 'zod';
import { millis } from '../base/schema';
import { tls } from '../net/config';

export const tracingSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether traces are sent. It alone switches them on, no environment variable does'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Root of an OTLP receiver over HTTP, e.g. http://otel-collector:4318; /v1/traces is added. Without it ' +
          'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT, then http://localhost:4318',
      ),
    headers: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe(
        'Headers of each request, such as Authorization; before those of OTEL_EXPORTER_OTLP_HEADERS of the same name',
      ),
    serviceName: z
      .string()
      .min(1)
      .optional()
      .describe('service.name of the traces; without it OTEL_SERVICE_NAME, then hilum'),
    sampleRatio: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe('Share of the traces begun here that are sent; of one begun elsewhere its beginner decides'),
    timeoutMs: millis(10_000, 'Longest time for one request'),
    tls: tls.describe('TLS of the connection to the receiver'),
  })
  .prefault({});
export type TracingSettings = z.infer<typeof tracingSchema>;
