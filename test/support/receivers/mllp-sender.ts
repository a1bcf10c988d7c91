import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

const [VT, FS] = ['\x0b', '\x1c'];
export const framed = (message: string) => `${VT}${message}${FS}\r`;

/** Sends what it is told, frames or not, and keeps the answers apart. */
export class MllpSender {
  private received = '';
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('utf8')));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  static async connect(port: number, tls?: ConnectionOptions): Promise<MllpSender> {
    const socket = tls ? connectTls({ host: '127.0.0.1', port, ...tls }) : connectTcp(port, '127.0.0.1');
    const sender = new MllpSender(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', () => resolve());
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    });
    return sender;
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Whole answers so far, without their frames. */
  get answers(): string[] {
    return this.received
      .split(`${FS}\r`)
      .slice(0, -1)
      .map((answer) => answer.replace(VT, ''));
  }

  /** Waits for this many answers in all. */
  async until(count: number): Promise<string[]> {
    for (const end = Date.now() + 15_000; this.answers.length < count;) {
      if (Date.now() > end || this.socket.destroyed) throw new Error(`${this.answers.length} answers, not ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.answers;
  }

  /** Sends one message; its answers, `count` of them. */
  async ask(message: string, count = 1): Promise<string[]> {
    const before = this.answers.length;
    this.write(framed(message));
    return (await this.until(before + count)).slice(before);
  }

  end(): void {
    this.socket.destroy();
  }
}

/** MSA-1 and MSA-2 of an answer. */
export const msaOf = (answer: string) => /\rMSA\|(\w\w)\|([^|\r]*)/.exec(answer)!.slice(1, 3);
