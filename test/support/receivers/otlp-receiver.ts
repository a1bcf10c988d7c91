import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** OTLP 1.x over HTTP with JSON: ids are hexadecimal, times and whole numbers texts (trace.proto). */
const anyValue = z
  .union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: z.union([z.string().regex(/^-?\d+$/), z.number().int()]) }),
    z.strictObject({ doubleValue: z.number() }),
  ])
  .transform((value) => {
    const [[kind, plain]] = Object.entries(value) as [[string, string | number | boolean]];
    return kind === 'intValue' ? Number(plain) : plain;
  });
const attributes = z
  .array(z.strictObject({ key: z.string().min(1), value: anyValue }))
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value])));
const nanoseconds = z.string().regex(/^\d{19}$/);

const spanSchema = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  name: z.string().min(1),
  kind: z.number().int().min(1).max(5),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
  status: z.strictObject({ code: z.number().int().min(0).max(2).optional(), message: z.string().optional() }),
});
const requestSchema = z.strictObject({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ scope: z.object({ name: z.string() }).optional(), spans: z.array(spanSchema) })),
    }),
  ),
});

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly hasFailed: boolean;
  readonly resource: Readonly<Record<string, string | number | boolean>>;
}

/** An OTLP receiver that takes what is right, answers 400 to all else, and keeps why. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly bodies: string[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  readonly problems: string[] = [];
  /** Answered instead, while it is set. */
  status: number | null = null;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(port = 0): Promise<OtlpReceiver> {
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        receiver.headers.push(request.headers);
        const { method, url } = request;
        const type = request.headers['content-type'];
        const wrong =
          method !== 'POST' || url !== '/v1/traces' || type !== 'application/json'
            ? `${method} ${url} ${type}`
            : receiver.take(Buffer.concat(pieces).toString('utf8'));
        if (wrong !== null) receiver.problems.push(wrong);
        response.writeHead(receiver.status ?? (wrong === null ? 200 : 400), { 'content-type': 'application/json' });
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const receiver = new OtlpReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return receiver;
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(body: string): string | null {
    if (this.status !== null) return null;
    this.bodies.push(body);
    const parsed = requestSchema.safeParse(JSON.parse(body));
    if (!parsed.success) return z.prettifyError(parsed.error);
    for (const { resource, scopeSpans } of parsed.data.resourceSpans)
      for (const span of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId,
          name: span.name,
          kind: KINDS[span.kind]!,
          start: Number(span.startTimeUnixNano.slice(0, -6)),
          end: Number(span.endTimeUnixNano.slice(0, -6)),
          attributes: span.attributes,
          hasFailed: span.status.code === 2,
          resource: resource.attributes,
        });
    return null;
  }
}
