/**
 * Port: where traces go (OpenTelemetry). Nobody listens unless `tracing.enabled` says so: then `tracing/tracer.ts` is
 * loaded and put here. Rooms name their steps by these functions and know no library.
 *
 * Attributes are UIDs, counts, names of ours and codes, as in the log: never anything about a patient, nor an address's
 * path or query, which may hold it.
 */

/** What of a trace travels with a message or a request: headers of W3C Trace Context. Empty where there is no trace. */
export type TraceCarrier = Readonly<Partial<Record<TraceHeader, string>>>;
const TRACE_HEADERS = ['traceparent', 'tracestate'] as const;
export type TraceHeader = (typeof TRACE_HEADERS)[number];

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A step as it begins. */
export interface SpanStart {
  /** One of few: no UIDs. */
  readonly name: string;
  readonly kind?: 'internal' | 'client' | 'producer' | 'consumer';
  readonly attributes?: SpanAttributes;
  /** The trace that came with a message; one without a `traceparent` begins a trace. By default that of the caller. */
  readonly parent?: TraceCarrier;
}

export interface Tracer {
  inSpan<T>(start: SpanStart, work: () => Promise<T>): Promise<T>;
  /** Whether the caller is in a span. */
  isActive(): boolean;
  /** Says more of the caller's span. */
  describe(attributes: SpanAttributes): void;
  /** The caller's span failed, with this code. */
  fail(code: string): void;
  /** A step of the caller's span that ended now, after so many seconds. */
  past(start: SpanStart, seconds: number): void;
  carrier(): TraceCarrier;
  /** Of the caller's span, for the log. */
  ids(): { readonly trace_id: string; readonly span_id: string } | undefined;
  outside<T>(work: () => T): T;
}

/** What is traced crosses every room, as a log does: one for the process. */
let tracer: Tracer | null = null;

/** From now on; ended by what it returns. */
export function useTracer(next: Tracer): () => void {
  tracer = next;
  return () => void (tracer = tracer === next ? null : tracer);
}

/** Does the work as a step of its own; where it throws, the step failed. */
export function inSpan<T>(start: SpanStart, work: () => Promise<T>): Promise<T> {
  return tracer === null ? work() : tracer.inSpan(start, work);
}

/** As {@link inSpan}, but only within another one: what nobody asked for in a trace begins none. */
export function inChildSpan<T>(start: SpanStart | (() => SpanStart), work: () => Promise<T>): Promise<T> {
  if (tracer?.isActive() !== true) return work();
  return tracer.inSpan(typeof start === 'function' ? start() : start, work);
}

export function describeSpan(attributes: SpanAttributes): void {
  tracer?.describe(attributes);
}

/** @param code of an error, or an HTTP status: never a sentence */
export function failSpan(code: string): void {
  tracer?.fail(code);
}

export function pastSpan(start: SpanStart, seconds: number): void {
  tracer?.past(start, seconds);
}

/** To be sent along with a message or a request. */
export function traceCarrier(): TraceCarrier {
  return tracer?.carrier() ?? {};
}

/** Of an AMQP message's headers: what is not of W3C Trace Context, or too long for it, is left out. */
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

/** What is begun within a step and outlives it (a thread, a connection) belongs to none. */
export function outsideTrace<T>(work: () => T): T {
  return tracer === null ? work() : tracer.outside(work);
}
