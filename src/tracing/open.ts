import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Log } from '../base/log';
import { withTimeout } from '../base/retry';
import { useTracer } from '../base/trace';
import { readTls } from '../net/tls';
import type { TracingSettings } from './config';
import { WatchedExporter } from './exporter';
import { otelTracer } from './tracer';

export interface OpenedTracing {
  /** Sends the waiting spans, for two seconds at most, so that a receiver that is away does not delay the shutdown. */
  close(): Promise<void>;
}

/** The process that sends the traces. */
export interface TracedProcess {
  readonly version: string;
  readonly hostname: string;
  readonly pid: number;
  readonly roles: readonly string[];
}

const CLOSE_MS = 2_000;
const PATH = '/v1/traces';

/**
 * Starts sending traces as OTLP over HTTP in JSON. Settings that are absent are taken from OpenTelemetry's environment
 * variables, which the exporter reads.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files
 */
export function startTracing(settings: TracingSettings, process: TracedProcess, log: Log): OpenedTracing {
  const { endpoint, headers, timeoutMs, tls, sampleRatio, serviceName } = settings;
  const exporter = new OTLPTraceExporter({
    ...(endpoint === undefined ? {} : { url: `${endpoint.replace(/\/+$/, '')}${PATH}` }),
    headers,
    timeoutMillis: timeoutMs,
    httpAgentOptions: { keepAlive: true, ...readTls(tls) },
  });
  const where = endpoint === undefined ? 'by environment' : new URL(endpoint).host;
  const tracer = otelTracer({
    exporter: new WatchedExporter(exporter, where, log),
    sampleRatio,
    timeoutMs,
    resource: {
      own: serviceName === undefined ? {} : { 'service.name': serviceName },
      byDefault: {
        'service.name': 'hilum',
        'service.version': process.version,
        'service.instance.id': `${process.hostname}:${process.pid}`,
        'host.name': process.hostname,
        'hilum.roles': process.roles.join(','),
      },
    },
  });
  const stop = useTracer(tracer);
  log.info({ event: 'tracing.started', where, sampleRatio }, 'traces are sent');
  return {
    async close() {
      stop();
      await withTimeout(tracer.close(), CLOSE_MS, () => new Error('late')).catch(() => {});
    },
  };
}
