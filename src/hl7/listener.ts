import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import { HilumError } from '../base/errors';
import { withTimeout } from '../base/retry';
import { SlotLimit } from '../base/slot-limit';
import { listenError } from '../net/listen-error';
import { plainAddress } from '../net/network';
import { type Frame, FrameReader } from './frame-reader';
import { CR, END, START } from './frames';

/** Options of the MLLP listener. Times in milliseconds. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. With `caFile`, clients need a certificate. */
  readonly tls?:
    { readonly certFile: string; readonly keyFile: string; readonly caFile?: string | undefined } | undefined;
  /** Whether this address may connect. */
  readonly isAllowed: (address: string) => boolean;
  readonly maxMessageBytes: number;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  /** Longest time from the beginning of a message to its end. */
  readonly messageTimeoutMs: number;
}

/**
 * Handles one message. Resolves to its acknowledgements, not framed, or to null: no response, and the connection is
 * closed. Messages of a connection are handled one after the other.
 */
export type FrameHandler = (frame: Frame, address: string) => Promise<readonly Uint8Array[] | null>;

/** Why a connection was refused or closed. */
export type ConnectionProblem = 'address' | 'too-many' | 'tls' | 'no-frame' | 'too-slow' | 'handler';

export interface MllpListener {
  readonly port: number;
  /** Reloads the certificate for new connections. @throws HilumError CONFIG_INVALID */
  renew(): void;
  /** Accepts no new messages, and waits up to `graceMs` milliseconds for those in work. */
  close(graceMs: number): Promise<void>;
}

/** Longest TLS handshake (milliseconds). */
const HANDSHAKE_MS = 10_000;

/**
 * Starts an MLLP server (HL7 v2.5.1 appendix C.4).
 * @param tell called with the address for each connection that is refused or closed; must not throw
 * @throws HilumError CONFIG_INVALID when certificate or key can't be used, LISTEN_FAILED when address or port can't
 */
export async function listenMllp(
  options: ListenerOptions,
  handle: FrameHandler,
  tell: (problem: ConnectionProblem, address: string) => void,
): Promise<MllpListener> {
  const { host, port, tls } = options;
  const connections = new Connections(options, handle, tell);
  const secure = tls && createTlsServer({ ...readMaterial(tls), handshakeTimeout: HANDSHAKE_MS, allowHalfOpen: true });
  // A sender may close its side after the message and still wait for the response.
  const server: Server = secure ?? createServer({ allowHalfOpen: true });
  secure?.on('secureConnection', (socket) => connections.serve(socket));
  secure?.on('tlsClientError', (_error, socket) => tell('tls', addressOf(socket)));
  server.on('connection', (socket: Socket) => {
    if (connections.admit(socket) && secure === undefined) connections.serve(socket);
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) => reject(listenError(host, port, cause, 'ris.listener.host and ris.listener.port'));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      // Without an error listener an error would end the process.
      server.on('error', () => {});
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    renew: () => tls && secure?.setSecureContext(readMaterial(tls)),
    close: (graceMs) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      return connections.close(graceMs).then(() => closed);
    },
  };
}

function readMaterial({ certFile, keyFile, caFile }: NonNullable<ListenerOptions['tls']>) {
  try {
    const material = {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ...(caFile === undefined ? {} : { ca: readFileSync(caFile), requestCert: true, rejectUnauthorized: true }),
      minVersion: 'TLSv1.2' as const,
    };
    createSecureContext(material);
    return material;
  } catch (cause) {
    const text = 'ris.listener.tls: certificate, key and authorities are not readable PEM files that fit each other';
    throw new HilumError('CONFIG_INVALID', 'permanent', text, { cause });
  }
}

const addressOf = (socket: Socket) => plainAddress(socket.remoteAddress ?? '');
/** The same for a TLS socket and the plain one under it. */
const peerOf = (socket: Socket) => `${socket.remoteAddress} ${socket.remotePort}`;

/** The open connections, limited in number. */
class Connections {
  /** Plain sockets, also those under TLS, with their peers. */
  private readonly open = new Map<Socket, string>();
  /** Peers whose message is in work. */
  private readonly busy = new Set<string>();
  private readonly working = new Set<Promise<void>>();
  private readonly slots: SlotLimit;
  private isClosing = false;

  constructor(
    private readonly options: ListenerOptions,
    private readonly handle: FrameHandler,
    private readonly tell: (problem: ConnectionProblem, address: string) => void,
  ) {
    this.slots = new SlotLimit({ most: options.maxConnections, each: options.maxConnections });
  }

  /** False where the connection was closed before anything was read. */
  admit(socket: Socket): boolean {
    const address = addressOf(socket);
    socket.on('error', () => {});
    const release = this.options.isAllowed(address) ? this.slots.take(address) : null;
    if (release === null) {
      this.tell(this.options.isAllowed(address) ? 'too-many' : 'address', address);
      socket.destroy();
      return false;
    }
    socket.once('close', release);
    this.open.set(socket, peerOf(socket));
    socket.once('close', () => this.open.delete(socket));
    return true;
  }

  serve(socket: Socket): void {
    socket.on('error', () => {});
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    // The idle timeout also runs while a message is handled, which takes less time.
    socket.setTimeout(this.options.idleTimeoutMs, () => socket.destroy());
    const work = this.read(socket).finally(() => {
      socket.destroy();
      this.working.delete(work);
    });
    this.working.add(work);
  }

  async close(graceMs: number): Promise<void> {
    this.isClosing = true;
    // Messages in work are answered; idle connections are closed at once.
    for (const [socket, peer] of this.open) if (!this.busy.has(peer)) socket.destroy();
    const all = Promise.all(this.working);
    await withTimeout(all, graceMs, () => new Error('late')).catch(() => {});
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** Never rejects. */
  private async read(socket: Socket): Promise<void> {
    const address = addressOf(socket);
    const reader = new FrameReader(this.options.maxMessageBytes);
    const clock = new MessageClock(this.options.messageTimeoutMs, () => {
      this.tell('too-slow', address);
      socket.destroy();
    });
    try {
      for await (const chunk of socket) {
        const frames = reader.take(chunk as Buffer);
        clock.set(reader.isOpen, frames.length > 0);
        for (const frame of frames) if (this.isClosing || !(await this.answer(socket, frame, address))) return;
        if (reader.isBroken) {
          this.tell('no-frame', address);
          return;
        }
      }
    } catch {
      // The connection was lost.
    } finally {
      clock.set(false, true);
    }
  }

  /** False where the connection is to be closed. */
  private async answer(socket: Socket, frame: Frame, address: string): Promise<boolean> {
    const peer = peerOf(socket);
    this.busy.add(peer);
    try {
      const answers = await this.handle(frame, address);
      if (answers === null) return false;
      const framed = answers.flatMap((answer) => [Buffer.of(START), answer, Buffer.of(END, CR)]);
      // The next message is read after this write, so that a client that does not read can't make us buffer responses.
      if (framed.length > 0) await written(socket, Buffer.concat(framed));
      return true;
    } catch {
      this.tell('handler', address);
      return false;
    } finally {
      this.busy.delete(peer);
    }
  }
}

function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error('the connection was closed'));
    socket.once('close', closed);
    socket.write(bytes, (error) => {
      socket.off('close', closed);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Calls `late` when a message has begun and does not end in time. */
class MessageClock {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly ms: number,
    private readonly late: () => void,
  ) {}

  /** @param hasEnded whether a message has ended since: the open one is a new one */
  set(isOpen: boolean, hasEnded: boolean): void {
    if (!isOpen || hasEnded) clearTimeout(this.timer);
    if (!isOpen) this.timer = undefined;
    else if (hasEnded || this.timer === undefined) this.timer = setTimeout(this.late, this.ms);
  }
}
