/**
 * Port for traces (OpenTelemetry). Without `tracing.enabled` it does nothing; with it `tracing/tracer.ts` is loaded and
 * set here. Other rooms create spans by these functions and know no library.
 *
 * Attributes are UIDs, counts, own names and codes, as in the log: never data about a patient, nor the path or query of
 * a URL, which may hold them.
 */

/**
 * The trace context that travels with a message or a request: headers of W3C Trace Context. Empty outside of a trace.
 */
export type TraceCarrier = Readonly<Partial<Record<TraceHeader, string>>>;
const TRACE_HEADERS = ['traceparent', 'tracestate'] as const;
export type TraceHeader = (typeof TRACE_HEADERS)[number];

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Name and attributes of a new span. */
export interface SpanStart {
  /** One of a small set of names: no UIDs. */
  readonly name: string;
  readonly kind?: 'internal' | 'client' | 'producer' | 'consumer';
  readonly attributes?: SpanAttributes;
  /** Trace context of a received message; without a `traceparent` a new trace begins. Default: the caller's span. */
  readonly parent?: TraceCarrier;
}

export interface Tracer {
  inSpan<T>(start: SpanStart, work: () => Promise<T>): Promise<T>;
  /** Whether there is a current span. */
  isActive(): boolean;
  /** Adds attributes to the current span. */
  describe(attributes: SpanAttributes): void;
  /** Marks the current span as failed, with this code. */
  fail(code: string): void;
  /** Adds a child span that ends now and took this many seconds. */
  past(start: SpanStart, seconds: number): void;
  carrier(): TraceCarrier;
  /** Ids of the current span, for the log. */
  ids(): { readonly trace_id: string; readonly span_id: string } | undefined;
  outside<T>(work: () => T): T;
}

/** One tracer for the process, as with a log: traces cross every room. */
let tracer: Tracer | null = null;

/** Sets the tracer; the function that it returns removes it. */
export function useTracer(next: Tracer): () => void {
  tracer = next;
  return () => void (tracer = tracer === next ? null : tracer);
}

/** Runs the work in a new span; the span fails where the work throws. */
export function inSpan<T>(start: SpanStart, work: () => Promise<T>): Promise<T> {
  return tracer === null ? work() : tracer.inSpan(start, work);
}

/** As {@link inSpan}, but only within a span: background work starts no trace. */
export function inChildSpan<T>(start: SpanStart | (() => SpanStart), work: () => Promise<T>): Promise<T> {
  if (tracer?.isActive() !== true) return work();
  return tracer.inSpan(typeof start === 'function' ? start() : start, work);
}

export function describeSpan(attributes: SpanAttributes): void {
  tracer?.describe(attributes);
}

/** Marks the current span as failed. @param code an error code or an HTTP status: never a sentence */
export function failSpan(code: string): void {
  tracer?.fail(code);
}

export function pastSpan(start: SpanStart, seconds: number): void {
  tracer?.past(start, seconds);
}

/** Headers of the current trace context, for a message or a request. */
export function traceCarrier(): TraceCarrier {
  return tracer?.carrier() ?? {};
}

/** Trace context from AMQP headers; other headers, and values that are too long, are left out. */
export function carrierOf(headers: Readonly<Record<string, unknown>>): TraceCarrier {
  const found = TRACE_HEADERS.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' && value.length <= 512 ? [[name, value]] : [];
  });
  return Object.fromEntries(found) as TraceCarrier;
}

export function traceIds(): ReturnType<Tracer['ids']> {
  return tracer?.ids();
}

/** Runs work outside of any span, for threads and connections that outlive the span in which they are started. */
export function outsideTrace<T>(work: () => T): T {
  return tracer === null ? work() : tracer.outside(work);
}
