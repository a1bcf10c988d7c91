import { type Kysely, type RawBuilder, sql, type SqlBool } from 'kysely';
import type { DatabaseKind } from './migrations/migration';
import { fold } from './record-columns';
import type { Schema } from './schema';

/** A parsed search. */
export interface Search {
  /** Each must occur in the text; each has at least three characters, as the indexes need. */
  readonly patterns: readonly string[];
  /**
   * Whether the user may see patients: texts that the rows do not show are not searched, as the result would reveal
   * them.
   */
  readonly withPatient: boolean;
}

const MAX_WORDS = 8;
/** Length of a trigram; in `list_entry` two spaces precede each word. */
const TRIGRAM = 3;
/**
 * Number of characters at the end of a pattern that are looked up in the index before the whole is compared: UIDs have
 * common beginnings.
 */
const LOOKED_UP = 12;
/** With more possible matches, scanning all entries is faster than the index (measured). */
const MAX_LOOKED_UP = 25_000;

/**
 * Words of three characters and more are found anywhere, shorter ones at the beginning of a word. Null for an empty
 * search.
 */
export function searchOf(text: string, withPatient: boolean): Search | null {
  const patterns = fold(text)
    .split(' ')
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS)
    .map((word) => word.padStart(word.length + TRIGRAM - characters(word).length));
  return patterns.length === 0 ? null : { patterns, withPatient };
}

export type Condition = RawBuilder<SqlBool>;

/** Conditions on the text itself; the longest words first, as fewer rows have them. */
export function matching({ patterns, withPatient }: Search): readonly Condition[] {
  return [...patterns]
    .sort((a, b) => b.length - a.length)
    .map((pattern) => {
      const like = `%${pattern.replace(/[\\%_]/g, '\\$&')}%`;
      const inStudy = sql<SqlBool>`search_study like ${like} escape '\\'`;
      return withPatient ? sql<SqlBool>`(${inStudy} or search_patient like ${like} escape '\\')` : inStudy;
    });
}

/** Plan of a search. */
export interface Plan {
  readonly conditions: readonly Condition[];
  /** Estimated share of matching entries, 0..1, without filters; null where unknown. */
  readonly share: number | null;
}

/**
 * By SQLite's search index where few enough entries match, else as {@link matching}. PostgreSQL decides itself whether
 * it uses its index.
 */
export async function planOf(
  db: Kysely<Schema>,
  kind: DatabaseKind,
  search: Search,
  most = MAX_LOOKED_UP,
): Promise<Plan> {
  const compared: Plan = { conditions: matching(search), share: null };
  if (kind === 'postgres') return compared;
  const query = matchQuery(search);
  const { rows } = await sql<{ matches: number; entries: number }>`select
    (select count(*) from (select rowid from list_search where list_search match ${query} limit ${most + 1}))
      as matches,
    (select coalesce(sum(studies), 0) from list_count) as entries`.execute(db);
  const { matches, entries } = rows[0]!;
  if (matches > most) return compared;
  const long = search.patterns.filter((pattern) => characters(pattern).length > LOOKED_UP);
  return {
    conditions: [
      sql`id in (select rowid from list_search where list_search match ${query})`,
      ...matching({ ...search, patterns: long }),
    ],
    share: matches / Math.max(1, entries),
  };
}

/** Query in FTS5's syntax, quoted, so that the text contains no operators (sqlite.org/fts5.html, section 3). */
function matchQuery({ patterns, withPatient }: Search): string {
  const columns = withPatient ? '{search_study search_patient}' : '{search_study}';
  return patterns
    .map((pattern) => characters(pattern).slice(-LOOKED_UP).join(''))
    .map((text) => `${columns} : "${text.replaceAll('"', '""')}"`)
    .join(' AND ');
}

/** Code points, as the databases count. */
const characters = (text: string) => Array.from(text);
