import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../base/atomic-file';

/**
 * What is done of a list that only grows. Places are those of the list; a gap holds the places above `low` up to
 * `high`.
 */
export interface Cursor {
  /** Everything up to here is done, but for the gaps. */
  readonly seen: number;
  /** Not done yet, oldest first. */
  readonly gaps: readonly { readonly low: number; readonly high: number }[];
  /** Changes before this moment (YYYYMMDDTHHMMSS) are left alone: the window of the first start. */
  readonly notBefore: string;
}

/** Port: where the cursor outlives the process. */
export interface CursorStore {
  /** 'none' where there never was one, 'unreadable' where there is something else. */
  load(): Promise<Cursor | 'none' | 'unreadable'>;
  save(cursor: Cursor): Promise<void>;
}

const place = z.number().int().nonnegative();
const cursorSchema = z.object({
  schemaVersion: z.literal(1),
  seen: place,
  gaps: z.array(z.object({ low: place, high: place })),
  notBefore: z.string(),
});
const FILE = 'orthanc-changes.json';

/** A file in `dir`, which is made when it is not there. */
export function cursorFile(dir: string): CursorStore {
  return {
    load: () => load(join(dir, FILE)),
    save: (cursor) => writeAtomically(join(dir, FILE), JSON.stringify({ schemaVersion: 1, ...cursor })),
  };
}

async function load(path: string): Promise<Cursor | 'none' | 'unreadable'> {
  try {
    const { seen, gaps, notBefore } = cursorSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return { seen, gaps, notBefore };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return 'unreadable';
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return 'none';
    throw error;
  }
}

/** Most gaps that are kept apart; beyond, the two oldest become one, whose middle is looked at twice. */
const MOST_GAPS = 50;

/** `cursor` with all up to `upTo` noticed, as a new gap. */
export function extend(cursor: Cursor, upTo: number): Cursor {
  if (upTo <= cursor.seen) return cursor;
  const newest = cursor.gaps.at(-1);
  const touches = newest?.high === cursor.seen;
  const gaps = touches
    ? [...cursor.gaps.slice(0, -1), { low: newest.low, high: upTo }]
    : [...cursor.gaps, { low: cursor.seen, high: upTo }];
  return {
    ...cursor,
    seen: upTo,
    gaps: gaps.length > MOST_GAPS ? [{ low: gaps[0]!.low, high: gaps[1]!.high }, ...gaps.slice(2)] : gaps,
  };
}

/** `cursor` with its newest gap done down to `to`. */
export function shrink(cursor: Cursor, to: number): Cursor {
  const newest = cursor.gaps.at(-1);
  if (newest === undefined) return cursor;
  const rest = cursor.gaps.slice(0, -1);
  return { ...cursor, gaps: to <= newest.low ? rest : [...rest, { low: newest.low, high: to }] };
}
