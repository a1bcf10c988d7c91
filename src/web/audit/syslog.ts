import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { PRIVATE_MODE, writeAtomicallySync } from '../../base/atomic-file';
import { makeFolderForOwner } from '../../base/folder';
import type { Log } from '../../base/log';
import { sleep } from '../../base/retry';
import { readTls } from '../../net/tls';
import type { AuditConfig } from './config';

export interface SyslogSettings extends Readonly<NonNullable<AuditConfig['syslog']>> {
  /** Folder for messages that wait for the receiver. */
  readonly dir: string;
}

export interface Syslog {
  /** Queues a message. Never throws and never waits: the trail is the file, this is a copy. */
  send(xml: string, at: Date): void;
  close(): Promise<void>;
}

/** Facility 10 (security), severity 5 (notice): DICOM PS3.15 A.6 asks for facility 10. */
const PRIORITY = 10 * 8 + 5;
const MESSAGE_ID = 'DICOM+RFC3881';
const APPLICATION = 'hilum';
const RECONNECT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_WAIT_MS = 2_000;
const CLOSE_LOOK_MS = 50;

/**
 * A message in the form of RFC 5424, its XML with the byte order mark that marks UTF-8 (DICOM PS3.15 A.6), framed by
 * octet counting (RFC 5425, section 4.3).
 */
export function syslogFrame(xml: string, at: Date, host = hostname(), pid = process.pid): Buffer {
  const printable = host.replace(/[^!-~]/g, '').slice(0, 255) || '-';
  const message = Buffer.from(
    `<${PRIORITY}>1 ${at.toISOString()} ${printable} ${APPLICATION} ${pid} ${MESSAGE_ID} - \uFEFF${xml}`,
    'utf8',
  );
  return Buffer.concat([Buffer.from(`${message.length} `, 'ascii'), message]);
}

/**
 * Sends messages to an audit record repository by syslog over TLS (RFC 5425). While the repository is away they wait in
 * a file, in order, up to `spoolBytes`; further ones are counted and dropped (the trail's file has them). Syslog has no
 * acknowledgement: messages that were being sent when a connection breaks are sent again, so that a receiver may see
 * one twice.
 */
export function connectSyslog(settings: SyslogSettings, log: Log): Syslog {
  return new SpooledSyslog(settings, log);
}

class SpooledSyslog implements Syslog {
  private readonly spool: string;
  private readonly tlsMaterial;
  private socket: TLSSocket | null = null;
  private connecting: TLSSocket | null = null;
  private retry: NodeJS.Timeout | null = null;
  private isClosing = false;
  private dropped = 0;

  constructor(
    private readonly settings: SyslogSettings,
    private readonly log: Log,
  ) {
    // The receiver's certificate is always checked.
    this.tlsMaterial = { ...readTls(settings.tls), rejectUnauthorized: true };
    makeFolderForOwner(settings.dir, 0o700);
    this.spool = join(settings.dir, 'syslog.spool');
    this.reclaim();
    this.open();
  }

  send(xml: string, at: Date): void {
    const frame = syslogFrame(xml, at);
    try {
      this.append(frame);
    } catch {
      this.drop();
    }
    this.flush();
  }

  async close(): Promise<void> {
    // The last messages, such as that the service stops, are given a moment to be sent.
    for (let waited = 0; waited < CLOSE_WAIT_MS && this.isWaiting(); waited += CLOSE_LOOK_MS)
      await sleep(CLOSE_LOOK_MS);
    this.isClosing = true;
    if (this.retry) clearTimeout(this.retry);
    this.connecting?.destroy();
    const { socket } = this;
    if (socket === null) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      setTimeout(() => socket.destroy(), CLOSE_WAIT_MS).unref();
      socket.end();
    });
  }

  private append(frame: Buffer): void {
    const waiting = sizeOf(this.spool);
    if (waiting + frame.length > this.settings.spoolBytes) return this.drop();
    try {
      appendFileSync(this.spool, frame, { mode: PRIVATE_MODE });
    } catch (error) {
      // A part of a frame would shift the octet counts of all that follow.
      truncateSync(this.spool, waiting);
      throw error;
    }
  }

  /** Messages that an earlier run was sending go first. */
  private reclaim(): void {
    const sent = `${this.spool}.sent`;
    if (!existsSync(sent)) return;
    const both = Buffer.concat([
      readFileSync(sent),
      existsSync(this.spool) ? readFileSync(this.spool) : Buffer.alloc(0),
    ]);
    writeAtomicallySync(this.spool, both, { mode: PRIVATE_MODE });
    rmSync(sent, { force: true });
  }

  private isWaiting(): boolean {
    return sizeOf(this.spool) > 0 || existsSync(`${this.spool}.sent`);
  }

  private open(): void {
    const { host, port } = this.settings;
    const socket = connect({ host, port, ...this.tlsMaterial, minVersion: 'TLSv1.2', timeout: CONNECT_TIMEOUT_MS });
    this.connecting = socket;
    socket.once('secureConnect', () => {
      this.connecting = null;
      socket.setTimeout(0);
      this.socket = socket;
      this.log.info({ event: 'audit.syslog-connected', host, port }, 'the audit record repository is connected');
      this.flush();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer')));
    socket.on('error', (error: Error) =>
      this.log.warn(
        { event: 'audit.syslog-lost', host, port, error: error.message },
        'no connection to the audit record repository; messages wait on the disk',
      ),
    );
    socket.once('close', () => this.lost());
    // Syslog has no responses; reading notices the end of the connection.
    socket.resume();
  }

  private lost(): void {
    this.socket = null;
    this.connecting = null;
    this.reclaim();
    if (!this.isClosing) this.retry = setTimeout(() => this.open(), RECONNECT_MS);
  }

  /** Passes all waiting messages to the connection. They stay in a second file until the connection has taken them. */
  private flush(): void {
    const { socket } = this;
    const sent = `${this.spool}.sent`;
    if (socket === null || existsSync(sent) || sizeOf(this.spool) === 0) return;
    renameSync(this.spool, sent);
    socket.write(readFileSync(sent), (error) => {
      if (error) return;
      rmSync(sent, { force: true });
      if (this.dropped > 0)
        this.log.warn(
          { event: 'audit.syslog-dropped', messages: this.dropped },
          'messages did not fit on the disk while the audit record repository was away; they are in the file only',
        );
      this.dropped = 0;
      this.flush();
    });
  }

  private drop(): void {
    this.dropped += 1;
    if (this.dropped === 1)
      this.log.warn(
        { event: 'audit.syslog-dropped', messages: 1 },
        'what waits for the audit record repository has no room any more; messages are in the file only',
      );
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}
