import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { HilumError } from '../base/errors';
import type { SpanAttributes, SpanStart, TraceCarrier, TraceHeader, Tracer } from '../base/trace';

type ResourceAttributes = Readonly<Record<string, string>>;

export interface TracerOptions {
  readonly exporter: SpanExporter;
  readonly sampleRatio: number;
  /** Resource attributes in order of precedence: `own`, OTEL_RESOURCE_ATTRIBUTES, `byDefault`. */
  readonly resource: { readonly own: ResourceAttributes; readonly byDefault: ResourceAttributes };
  /** Longest wait for a batch (milliseconds). */
  readonly timeoutMs: number;
}

/** Largest number of waiting spans: some hundred films' worth. Further ones are dropped while the receiver is away. */
const QUEUE_LIMIT = 4_096;

const KINDS = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const satisfies Record<NonNullable<SpanStart['kind']>, SpanKind>;

const propagator = new W3CTraceContextPropagator();

/**
 * OpenTelemetry's SDK behind the port; no module is patched, and nothing is registered globally. Ended spans are sent
 * in batches in the background.
 */
export function otelTracer(options: TracerOptions): Tracer & { close(): Promise<void> } {
  const contexts = new AsyncLocalStorageContextManager().enable();
  const provider = new TracerProvider({
    resource: resourceOf(options.resource),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: options.exporter,
        maxQueueSize: QUEUE_LIMIT,
        exportTimeoutMillis: options.timeoutMs + 1_000,
      }),
    ],
  });
  const tracer = provider.getTracer('hilum');
  const activeSpan = () => trace.getSpan(contexts.active());
  const begin = ({ name, kind = 'internal', attributes, parent }: SpanStart, startTime?: number) => {
    const around = parent === undefined ? contexts.active() : contextOf(parent);
    const span = tracer.startSpan(
      name,
      { kind: KINDS[kind], attributes: known(attributes), ...(startTime === undefined ? {} : { startTime }) },
      around,
    );
    return { span, inside: trace.setSpan(around, span) };
  };
  return {
    async inSpan(start, work) {
      const { span, inside } = begin(start);
      try {
        return await contexts.with(inside, work);
      } catch (error) {
        failed(span, error instanceof HilumError ? error.code : error instanceof Error ? error.name : 'UNKNOWN');
        throw error;
      } finally {
        span.end();
      }
    },
    isActive: () => activeSpan() !== undefined,
    describe: (attributes) => void activeSpan()?.setAttributes(known(attributes)),
    fail(code) {
      const span = activeSpan();
      if (span !== undefined) failed(span, code);
    },
    past(start, seconds) {
      if (activeSpan() === undefined) return;
      const end = Date.now();
      begin(start, end - seconds * 1_000).span.end(end);
    },
    carrier: () => carrierIn(contexts.active()),
    ids() {
      const at = activeSpan()?.spanContext();
      return at === undefined ? undefined : { trace_id: at.traceId, span_id: at.spanId };
    },
    outside: (work) => contexts.with(ROOT_CONTEXT, work),
    async close() {
      await provider.shutdown();
      contexts.disable();
    },
  };
}

/** The code only, as in the log: the message of an error may quote a file. */
function failed(span: Span, code: string): void {
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function known(attributes: SpanAttributes = {}): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

function resourceOf({ own, byDefault }: TracerOptions['resource']) {
  return defaultResource()
    .merge(resourceFromAttributes(byDefault))
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(own));
}

function contextOf(carrier: TraceCarrier): Context {
  return propagator.extract(ROOT_CONTEXT, carrier, {
    get: (from: TraceCarrier, key) => from[key as TraceHeader],
    keys: (from: TraceCarrier) => Object.keys(from),
  });
}

function carrierIn(active: Context): TraceCarrier {
  const carrier: Partial<Record<TraceHeader, string>> = {};
  propagator.inject(active, carrier, {
    set: (into: typeof carrier, key, value) => void (into[key as TraceHeader] = value),
  });
  return carrier;
}
