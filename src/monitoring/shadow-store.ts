import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_MODE } from '../base/atomic-file';
import { makeFolder } from '../base/folder';
import type { Uid } from '../dicom/uid';
import type { ShadowStore, ShadowRecord } from '../pipeline/shadow';

export interface ShadowStoreLimits {
  /** Size of a file from which on the next one is begun (bytes). */
  readonly fileBytes: number;
  /** Number of files kept; the oldest is deleted, and its films count as not analysed. */
  readonly files: number;
}

/** About 400 bytes per film: some 160,000 films. */
const LIMITS: ShadowStoreLimits = { fileBytes: 8 * 1024 * 1024, files: 8 };
const CURRENT = 'shadow.jsonl';
const OLD = /^shadow-(\d{6})\.jsonl$/;

interface Volume {
  readonly path: string;
  readonly records: Pick<ShadowRecord, 'report' | 'studyInstanceUid' | 'sopInstanceUid'>[];
}

/**
 * Outcomes of shadow mode, one JSON line for each film and analysis, in `shadow.jsonl` and, when that is full, in
 * numbered files. A line is flushed to disk before its film counts as done, so that a kill neither loses nor doubles
 * one. For one process at a time.
 */
export class ShadowFileStore implements ShadowStore {
  private readonly reports = new Set<Uid>();
  /** Number of analyses by study and film. */
  private readonly films = new Map<Uid, Map<Uid, number>>();
  private bytes = 0;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly dir: string,
    private readonly limits: ShadowStoreLimits,
    private file: FileHandle,
    private readonly volumes: Volume[],
  ) {}

  /** @throws ErrnoException when the folder can't be made or written */
  static async open(dir: string, limits: ShadowStoreLimits = LIMITS): Promise<ShadowFileStore> {
    makeFolder(dir);
    const names = (await readdir(dir)).filter((name) => OLD.test(name)).sort();
    const volumes: Volume[] = [];
    for (const name of [...names, CURRENT]) {
      const path = join(dir, name);
      const text = await readFile(path, 'utf8').catch(ifMissing);
      volumes.push({
        path,
        records: text
          .slice(0, text.lastIndexOf('\n') + 1)
          .split('\n')
          .flatMap(parse),
      });
    }
    const current = join(dir, CURRENT);
    const text = await readFile(current, 'utf8').catch(ifMissing);
    const file = await open(current, 'a', PRIVATE_MODE);
    // An incomplete last line was cut off by a kill; its film was not done.
    const whole = Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1));
    await file.truncate(whole);
    const store = new ShadowFileStore(dir, limits, file, volumes);
    store.bytes = whole;
    for (const { records } of volumes) for (const record of records) store.remember(record);
    return store;
  }

  has(report: Uid): boolean {
    return this.reports.has(report);
  }

  /** Number of films of a study in the store. */
  filmsOf(study: Uid): number {
    return this.films.get(study)?.size ?? 0;
  }

  add(record: ShadowRecord): Promise<void> {
    const turn = this.last.then(() => this.write(record));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** Waits for earlier writes; further calls do nothing. */
  async close(): Promise<void> {
    await this.last;
    await this.file.close();
  }

  private async write(record: ShadowRecord): Promise<void> {
    if (this.has(record.report)) return;
    if (this.bytes >= this.limits.fileBytes) await this.turnOver();
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      await this.file.appendFile(line);
      await this.file.sync();
    } catch (error) {
      // Part of a line would damage the next one.
      await this.file.truncate(this.bytes).catch(() => undefined);
      throw error;
    }
    this.bytes += line.length;
    this.volumes.at(-1)!.records.push(keyOf(record));
    this.remember(record);
  }

  private async turnOver(): Promise<void> {
    const full = this.volumes.at(-1)!;
    const number =
      1 + Math.max(0, ...this.volumes.slice(0, -1).map(({ path }) => Number(/(\d{6})\.jsonl$/.exec(path)?.[1])));
    const path = join(this.dir, `shadow-${String(number).padStart(6, '0')}.jsonl`);
    await rename(full.path, path);
    let next: FileHandle;
    try {
      next = await open(full.path, 'a', PRIVATE_MODE);
    } catch (error) {
      // A full disk: the next film tries again.
      await rename(path, full.path);
      throw error;
    }
    await this.file.close();
    this.file = next;
    this.bytes = 0;
    this.volumes.splice(-1, 1, { ...full, path }, { path: full.path, records: [] });
    while (this.volumes.length > this.limits.files) await this.forget(this.volumes.shift()!);
  }

  private remember({ report, studyInstanceUid: study, sopInstanceUid: film }: Volume['records'][number]): void {
    if (this.reports.has(report)) return;
    this.reports.add(report);
    const films = this.films.get(study) ?? new Map<Uid, number>();
    this.films.set(study, films.set(film, (films.get(film) ?? 0) + 1));
  }

  private async forget({ path, records }: Volume): Promise<void> {
    for (const { report, studyInstanceUid: study, sopInstanceUid: film } of records) {
      const films = this.films.get(study);
      if (!this.reports.delete(report) || films === undefined) continue;
      const left = (films.get(film) ?? 0) - 1;
      if (left > 0) films.set(film, left);
      else films.delete(film);
      if (films.size === 0) this.films.delete(study);
    }
    await rm(path, { force: true });
  }
}

function keyOf({ report, studyInstanceUid, sopInstanceUid }: ShadowRecord): Volume['records'][number] {
  return { report, studyInstanceUid, sopInstanceUid };
}

function parse(line: string): Volume['records'] {
  try {
    return [keyOf(JSON.parse(line) as ShadowRecord)];
  } catch {
    return [];
  }
}

function ifMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/**
 * All records of shadow mode, the oldest first; read only, as a service may be writing.
 * @throws ErrnoException where the folder can't be read
 */
export async function readShadowRecords(dir: string): Promise<ShadowRecord[]> {
  const names = (await readdir(dir)).filter((name) => OLD.test(name)).sort();
  const records: ShadowRecord[] = [];
  for (const name of [...names, CURRENT]) {
    const text = await readFile(join(dir, name), 'utf8').catch(ifMissing);
    // The last line may be incomplete.
    for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) records.push(...wholeRecord(line));
  }
  return records;
}

function wholeRecord(line: string): ShadowRecord[] {
  try {
    return [JSON.parse(line) as ShadowRecord];
  } catch {
    return [];
  }
}
