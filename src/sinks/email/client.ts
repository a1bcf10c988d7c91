import { createTransport } from 'nodemailer';
import { HilumError } from '../../base/errors';
import { readTls, type TlsFiles } from '../../net/tls';

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  /** `starttls` requires STARTTLS; `implicit` is TLS from the first byte. */
  readonly security: 'starttls' | 'implicit' | 'none';
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: TlsFiles;
  readonly from: string;
  readonly to: readonly string[];
  /** Longest wait for a connection and for each reply (milliseconds). */
  readonly timeoutMs: number;
}

interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  readonly date: Date;
  readonly isUrgent: boolean;
}

/** Sends mail by SMTP; fits the port of `sinks/email/sink` by shape. No error quotes a message or a reply. */
export class SmtpClient {
  private readonly transport: ReturnType<typeof createTransport>;

  /** @throws HilumError CONFIG_INVALID for unreadable TLS files. */
  constructor(private readonly options: SmtpOptions) {
    const { host, port, security, username, password, timeoutMs } = options;
    this.transport = createTransport({
      host,
      port,
      secure: security === 'implicit',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
      tls: readTls(options.tls),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /**
   * @throws HilumError RECEIVER_*: transient for 4xx and network failures, permanent for 5xx, also where one of several
   * recipients was refused: the others have the mail then. Transient where any of them can take it later
   */
  async send({ subject, text, messageId, date, isUrgent }: Mail): Promise<void> {
    const { from, to } = this.options;
    const headers = { 'Auto-Submitted': 'auto-generated' };
    try {
      const { rejectedErrors = [] } = (await this.transport.sendMail({
        from,
        to: [...to],
        subject,
        text,
        messageId,
        date,
        headers,
        ...(isUrgent ? { priority: 'high' as const } : {}),
      })) as { rejectedErrors?: unknown[] };
      if (rejectedErrors.length > 0) throw rejectedErrors.find(isForLater) ?? rejectedErrors[0];
    } catch (error) {
      throw smtpError(error);
    }
  }

  /** For `hilum doctor`: connects, starts TLS and signs in; sends nothing. */
  async probe(): Promise<void> {
    try {
      await this.transport.verify();
    } catch (error) {
      throw smtpError(error);
    }
  }

  close(): Promise<void> {
    this.transport.close();
    return Promise.resolve();
  }
}

const isForLater = (error: unknown): boolean => smtpError(error).lasting === 'transient';

/** Error by SMTP reply code (RFC 5321 section 4.2.1), else by the codes of nodemailer and Node. */
function smtpError(error: unknown): HilumError {
  const { responseCode, code } = (typeof error === 'object' && error !== null ? error : {}) as {
    responseCode?: unknown;
    code?: unknown;
  };
  const status = typeof responseCode === 'number' ? responseCode : 0;
  // A server without STARTTLS answers it with 5xx, which is not about the message.
  if (code === 'ETLS')
    return new HilumError(
      'RECEIVER_UNREACHABLE',
      'transient',
      'no TLS with the mail server: it does not offer it, or its certificate is not accepted',
    );
  if (status >= 400 && status < 500)
    return new HilumError(
      'RECEIVER_UNAVAILABLE',
      'transient',
      `the mail server can't take the message now (SMTP ${status})`,
    );
  if (code === 'EAUTH' || status === 530)
    return new HilumError(
      'RECEIVER_UNAUTHORISED',
      'permanent',
      `the mail server refused the sign-in${status === 0 ? '' : ` (SMTP ${status})`}`,
    );
  if (status >= 500)
    return new HilumError('RECEIVER_REFUSED', 'permanent', `the mail server refused the message (SMTP ${status})`);
  if (code === 'ETIMEDOUT')
    return new HilumError('RECEIVER_TIMEOUT', 'transient', 'the mail server did not answer in time');
  return new HilumError(
    'RECEIVER_UNREACHABLE',
    'transient',
    `the mail server can't be reached${typeof code === 'string' ? ` (${code})` : ''}`,
  );
}
