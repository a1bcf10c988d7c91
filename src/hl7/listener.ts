import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import { HilumError } from '../base/errors';
import { withTimeout } from '../base/retry';
import { Shares } from '../base/shares';
import { listenError } from '../net/listen-error';
import { plainAddress } from '../net/network';
import { type Frame, FrameError, FrameReader } from './frame-reader';
import { CR, END, START } from './frames';

/** Times in milliseconds. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined is plain TCP. With `caFile` a client certificate is demanded. */
  readonly tls?:
    { readonly certFile: string; readonly keyFile: string; readonly caFile?: string | undefined } | undefined;
  /** Whether this address may connect. */
  readonly isAllowed: (address: string) => boolean;
  readonly maxMessageBytes: number;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  /** From the beginning of a message to its end. */
  readonly messageTimeoutMs: number;
}

/**
 * Takes one message; resolves to its answers, without their frames, or to null: no answer, and the connection is
 * closed. Of one connection the next message comes when the one before is answered.
 */
export type FrameHandler = (frame: Frame, address: string) => Promise<readonly Uint8Array[] | null>;

/** Why a connection was not taken, or was closed. */
export type ConnectionProblem = 'address' | 'too-many' | 'tls' | 'no-frame' | 'too-slow' | 'handler';

export interface MllpListener {
  readonly port: number;
  /** Reads the certificate anew, for connections from then on. @throws HilumError CONFIG_INVALID */
  renew(): void;
  /** Takes no new message, and waits `graceMs` milliseconds at most for those in hand. */
  close(graceMs: number): Promise<void>;
}

/** Longest TLS handshake (milliseconds). */
const HANDSHAKE_MS = 10_000;

/**
 * An MLLP server (HL7 v2.5.1 appendix C.4).
 * @param tell called for connections that are not taken or closed, with the address; it does not throw
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
  // A sender may end its side behind its message, and still wait for the answer.
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
      // Nobody else listens to it, and without a listener an error would end the process.
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

/** The connections that are open, bounded in number. */
class Connections {
  private readonly open = new Set<Socket>();
  private readonly working = new Set<Promise<void>>();
  private readonly shares: Shares;
  private isClosing = false;

  constructor(
    private readonly options: ListenerOptions,
    private readonly handle: FrameHandler,
    private readonly tell: (problem: ConnectionProblem, address: string) => void,
  ) {
    this.shares = new Shares({ most: options.maxConnections, each: options.maxConnections });
  }

  /** False where the connection was closed at once: before anything was read. */
  admit(socket: Socket): boolean {
    const address = addressOf(socket);
    socket.on('error', () => {});
    const release = this.options.isAllowed(address) ? this.shares.take(address) : null;
    if (release === null) {
      this.tell(this.options.isAllowed(address) ? 'too-many' : 'address', address);
      socket.destroy();
      return false;
    }
    socket.once('close', release);
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
    return true;
  }

  serve(socket: Socket): void {
    socket.on('error', () => {});
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    // It looks for silence while a message is worked on too, which takes less than this.
    socket.setTimeout(this.options.idleTimeoutMs, () => socket.destroy());
    const work = this.read(socket).finally(() => {
      socket.destroy();
      this.working.delete(work);
    });
    this.working.add(work);
  }

  async close(graceMs: number): Promise<void> {
    this.isClosing = true;
    // What is in hand is answered; who waits for nothing is let go at once.
    for (const socket of this.open) if (!busy.has(socket)) socket.destroy();
    const all = Promise.all(this.working);
    await withTimeout(all, graceMs, () => new Error('late')).catch(() => {});
    for (const socket of this.open) socket.destroy();
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
      }
    } catch (error) {
      if (error instanceof FrameError) this.tell('no-frame', address);
    } finally {
      clock.set(false, true);
    }
  }

  /** False where the connection is to be closed. */
  private async answer(socket: Socket, frame: Frame, address: string): Promise<boolean> {
    busy.add(socket);
    try {
      const answers = await this.handle(frame, address);
      if (answers === null) return false;
      const framed = answers.flatMap((answer) => [Buffer.of(START), answer, Buffer.of(END, CR)]);
      // The next message is read when this one is written: nobody makes us keep answers that he does not read.
      if (framed.length > 0) await written(socket, Buffer.concat(framed));
      return true;
    } catch {
      this.tell('handler', address);
      return false;
    } finally {
      busy.delete(socket);
    }
  }
}

const busy = new WeakSet<Socket>();

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

/** Calls `late` when a message that has begun does not end in time. */
class MessageClock {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly ms: number,
    private readonly late: () => void,
  ) {}

  /** @param hasEnded whether a message ended since: the one that is open is another */
  set(isOpen: boolean, hasEnded: boolean): void {
    if (!isOpen || hasEnded) clearTimeout(this.timer);
    if (!isOpen) this.timer = undefined;
    else if (hasEnded || this.timer === undefined) this.timer = setTimeout(this.late, this.ms);
  }
}
