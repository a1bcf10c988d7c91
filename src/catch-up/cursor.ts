import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../base/atomic-file';

/**
 * How far a growing list of changes has been processed, in sequence numbers of the list. A gap holds the numbers above
 * `low` up to `high`.
 */
export interface Cursor {
  /** Everything up to this number is done, except the gaps. */
  readonly seen: number;
  /** Ranges that are not done yet, oldest first. */
  readonly gaps: readonly { readonly low: number; readonly high: number }[];
  /** Older changes (YYYYMMDDTHHMMSS) are not processed: the start of the window at the first start. */
  readonly notBefore: string;
}

/** Port: stores the cursor. */
export interface CursorStore {
  /** 'none' where none was stored yet, 'unreadable' where the file holds something else. */
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

/** Stores the cursor in a file in `dir`, which is made if it is missing. */
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

/** Largest number of gaps. With more, the two oldest are joined, and what lies between them is processed twice. */
const MAX_GAPS = 50;

/** `cursor` up to `upTo`, with what is new as a gap. */
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
    gaps: gaps.length > MAX_GAPS ? [{ low: gaps[0]!.low, high: gaps[1]!.high }, ...gaps.slice(2)] : gaps,
  };
}

/** `cursor` with its newest gap done down to `to`. */
export function shrink(cursor: Cursor, to: number): Cursor {
  const newest = cursor.gaps.at(-1);
  if (newest === undefined) return cursor;
  const rest = cursor.gaps.slice(0, -1);
  return { ...cursor, gaps: to <= newest.low ? rest : [...rest, { low: newest.low, high: to }] };
}
