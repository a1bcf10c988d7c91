import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { HilumError } from '../base/errors';
import { sleep, withTimeout } from '../base/retry';
import { CR, END, framesIn, isLineEnd, MAX_ANSWER_BYTES, START } from './frames';
import { readTls, type TlsFiles, type TlsMaterial } from '../net/tls';

/** All times in milliseconds. */
export interface MllpOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls?: TlsFiles | undefined;
  /** Keeps the connection open between messages. */
  readonly keepOpen: boolean;
  readonly connectTimeoutMs: number;
  readonly ackTimeoutMs: number;
}

/** MLLP client (HL7 v2.5.1 appendix C.4): sends a frame (0x0B, message, 0x1C 0x0D) and reads the response. */
export interface MllpClient {
  /**
   * Sends a message and resolves to the response, not framed. Several messages that arrive together (commit and
   * application acknowledgement) are joined. One exchange at a time; further calls wait.
   * @param isLate whether a response belongs to an earlier message, so that another one is waited for
   * @throws HilumError RECEIVER_UNREACHABLE (also when the connection is lost before the response: the message may have
   * arrived), RECEIVER_TIMEOUT, RECEIVER_RESPONSE_INVALID; all transient
   */
  exchange(message: Uint8Array, isLate?: (answer: Uint8Array) => boolean): Promise<Uint8Array>;
  /** Connects and sends nothing. @throws HilumError as above */
  probe(): Promise<void>;
  close(): Promise<void>;
}

const PROBE_MS = 500;

/** Connects when there is something to send. @throws HilumError CONFIG_INVALID for unreadable TLS files. */
export function mllpClient(options: MllpOptions): MllpClient {
  return new Mllp(options);
}

class Mllp implements MllpClient {
  private readonly material: TlsMaterial | undefined;
  private socket: Socket | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: MllpOptions) {
    this.material = options.tls === undefined ? undefined : readTls(options.tls);
  }

  exchange(message: Uint8Array, isLate: (answer: Uint8Array) => boolean = () => false): Promise<Uint8Array> {
    return this.inTurn(async () => {
      const socket = await this.open();
      try {
        const answer = await withTimeout(
          roundTrip(socket, message, isLate),
          this.options.ackTimeoutMs,
          () => new HilumError('RECEIVER_TIMEOUT', 'transient', 'the HL7 receiver did not acknowledge in time'),
        );
        if (!this.options.keepOpen) this.drop();
        return answer;
      } catch (error) {
        // Closed, so that a late response is not taken for that to the next message.
        this.drop();
        throw error;
      }
    });
  }

  probe(): Promise<void> {
    return this.inTurn(async () => {
      const socket = await this.open();
      // A TLS 1.3 server refuses a client certificate only after the handshake has ended on our side.
      await sleep(PROBE_MS);
      const isOpen = this.socket === socket && socket.readyState === 'open';
      this.drop();
      if (!isOpen)
        throw new HilumError('RECEIVER_UNREACHABLE', 'transient', 'the HL7 receiver closed the connection at once');
    });
  }

  async close(): Promise<void> {
    this.drop();
    await this.last;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => {});
    return result;
  }

  private drop(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  private async open(): Promise<Socket> {
    if (this.socket !== undefined && this.socket.readyState === 'open') return this.socket;
    this.drop();
    const socket = await this.connect();
    // Unexpected bytes between two messages would be taken for the next response, so the connection is closed. When the
    // server closes it, the next message opens another.
    const dropIdle = () => this.socket === socket && !isBusy(socket) && this.drop();
    for (const event of ['end', 'close'] as const) socket.on(event, dropIdle);
    let lineEnds = 0;
    socket.on('data', (chunk) => {
      // The line end of the last frame may arrive late; more bytes than that are an endless stream.
      lineEnds = isBusy(socket) ? 0 : lineEnds + chunk.length;
      if (!chunk.every(isLineEnd) || lineEnds > MAX_ANSWER_BYTES) dropIdle();
    });
    return (this.socket = socket);
  }

  private async connect(): Promise<Socket> {
    const { host, port, connectTimeoutMs } = this.options;
    const material = this.material;
    const socket =
      material === undefined
        ? connectTcp({ host, port })
        : connectTls({ host, port, ...material, ...(isIP(host) === 0 ? { servername: host } : {}) });
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    // Attached for the life of the socket: without an error listener an error would end the process.
    const failed = new Promise<never>((_resolve, reject) =>
      socket.on('error', (cause: Error) => reject(unreachable(cause))),
    );
    failed.catch(() => {});
    const ready = new Promise<Socket>((resolve) =>
      socket.once(material === undefined ? 'connect' : 'secureConnect', () => resolve(socket)),
    );
    try {
      return await withTimeout(
        Promise.race([ready, failed]),
        connectTimeoutMs,
        () => new HilumError('RECEIVER_UNREACHABLE', 'transient', "the HL7 receiver can't be reached in time"),
      );
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}

const busy = new WeakSet<Socket>();
const isBusy = (socket: Socket) => busy.has(socket);

/** Writes a frame and reads the response. Rejects when the connection ends first. */
async function roundTrip(
  socket: Socket,
  message: Uint8Array,
  isLate: (answer: Uint8Array) => boolean,
): Promise<Uint8Array> {
  busy.add(socket);
  let stop: () => void = () => {};
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      const reader = new AnswerReader(isLate, resolve);
      const onData = (chunk: Buffer) => {
        try {
          reader.take(chunk);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const onError = (cause: Error) => reject(unreachable(cause));
      const onClose = () =>
        reject(
          new HilumError(
            'RECEIVER_UNREACHABLE',
            'transient',
            'the HL7 receiver closed the connection before it acknowledged',
          ),
        );
      socket.on('data', onData).on('error', onError).on('end', onClose).on('close', onClose);
      stop = () => {
        reader.stop();
        socket.off('data', onData).off('error', onError).off('end', onClose).off('close', onClose);
      };
      socket.write(Buffer.concat([Buffer.of(START), message, Buffer.of(END, CR)]));
    });
  } finally {
    stop();
    busy.delete(socket);
  }
}

/** How long to wait for the rest of a further frame after a complete response (milliseconds). */
const REST_MS = 500;

/**
 * Collects the response and calls `done` once there is a complete one and no further frame has begun, or its rest does
 * not arrive in time.
 */
class AnswerReader {
  private received: Buffer = Buffer.alloc(0);
  private judged = 0;
  private readonly answers: Buffer[] = [];
  private rest: NodeJS.Timeout | undefined;

  constructor(
    private readonly isLate: (answer: Uint8Array) => boolean,
    private readonly done: (answer: Uint8Array) => void,
  ) {}

  /** @throws HilumError RECEIVER_RESPONSE_INVALID */
  take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    const { whole, hasMore } = framesIn(this.received);
    this.answers.push(...whole.slice(this.judged).filter((frame) => !this.isLate(frame)));
    this.judged = whole.length;
    if (this.answers.length === 0) return;
    if (hasMore) this.rest ??= setTimeout(() => this.finish(), REST_MS);
    else this.finish();
  }

  stop(): void {
    clearTimeout(this.rest);
  }

  private finish(): void {
    this.done(Buffer.concat(this.answers.flatMap((frame) => [frame, Buffer.of(CR)])));
  }
}

/** The message has the error code of Node or OpenSSL, which tells the cause. */
function unreachable(cause: Error): HilumError {
  const code = 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : '';
  return new HilumError('RECEIVER_UNREACHABLE', 'transient', `the HL7 receiver can't be reached${code}`, { cause });
}
