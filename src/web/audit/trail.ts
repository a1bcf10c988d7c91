import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PRIVATE_MODE } from '../../base/atomic-file';
import { HilumError } from '../../base/errors';
import { makeFolderForOwner } from '../../base/folder';

/** Further destination of audit messages, in the order of writing: syslog. Must neither block nor throw. */
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

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
  /** Time of its first message (milliseconds since 1970). */
  readonly begunAt: number;
  bytes: number;
  /** Whether its last message was cut off by a full disk or a crash: the next one begins a new line. */
  isCut: boolean;
}

const MONTH_MS = 31 * 86_400_000;

/**
 * The audit trail: a file that is only appended to, one message a line, flushed (fsync) before `write` resolves.
 * Messages that arrive together share one fsync. The file mode is 0600. At `maxFileBytes`, and a month after its first
 * message, the file is renamed by its time and a new one begun; how long files are kept is configured (`old-files.ts`).
 * Several processes may write to one file; when one begins a new file, the others follow.
 */
export class AuditTrail {
  private file: OpenFile | null = null;
  private waiting: Waiting[] = [];
  private working: Promise<void> | null = null;

  constructor(
    private readonly settings: { readonly dir: string; readonly maxFileBytes: number },
    private readonly outlet: AuditOutlet | null,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws HilumError AUDIT_FAILED when the message is not on disk: then the recorded action must not go on */
  write(xml: string, at: Date): Promise<void> {
    return new Promise<void>((done, failed) => {
      this.waiting.push({ xml, at, done, failed });
      this.working ??= this.work();
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
        // The next message reopens the file: a full disk may have room again.
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
    // At once: whoever waited for the last message may write the next one before this promise is settled.
    this.working = null;
  }

  private async append(lines: string): Promise<void> {
    const file = await this.current();
    const bytes = Buffer.from(file.isCut ? `\n${lines}` : lines, 'utf8');
    await file.handle.appendFile(bytes);
    file.isCut = false;
    await file.handle.sync();
    file.bytes += bytes.length;
  }

  private async current(): Promise<OpenFile> {
    const path = join(this.settings.dir, AUDIT_FILE);
    if (this.file !== null && (await inodeOf(path)) !== this.file.inode) await this.leave();
    this.file ??= await this.open(path);
    const { bytes, begunAt } = this.file;
    if (bytes < this.settings.maxFileBytes && this.now() - begunAt < MONTH_MS) return this.file;
    await this.leave();
    const time = new Date(this.now()).toISOString().replace(/[:.]/g, '-');
    await rename(path, join(this.settings.dir, `audit-${time}.log`));
    this.file = await this.open(path);
    return this.file;
  }

  private async open(path: string): Promise<OpenFile> {
    makeFolderForOwner(this.settings.dir, 0o700);
    const handle = (await newFile(path)) ?? (await open(path, 'a+', PRIVATE_MODE));
    const { size, ino } = await handle.stat({ bigint: true });
    return {
      handle,
      inode: ino,
      bytes: Number(size),
      isCut: await isCutOff(handle, Number(size)),
      begunAt: (await firstTimeIn(handle)) ?? this.now(),
    };
  }

  private async leave(): Promise<void> {
    await this.file?.handle.close();
    this.file = null;
  }
}

/**
 * A file that root makes gets the owner of its folder: the service must be able to go on with it.
 * @returns null where it is there
 */
async function newFile(path: string): Promise<FileHandle | null> {
  const handle = await open(path, 'ax+', PRIVATE_MODE).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  });
  if (handle === null || process.geteuid?.() !== 0) return handle;
  const { uid, gid } = await stat(dirname(path));
  await handle.chown(uid, gid);
  return handle;
}

async function inodeOf(path: string): Promise<bigint | null> {
  return stat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => null,
  );
}

async function isCutOff(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

/** Time of a file's first message; null where it has none. */
async function firstTimeIn(handle: FileHandle): Promise<number | null> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4_096), 0, 4_096, 0);
  const time = /EventDateTime="([^"]+)"/.exec(buffer.toString('utf8', 0, bytesRead))?.[1];
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? null : at;
}
