import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PRIVATE_MODE } from './atomic-file';
import { makeFolder } from './folder';

/** First line of a journal: identifies the computation. */
export interface JournalHeading {
  /** Digest of everything that a record depends on beside its file; a journal with another digest is discarded. */
  readonly analysis: string;
  readonly [more: string]: unknown;
}

/**
 * Results of many files, one JSON line each, so that an interrupted run can continue. A kill loses at most the line
 * being written. For one process at a time.
 */
export class Journal<R extends { readonly file: string }> {
  private constructor(
    private readonly file: FileHandle,
    readonly path: string,
    /** Records by file; the last line of a file counts. */
    readonly known: ReadonlyMap<string, R>,
  ) {}

  /** @throws ErrnoException where the folder can't be made or written */
  static async open<R extends { readonly file: string }>(path: string, heading: JournalHeading): Promise<Journal<R>> {
    makeFolder(dirname(path));
    const text = await readFile(path, 'utf8').catch(ifMissing);
    // An incomplete last line was cut off by a kill. It is removed, and its file is done again.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = whole.split('\n').filter(Boolean);
    const isOurs =
      first !== undefined && (parse(first) as Partial<JournalHeading> | undefined)?.analysis === heading.analysis;
    const file = await open(path, 'a', PRIVATE_MODE);
    try {
      await file.truncate(isOurs ? Buffer.byteLength(whole) : 0);
      if (!isOurs) await file.write(`${JSON.stringify(heading)}\n`);
    } catch (error) {
      await file.close();
      throw error;
    }
    const records = isOurs ? lines.flatMap((line) => (parse(line) as R | undefined) ?? []) : [];
    return new Journal(file, path, new Map(records.map((record) => [record.file, record])));
  }

  async add(record: R): Promise<void> {
    await this.file.appendFile(`${JSON.stringify(record)}\n`);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function ifMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
