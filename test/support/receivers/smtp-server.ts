import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../../scripts/lib/servers.cjs';
import { until } from '../servers/servers';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly tls: boolean;
  readonly user: string | null;
  /** Header and body as they came. */
  readonly content: string;
}

export interface SmtpBehaviour {
  readonly security?: 'starttls' | 'implicit' | 'none';
  /** PEM files; without them there is no TLS. */
  readonly cert?: string;
  readonly key?: string;
  /** Wants user hilum, password secret. */
  readonly auth?: boolean;
  /** Answers, e.g. "451 later". */
  readonly mail?: string;
  readonly rcpt?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly hangAtMail?: boolean;
  readonly cutAfterData?: boolean;
}

/** A real mail server of another make (python3-aiosmtpd). */
export class SmtpServer {
  private readonly mails: ReceivedMail[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async open(behaviour: SmtpBehaviour = {}): Promise<SmtpServer> {
    const port = await freePort();
    const child = spawn(
      '/usr/bin/python3',
      [join(__dirname, 'smtp_server.py'), JSON.stringify({ ...behaviour, port })],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    const server = new SmtpServer(child, port);
    let complaints = '';
    child.stderr.on('data', (piece: Buffer) => void (complaints += piece.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the mail server ended with ${code}: ${complaints}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const told = JSON.parse(line) as { port: number } | ReceivedMail;
        if ('port' in told) resolve();
        else server.mails.push(told);
      });
    });
    return server;
  }

  /** All that came, once there are `count`; the server is asked by a pipe, which may lag. */
  async received(count: number): Promise<readonly ReceivedMail[]> {
    await until(`${count} messages`, () => this.mails.length >= count, 10_000);
    return this.mails;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.child.removeAllListeners('exit').once('exit', () => resolve());
      this.child.kill('SIGKILL');
    });
  }
}
