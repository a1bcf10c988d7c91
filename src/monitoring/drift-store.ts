import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAtomicallySync } from '../base/atomic-file';
import type { FilmResult } from '../events/result-event';
import { type FilmMeasures, MEASURE_NAMES, type MeasureName, MEASURES } from '../pipeline/measures';
import { binOf, emptyCounts } from '../statistics/psi';

const binCounts = z.array(z.number().int().min(0));
const countsSchema = z.object({
  schemaVersion: z.literal(1),
  outcomes: z.record(z.string(), z.number().int().min(0)),
  measures: z.partialRecord(z.enum(MEASURE_NAMES), binCounts),
});

/** Numbers of films, by outcome and by bins of {@link MEASURES}. */
export type DriftCounts = z.infer<typeof countsSchema>;

export function emptyDriftCounts(): DriftCounts {
  return { schemaVersion: 1, outcomes: {}, measures: {} };
}

/** Numbers of films by outcome on a day (YYYY-MM-DD, UTC). */
export interface DriftDay {
  readonly date: string;
  readonly outcomes: Readonly<Record<string, number>>;
}

const DAY_FILE = /^(\d{4}-\d{2}-\d{2})-[0-9a-f]+\.json$/;

/**
 * Counts the films of each day (UTC) in `<state.dir>/drift/<day>-<worker>.json`, about 1 KB. The file is replaced after
 * each film; a kill loses at most the film in work. Each process has its own files, so that several may share the
 * folder. The files hold nothing but counts.
 */
export class DriftStore {
  private readonly worker = randomBytes(4).toString('hex');
  private readonly dir: string;
  private day = '';
  private counts = emptyDriftCounts();
  private isWriting = true;

  /** @param onFailed called once when the folder can't be written: counting must not delay films */
  constructor(
    stateDir: string,
    private readonly onFailed: (error: unknown) => void = () => {},
    private readonly now: () => Date = () => new Date(),
  ) {
    this.dir = folderOf(stateDir);
  }

  measured(measures: FilmMeasures): void {
    this.startDay();
    count(this.counts, measures);
    this.write();
  }

  film({ outcome, reason }: Pick<FilmResult, 'outcome' | 'reason'>): void {
    this.startDay();
    const name = reason === null ? outcome : `${outcome} ${reason}`;
    this.counts.outcomes[name] = (this.counts.outcomes[name] ?? 0) + 1;
    this.write();
  }

  private startDay(): void {
    const day = this.now().toISOString().slice(0, 10);
    if (day === this.day) return;
    this.day = day;
    // The day may have a file already, where the clock was set back over midnight.
    this.counts = readDayFile(this.path()) ?? emptyDriftCounts();
  }

  private path(): string {
    return join(this.dir, `${this.day}-${this.worker}.json`);
  }

  private write(): void {
    if (!this.isWriting) return;
    try {
      writeAtomicallySync(this.path(), JSON.stringify(this.counts), { flush: false });
    } catch (error) {
      this.isWriting = false;
      this.onFailed(error);
    }
  }
}

/** Adds a film to the counts. */
export function count(counts: DriftCounts, measures: FilmMeasures): void {
  for (const name of MEASURE_NAMES) {
    const value = measures[name];
    if (value === undefined || Number.isNaN(value)) continue;
    const bins = (counts.measures[name] ??= emptyCounts(MEASURES[name]));
    bins[binOf(value, MEASURES[name])]! += 1;
  }
}

/**
 * Sum of all workers' counts for the days from `from` to `to` (YYYY-MM-DD, both included). A file that can't be read is
 * left out and named.
 */
export function readDriftDays(
  stateDir: string,
  from: string,
  to: string,
): { counts: DriftCounts; days: DriftDay[]; unread: string[] } {
  const counts = emptyDriftCounts();
  const days = new Map<string, DriftCounts>();
  const unread: string[] = [];
  for (const name of list(folderOf(stateDir))) {
    const day = DAY_FILE.exec(name)?.[1];
    if (day === undefined || day < from || day > to) continue;
    const read = readDayFile(join(folderOf(stateDir), name));
    if (read === null) unread.push(name);
    else {
      days.set(day, add(days.get(day) ?? emptyDriftCounts(), read));
      add(counts, read);
    }
  }
  return {
    counts,
    days: [...days].map(([date, { outcomes }]) => ({ date, outcomes })).sort((a, b) => (a.date < b.date ? -1 : 1)),
    unread,
  };
}

function add(counts: DriftCounts, more: DriftCounts): DriftCounts {
  for (const [name, films] of Object.entries(more.outcomes))
    counts.outcomes[name] = (counts.outcomes[name] ?? 0) + films;
  for (const [name, bins] of Object.entries(more.measures) as [MeasureName, number[]][]) {
    if (bins.length !== MEASURES[name].length + 1) continue;
    counts.measures[name] = (counts.measures[name] ?? emptyCounts(MEASURES[name])).map((films, i) => films + bins[i]!);
  }
  return counts;
}

function readDayFile(path: string): DriftCounts | null {
  try {
    return countsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function folderOf(stateDir: string): string {
  return join(stateDir, 'drift');
}
