import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAtomicallySync } from '../base/atomic-file';
import type { FilmResult } from '../events/result-event';
import { type FilmMeasures, MEASURE_NAMES, type MeasureName, MEASURES } from '../pipeline/measures';
import { binOf, emptyCounts } from '../statistics/psi';

const counts = z.array(z.number().int().min(0));
const pageSchema = z.object({
  schemaVersion: z.literal(1),
  outcomes: z.record(z.string(), z.number().int().min(0)),
  measures: z.partialRecord(z.enum(MEASURE_NAMES), counts),
});

/** Counts of films, by outcome and by bins of {@link MEASURES}. */
export type DriftPage = z.infer<typeof pageSchema>;

export function emptyPage(): DriftPage {
  return { schemaVersion: 1, outcomes: {}, measures: {} };
}

/** How many films came to which outcome on a day (YYYY-MM-DD, UTC). */
export interface DriftDay {
  readonly date: string;
  readonly outcomes: Readonly<Record<string, number>>;
}

const PAGE = /^(\d{4}-\d{2}-\d{2})-[0-9a-f]+\.json$/;

/**
 * Counts the films of each day (UTC), in `<state.dir>/drift/<day>-<worker>.json`, about 1 KB. Each film is on disk, by
 * a file renamed into place, before the next; killed at any time, the film in hand may be missing. Each process has
 * files of its own, so that several may share the folder. Nothing but counts.
 */
export class DriftBook {
  private readonly worker = randomBytes(4).toString('hex');
  private readonly dir: string;
  private day = '';
  private page = emptyPage();
  private isWriting = true;

  /** @param onFailed told once, when the folder can't be written: counting must never hold up films */
  constructor(
    stateDir: string,
    private readonly onFailed: (error: unknown) => void = () => {},
    private readonly now: () => Date = () => new Date(),
  ) {
    this.dir = folderOf(stateDir);
  }

  measured(measures: FilmMeasures): void {
    this.turnPage();
    count(this.page, measures);
    this.write();
  }

  film({ outcome, reason }: Pick<FilmResult, 'outcome' | 'reason'>): void {
    this.turnPage();
    const name = reason === null ? outcome : `${outcome} ${reason}`;
    this.page.outcomes[name] = (this.page.outcomes[name] ?? 0) + 1;
    this.write();
  }

  private turnPage(): void {
    const day = this.now().toISOString().slice(0, 10);
    if (day === this.day) return;
    this.day = day;
    // A clock that is set back over midnight comes to a day that was written already.
    this.page = readPage(this.path()) ?? emptyPage();
  }

  private path(): string {
    return join(this.dir, `${this.day}-${this.worker}.json`);
  }

  private write(): void {
    if (!this.isWriting) return;
    try {
      writeAtomicallySync(this.path(), JSON.stringify(this.page), { flush: false });
    } catch (error) {
      this.isWriting = false;
      this.onFailed(error);
    }
  }
}

/** Adds a film to a page. */
export function count(page: DriftPage, measures: FilmMeasures): void {
  for (const name of MEASURE_NAMES) {
    const value = measures[name];
    if (value === undefined || Number.isNaN(value)) continue;
    const bins = (page.measures[name] ??= emptyCounts(MEASURES[name]));
    bins[binOf(value, MEASURES[name])]! += 1;
  }
}

/**
 * All workers' counts of the days from `from` to `to` (YYYY-MM-DD, both included), added up. A page that can't be read
 * is left out and named.
 */
export function readPages(
  stateDir: string,
  from: string,
  to: string,
): { page: DriftPage; days: DriftDay[]; unread: string[] } {
  const page = emptyPage();
  const days = new Map<string, DriftPage>();
  const unread: string[] = [];
  for (const name of list(folderOf(stateDir))) {
    const day = PAGE.exec(name)?.[1];
    if (day === undefined || day < from || day > to) continue;
    const read = readPage(join(folderOf(stateDir), name));
    if (read === null) unread.push(name);
    else {
      days.set(day, add(days.get(day) ?? emptyPage(), read));
      add(page, read);
    }
  }
  return {
    page,
    days: [...days].map(([date, { outcomes }]) => ({ date, outcomes })).sort((a, b) => (a.date < b.date ? -1 : 1)),
    unread,
  };
}

function add(page: DriftPage, more: DriftPage): DriftPage {
  for (const [name, films] of Object.entries(more.outcomes)) page.outcomes[name] = (page.outcomes[name] ?? 0) + films;
  for (const [name, bins] of Object.entries(more.measures) as [MeasureName, number[]][]) {
    if (bins.length !== MEASURES[name].length + 1) continue;
    page.measures[name] = (page.measures[name] ?? emptyCounts(MEASURES[name])).map((films, i) => films + bins[i]!);
  }
  return page;
}

function readPage(path: string): DriftPage | null {
  try {
    return pageSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
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
