import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_MODE } from '../../base/atomic-file';
import { HilumError } from '../../base/errors';
import { makeFolder } from '../../base/folder';

/** Where audit messages go beside the file, in the order they were written: syslog. It must not wait and not throw. */
export interface AuditOutlet {
  send(xml: string, at: Date): void;
  close(): Promise<void>;
}

interface Waiting {
  readonly xml: string;
  readonly at: Date;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export const AUDIT_FILE = 'audit.log';

/**
 * The audit trail on the disk: one message a line, only ever appended, on the disk (fsync) before `write` resolves.
 * Messages that arrive together share one fsync. The file is the service's own (0600); at `maxFileBytes` it is renamed
 * after its time and a new one begun. Nothing is ever removed: how long a trail is kept is the site's to say.
 */
export class AuditTrail {
  private file: { readonly handle: FileHandle; bytes: number } | null = null;
  private waiting: Waiting[] = [];
  private working: Promise<void> | null = null;

  constructor(
    private readonly settings: { readonly dir: string; readonly maxFileBytes: number },
    private readonly outlet: AuditOutlet | null,
  ) {}

  /** @throws HilumError AUDIT_FAILED when the message is not on the disk: what it tells of must not go on. */
  write(xml: string, at: Date): Promise<void> {
    return new Promise<void>((done, failed) => {
      this.waiting.push({ xml, at, done, failed });
      this.working ??= this.work().finally(() => {
        this.working = null;
      });
    });
  }

  async close(): Promise<void> {
    await this.working;
    await this.file?.handle.close();
    this.file = null;
    await this.outlet?.close();
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.append(batch.map(({ xml }) => `${xml}\n`).join(''));
        for (const { xml, at, done } of batch) {
          this.outlet?.send(xml, at);
          done();
        }
      } catch (cause) {
        // The next message opens the file anew: a full disk may have room again.
        await this.file?.handle.close().catch(() => {});
        this.file = null;
        for (const { failed } of batch)
          failed(
            new HilumError('AUDIT_FAILED', 'transient', `the audit trail in ${this.settings.dir} can't be written`, {
              cause,
            }),
          );
      }
    }
  }

  private async append(lines: string): Promise<void> {
    const file = await this.current();
    const bytes = Buffer.from(lines, 'utf8');
    await file.handle.appendFile(bytes);
    await file.handle.sync();
    file.bytes += bytes.length;
  }

  private async current(): Promise<{ readonly handle: FileHandle; bytes: number }> {
    if (this.file !== null && this.file.bytes < this.settings.maxFileBytes) return this.file;
    const path = join(this.settings.dir, AUDIT_FILE);
    if (this.file !== null) {
      await this.file.handle.close();
      this.file = null;
      await rename(path, join(this.settings.dir, `audit-${new Date().toISOString().replace(/[:.]/g, '-')}.log`));
    }
    await makeFolder(this.settings.dir, 0o700);
    const handle = await open(path, 'a', PRIVATE_MODE);
    this.file = { handle, bytes: (await handle.stat()).size };
    return this.file;
  }
}
