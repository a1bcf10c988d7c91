import {
  createServer,
  request as forwardRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import type { Fault } from './faults';

/** What a request is to DICOMweb; `other` is all outside of /dicom-web/. */
type Kind = 'query' | 'retrieve' | 'store' | 'other';

export interface ProxyRequest {
  readonly kind: Kind;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** One request that met a fault, and what the fault can do with it. */
export interface Exchange {
  readonly request: ProxyRequest;
  readonly response: ServerResponse;
  /** The whole request to the archive, or another body in its place. */
  forward(body?: Buffer): Promise<Answer>;
  /** The head and the first half of the body, then the connection is left as it is until `end`. */
  forwardHalf(): Promise<{ end(): void }>;
  reply(answer: Answer): void;
  /** Cuts the connection to the client (RST). */
  cut(): void;
}

export interface Rule {
  /** How many requests the fault has met. */
  readonly hits: number;
  /** From now on it lets all pass. */
  clear(): void;
}

export type Match = (request: ProxyRequest, before: readonly ProxyRequest[]) => boolean;

/** Stands before an archive, hands requests on, and does to some of them what a test says. It keeps a record of all. */
export class FaultProxy {
  readonly requests: ProxyRequest[] = [];
  private rules: { match: Match; fault: Fault; left: number; hits: number }[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server: Server | TlsServer;
  private port = 0;

  /** @param target the archive's origin, e.g. http://127.0.0.1:8042 */
  private constructor(
    private readonly target: string,
    private readonly tls?: ServerOptions,
  ) {
    const handler = (request: IncomingMessage, response: ServerResponse) => void this.handle(request, response);
    this.server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    });
  }

  static async open(target: string, tls?: ServerOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, tls);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.port = (proxy.server.address() as AddressInfo).port;
    return proxy;
  }

  get url(): string {
    return `http${this.tls === undefined ? '' : 's'}://127.0.0.1:${this.port}`;
  }

  get dicomWebUrl(): string {
    return `${this.url}/dicom-web`;
  }

  /**
   * The next `times` requests that match meet `fault`. The rule that was added first goes first; a request meets one.
   */
  on(match: Match, fault: Fault, times = 1): Rule {
    const rule = { match, fault, left: times, hits: 0 };
    this.rules.push(rule);
    return {
      get hits() {
        return rule.hits;
      },
      clear: () => void (rule.left = 0),
    };
  }

  /** Forgets rules and record, and cuts what still hangs. */
  reset(): void {
    this.rules = [];
    this.requests.length = 0;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Another certificate for the connections from now on. */
  setCertificate(certificate: Pick<ServerOptions, 'key' | 'cert'>): void {
    (this.server as TlsServer).setSecureContext(certificate);
    this.reset();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.reset();
    });
  }

  private async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const cut = () => void (incoming.socket as Socket & { resetAndDestroy(): void }).resetAndDestroy();
    try {
      const request = await readRequest(incoming);
      const rule = this.rules.find(({ left, match }) => left > 0 && match(request, this.requests));
      this.requests.push(request);
      const exchange: Exchange = {
        request,
        response,
        forward: (body) => this.forward(request, body),
        forwardHalf: () => this.forwardHalf(request),
        reply: (answer) => reply(response, answer),
        cut,
      };
      if (rule === undefined) {
        exchange.reply(await exchange.forward());
        return;
      }
      rule.left--;
      rule.hits++;
      await rule.fault(exchange);
    } catch {
      // The archive is away, or a fault broke the exchange: to the client, a lost connection.
      cut();
    }
  }

  private forward(request: ProxyRequest, body = request.body): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const forwarded = this.openForward(request, body.length);
      forwarded.on('error', reject).on('response', (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: withoutFraming(answer.headers),
            body: Buffer.concat(pieces),
          }),
        );
      });
      forwarded.end(body);
    });
  }

  private forwardHalf(request: ProxyRequest): Promise<{ end(): void }> {
    return new Promise((resolve, reject) => {
      const forwarded = this.openForward(request, request.body.length).on('error', reject);
      forwarded.write(request.body.subarray(0, request.body.length / 2), () =>
        resolve({ end: () => void forwarded.destroy() }),
      );
    });
  }

  private openForward({ method, path, headers }: ProxyRequest, length: number) {
    return forwardRequest(`${this.target}${path}`, {
      method,
      headers: { ...withoutFraming(headers), ...(method === 'GET' ? {} : { 'content-length': length }) },
      agent: false,
    });
  }
}

async function readRequest(incoming: IncomingMessage): Promise<ProxyRequest> {
  const { method = '', url: path = '', headers } = incoming;
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return { kind: kindOf(method, path), method, path, headers, body: Buffer.concat(pieces) };
}

function kindOf(method: string, path: string): Kind {
  if (!path.startsWith('/dicom-web/')) return 'other';
  if (method === 'POST') return 'store';
  // Of a whole object; triage asks for the metadata of one.
  return /\/series\/[^/]+\/instances\/[^/?]+$/.test(path) ? 'retrieve' : 'query';
}

/** What belongs to one connection alone. */
const FRAMING = new Set(['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding']);

function withoutFraming(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !FRAMING.has(name)));
}

function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.end(body);
}
